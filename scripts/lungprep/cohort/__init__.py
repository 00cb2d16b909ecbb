"""The patients: who there is, who is published, missing, failed or quarantined."""
