"""Draw `report.svg`, the README's picture: a judge beside the length line, as a terminal shows it.

Run it after `make demo-judge`: `.venv/bin/python docs/picture.py`. `report.png` is the top of
the page of `make demo`:

    rmjudge report runs/demo --html demo.html
    chromium --headless --window-size=1265,1345 --screenshot=docs/report.png demo.html
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = ["rmjudge", "report", "runs/demo-judge"]
FOLLOWS = "What each scorer did"


def main() -> None:
    """Print the first tables of the run's report into a file beside this one."""
    shown = subprocess.run(
        [str(Path(sys.executable).with_name(COMMAND[0])), *COMMAND[1:]],
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {' '.join(COMMAND)}"))
    for line in shown.splitlines():
        if FOLLOWS in line:
            break
        console.print(Text.from_ansi(line))
    console.save_svg(str(Path(__file__).parent / "report.svg"), title="rmjudge")


if __name__ == "__main__":
    main()
