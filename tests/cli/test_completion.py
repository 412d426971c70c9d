"""What a shell completes after it has read our script."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli

WORDS = {
    ("",): {"run", "report", "data", "completion"},
    ("run", "--max-"): {"--max-cost", "--max-cost-total", "--max-calls", "--max-tokens"},
    ("run", "--dtype", ""): {"float32", "bfloat16"},
    ("cache", ""): {"info", "verify", "export", "import"},
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("words", WORDS)
def test_bash_completes_commands_options_and_choices(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("completion", "bash")
    assert (done.returncode, done.stderr) == (0, "")
    line = " ".join(f"'{word}'" for word in ("rmjudge", *words))
    asked = (
        f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
        f"_shtab_rmjudge rmjudge '{words[-1]}' ''; printf '%s\n' \"${{COMPREPLY[@]}}\""
    )
    shell = subprocess.run(
        [shutil.which("bash") or "bash", "-c", f"{done.stdout}\n{asked}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert WORDS[words] <= set(shell.stdout.split())


def test_a_shell_that_there_is_no_script_for_is_refused(cli: Cli) -> None:
    done = cli("completion", "fish")
    assert done.returncode == 2
    assert "invalid choice: 'fish'" in done.stderr
