"""Numbers from scores: pure functions over data."""
