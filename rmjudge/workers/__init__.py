"""Processes that answer lines of JSON, for work that may hang, crash or eat memory.

Knows nothing of what is asked.
"""
