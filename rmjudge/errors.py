"""Everything that can stop rmjudge, as one tree.

::

    RmjudgeError                 a message for people: what, where, what to do
    ├── UsageError               the command, the configuration or a key is wrong   exit 2
    │   ├── DataError            a data set is wrong; carries every problem found   exit 2
    │   ├── NotInRunsError       no run has a tuple or an item of that name         exit 2
    │   └── MissingKeyError      a provider's API key is not set                    exit 2
    └── StopRun                  the run cannot go on; what is done is kept
        ├── ProviderStopped      the endpoint said no for good, or is gone          exit 3
        │   └── ModelRefused     a model that runs here would give wrong numbers    exit 2
        ├── NoVerdicts           a judge's first replies all lack a verdict             exit 3
        ├── BudgetReached        --max-cost or --max-calls: the user's own ceiling      exit 3
        ├── BatchesUnderWay      a vendor's batches are not done, or wait for the user  exit 3
        ├── StorageStopped       answers can no longer be kept                      exit 3
        └── Interrupted          Ctrl-C, SIGTERM or a closed terminal                exit 130

A single call that fails is no exception: it is a `Failure` (see `rmjudge.calls`),
because the other calls of the run go on.
"""

from __future__ import annotations

from collections.abc import Sequence


class RmjudgeError(Exception):
    """Base of every error that rmjudge raises on purpose; `exit_code` is the command's."""

    exit_code = 2


class UsageError(RmjudgeError):
    """The user's input is wrong; nothing was called."""


class NotInRunsError(UsageError):
    """The runs have no tuple or item of the name that was given."""


class DataError(UsageError):
    """A data set is wrong. `problems` holds one line for each thing found."""

    SHOWN = 20

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {line}" for line in self.problems[: self.SHOWN]]
        hidden = len(self.problems) - len(shown)
        if hidden > 0:
            shown.append(f"  ... and {hidden} more")
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the data; nothing was called:"
        super().__init__("\n".join([head, *shown]))


class MissingKeyError(UsageError):
    """A provider needs an API key, and none is set."""


class StopRun(RmjudgeError):
    """The run cannot go on. Every answer already delivered is kept."""

    exit_code = 3


class ProviderStopped(StopRun):
    """The provider refused for good (key, quota, model, redirect) or cannot be reached."""


class ModelRefused(ProviderStopped):
    """A local model was loaded and would give no right number; the same command fails again."""

    exit_code = 2


class NoVerdicts(StopRun):
    """Not one of a judge's first replies holds a verdict: the others would be bought in vain."""


class BudgetReached(StopRun):
    """The next call could cost more than the user allows."""


class BatchesUnderWay(StopRun):
    """Calls are in batches of a vendor that are not done; the same command collects them."""


class StorageStopped(StopRun):
    """The cache or the results folder cannot be written (disk full, read-only)."""


class Interrupted(StopRun):
    """The user or the system asked the run to stop."""

    exit_code = 130
