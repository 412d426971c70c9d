"""Servers of models that are started here, used, and stopped."""
