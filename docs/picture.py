"""Draw `report.svg`, the README's picture: the end of `make demo`, as a terminal shows it.

Run it after `make demo`: `.venv/bin/python docs/picture.py`. `report.png` is the top of its page:

    rmjudge report runs/demo --html demo.html
    chromium --headless --window-size=1265,1345 --screenshot=docs/report.png demo.html
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.text import Text

import rmjudge

WIDTH = 100


def main() -> None:
    """Render the demo run's tables into a file beside this one."""
    run = rmjudge.load("runs/demo")
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ rmjudge run baseline/length baseline/markdown baseline/random"))
    console.print(run)
    console.save_svg(str(Path(__file__).parent / "report.svg"), title="rmjudge")


if __name__ == "__main__":
    main()
