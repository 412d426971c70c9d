"""Local transformers models: classifiers, implicit rewards, judges.

Importing this package imports neither torch nor transformers; its modules do, so they are imported
when a local model is built.
"""
