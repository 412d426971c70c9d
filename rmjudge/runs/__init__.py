"""A finished run: read, named, and put beside others."""
