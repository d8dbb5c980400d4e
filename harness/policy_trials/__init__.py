"""Trials derived from policy documents, run on boards: running, own names, probe, drift, discrepancies, summary."""
