"""Adapters: hosted endpoints and style baselines, behind the `Scorer` protocol."""
