"""The page of `rmjudge report --html` in a real browser."""
