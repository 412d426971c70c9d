"""Where code that nobody has read is run: programs and their tests, held in a sandbox.

Nothing of a program reaches this process but how it ended. Knows nothing of builds or tuples.
"""
