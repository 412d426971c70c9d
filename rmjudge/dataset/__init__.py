"""RM-Bench data: reading, checking, sources.

::

    sources      sample, rm-bench or paths -> DataSet
    ├── download     rm-bench -> a verified file
    ├── folders      a path -> its data files
    ├── reading      a file -> raw items, each with its place
    └── checking     raw items -> tuples, or everything that is wrong with them
    summary      DataSet -> what it holds and what deserves a look

Nothing untrusted is trusted here: errors name the lines of a wrong file, without a traceback.
"""

from __future__ import annotations

from rmjudge.dataset.sources import load
from rmjudge.dataset.summary import Summary, summarise
from rmjudge.dataset.tuples import BenchTuple, DataSet

__all__ = ["BenchTuple", "DataSet", "Summary", "load", "summarise"]
