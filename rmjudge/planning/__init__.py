"""What is to be asked: tuples -> calls. Pure."""
