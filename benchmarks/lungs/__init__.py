"""Evaluation of the lung mask: phantoms with exact truth, real scans with perturbations."""
