"""`rmjudge` as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import imported

AT_START = ("PYTHON", "LANG", "LC_")
"""Variables that Python reads when it starts."""


class Cli:
    """`rmjudge` as a user starts it: a process in `home`, with nothing else in its environment."""

    command = Path(sys.executable).with_name("rmjudge")

    def __init__(self, home: Path) -> None:
        self.home = home

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of a bare login, and these."""
        home, kept = str(self.home), str(self.home / ".cache")
        bare = {"PATH": os.environ["PATH"], "HOME": home, "XDG_CACHE_HOME": kept}
        return {**bare, "LANG": "C.UTF-8", **variables}

    def start(self, *words: object, **variables: str) -> subprocess.Popen[str]:
        """Start a command; its output goes to pipes."""
        return subprocess.Popen(
            [self.command, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
            env=self.environment(**variables),
            text=True,
        )

    def __call__(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [str(self.command), *map(str, words)]
        environment = self.environment(**variables)
        if sys.platform == "linux" and not any(name.startswith(AT_START) for name in variables):
            code, out, err = imported.run(command, self.home, environment)
            return subprocess.CompletedProcess(command, code, out, err)
        with self.start(*words, **variables) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def json(self, path: str) -> Any:
        """A JSON file below home."""
        return json.loads((self.home / path).read_text("utf-8"))

    def results(self, folder: str) -> dict[str, bytes]:
        """The files of a run that are equal for equal runs, by their path in its folder."""
        root = self.home / folder
        files = [*root.rglob("metrics.json"), *root.rglob("results.jsonl")]
        return {str(path.relative_to(root)): path.read_bytes() for path in files}
