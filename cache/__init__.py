"""Answers on disk, keyed by content. It knows nothing of tuples or HTTP."""

from rmjudge.cache.answers import AnswerCache, default_folder

__all__ = ["AnswerCache", "default_folder"]
