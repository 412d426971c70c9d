"""People's part of a build: what they are asked, what they decided, and how far that agrees."""
