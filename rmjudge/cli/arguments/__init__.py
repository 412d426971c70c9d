"""The words of each command, one module a command.

They import nothing heavy: `--help` must be instant. A module's `add` names the handler, the
function of `rmjudge.cli.<module>` that is imported and called when the command is given.
"""

from __future__ import annotations

from typing import Final

MODULES: Final = {
    **{name: name for name in ("run", "report", "show", "compare", "style", "correlate")},
    **{name: name for name in ("leaderboard", "readings")},
    "import": "importing",
    **{name: name for name in ("reparse", "data", "cache", "providers")},
}
"""The module of each command, in the order of `--help`."""
