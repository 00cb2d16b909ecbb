"""Scans with a defect each: what becomes of them is in docs/corpus.md, rendered from here."""
