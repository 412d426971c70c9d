"""RM-Bench data: reading, checking, sources."""
