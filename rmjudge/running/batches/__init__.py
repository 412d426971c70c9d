"""Batches of a run: planned, handed over once, watched, read as live answers are."""
