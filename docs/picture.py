"""Draw `report.svg`, the README's picture: a judge beside the length line, as a terminal shows it.

After `make demo-judge`:

    export FORCE_COLOR=1 COLUMNS=100 PATH=.venv/bin:$PATH
    rmjudge report runs/demo-judge | python docs/picture.py

`report.png` is the top of the page of `make demo`:

    rmjudge report runs/demo --html demo.html
    chromium --headless --window-size=1265,1345 --screenshot=docs/report.png demo.html
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

FOLLOWS = "What each scorer did"


def main() -> None:
    """Put the first tables of the report that is piped in into a file beside this one."""
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ rmjudge report runs/demo-judge"))
    for line in sys.stdin:
        if FOLLOWS in line:
            break
        console.print(Text.from_ansi(line.rstrip("\n")))
    console.save_svg(str(Path(__file__).parent / "report.svg"), title="rmjudge")


if __name__ == "__main__":
    main()
