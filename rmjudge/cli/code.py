"""What commands share that run code: the sandbox that was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from rmjudge.sandbox.programs import Sandbox


def sandbox_for(arguments: argparse.Namespace, languages: AbstractSet[str]) -> Sandbox | None:
    """The sandbox, opened and tried; None where there is no code to run.

    Raises:
        UsageError: it does not work here, or is missing.
    """
    from rmjudge.sandbox.choosing import open_sandbox

    untrusted = arguments.yes_run_untrusted_code
    if untrusted and arguments.sandbox != "none":
        raise UsageError("--yes-run-untrusted-code goes with --sandbox none alone")
    if not languages:
        return None
    return open_sandbox(arguments.sandbox, languages, untrusted=untrusted)
