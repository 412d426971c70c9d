"""The words of each command, one module a command.

They import nothing heavy: `--help` must be instant. A module's `add` names the handler, the
function of `rmjudge.cli.<module>` that is imported and called when the command is given.
"""

from __future__ import annotations

from rmjudge.cli.arguments import (
    cache,
    compare,
    correlate,
    data,
    importing,
    leaderboard,
    providers,
    readings,
    reparse,
    report,
    run,
    show,
    style,
)

ALL = (
    *(run, report, show, compare, style, correlate, leaderboard, readings),
    *(importing, reparse, data, cache, providers),
)
"""In the order of `--help`."""
