"""Programs in processes of their own: bubblewrap, Docker, Podman, a command, or nothing at all.

The source goes in by standard input. What comes out is cut at a limit and never shown as it is.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

from rmjudge.errors import UsageError
from rmjudge.sandbox.programs import LANGUAGES, Captured

SECONDS: Final = 20
CPU_SECONDS: Final = 15
MEMORY: Final = 1 << 30
FILES: Final = 64 << 20
OUTPUT: Final = 1 << 20
PROCESSES: Final = 64
NOBODY: Final = 65534
_TEXT: Final = 64 << 10
"""Characters of an output's end that are read."""
_INSIDE: Final = (
    *(
        "prlimit",
        f"--nproc={PROCESSES}",
        f"--data={MEMORY}",
        f"--cpu={CPU_SECONDS}:{CPU_SECONDS + 1}",
    ),
    *(f"--fsize={FILES}", "--nofile=64", "--core=0"),
)


class Bubblewrap:
    """No network, /usr read-only, an empty /tmp, no environment; as root, another user."""

    name = "bwrap"

    def __init__(self) -> None:
        """Find what is needed.

        Raises:
            UsageError: it is not there.
        """
        _need("bwrap", "prlimit")
        # A limit on processes does not bind root, so root is left first.
        dropped = hasattr(os, "geteuid") and os.geteuid() == 0
        if dropped:
            _need("setpriv")
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        # Debian's Java reads its settings there; nothing else of /etc is seen.
        java = [str(folder) for folder in Path("/etc").glob("java-*-openjdk")]
        self._before = (
            *(drop if dropped else ()),
            *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
            *("--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--ro-bind", "/usr", "/usr"),
            *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
            *("--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev"),
            *("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
            *(word for folder in java for word in ("--ro-bind", folder, folder)),
            *("--size", str(FILES), "--tmpfs", "/tmp", "--chdir", "/tmp"),  # noqa: S108, inside
            *_INSIDE,
        )

    def run(self, source: str, language: str) -> Captured:
        """Run one source text."""
        script = LANGUAGES[language].script
        return capture([*self._before, "sh", "-c", script], source)

    def close(self) -> None:
        """Nothing is held."""


class Container:
    """Docker or Podman: a container a program, removed after it."""

    def __init__(self, engine: str, image: str = "") -> None:
        """Find the engine.

        Raises:
            UsageError: it is not there.
        """
        _need(engine)
        self.name = f"{engine}={image}" if image else engine
        self._engine, self._image = engine, image

    def run(self, source: str, language: str) -> Captured:
        """Run one source text."""
        about = LANGUAGES[language]
        name = f"rmjudge-{secrets.token_hex(8)}"
        words = [
            *(self._engine, "run", "--rm", "--interactive", "--name", name, "--network", "none"),
            *("--read-only", "--tmpfs", f"/tmp:exec,size={FILES}", "--workdir", "/tmp"),  # noqa: S108
            *("--memory", str(MEMORY), "--memory-swap", str(MEMORY), "--cpus", "1"),
            *("--pids-limit", str(PROCESSES), "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--user", f"{NOBODY}:{NOBODY}"),
            *("--pull", "never", self._image or about.image, "sh", "-c", about.script),
        ]

        def remove() -> None:
            subprocess.run(  # noqa: S603, a name of our own
                [self._engine, "rm", "--force", name], capture_output=True, check=False
            )

        return capture(words, source, after=remove, bare=False)

    def close(self) -> None:
        """Nothing is held."""


class Command:
    """A command of the user's: `{file}` is the program's file; without it, standard input is."""

    def __init__(self, template: str) -> None:
        """Read the template.

        Raises:
            UsageError: it is no command.
        """
        try:
            self._words = shlex.split(template)
        except ValueError as error:
            raise UsageError(f"--sandbox command: {error}") from error
        if not self._words:
            raise UsageError("--sandbox command=TEMPLATE: the template is empty")
        _need(self._words[0])
        self.name = f"command={template}"

    def run(self, source: str, language: str) -> Captured:
        """Run one source text."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"main{LANGUAGES[language].suffix}")
            file.write_text(source, "utf-8")
            words = [
                word.replace("{file}", str(file)).replace("{language}", language)
                for word in self._words
            ]
            return capture(words, source, bare=False)

    def close(self) -> None:
        """Nothing is held."""


class Bare:
    """No sandbox: the program can do what the user can."""

    name = "none"

    def run(self, source: str, language: str) -> Captured:
        """Run one source text in an empty folder."""
        with tempfile.TemporaryDirectory() as folder:
            script = LANGUAGES[language].script.replace("cd /tmp", f"cd {shlex.quote(folder)}")
            return capture(["sh", "-c", script], source, folder=folder)

    def close(self) -> None:
        """Nothing is held."""


def _need(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            raise UsageError(f"the sandbox needs `{command}`, which is not installed")


class _Reader(threading.Thread):
    """Reads an output to its end, keeps the end of it, and tells of a flood."""

    def __init__(self, stream: IO[bytes], flood: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.stream, self.flood = stream, flood
        self.size, self.kept = 0, b""
        self.start()

    def run(self) -> None:
        """Read."""
        while data := self.stream.read1(1 << 16):  # type: ignore[attr-defined]
            self.size += len(data)
            self.kept = (self.kept + data)[-_TEXT:]
            if self.size > OUTPUT:
                self.flood()
                return

    def text(self) -> str:
        """The end of it."""
        return self.kept.decode(errors="replace")


def capture(
    words: Sequence[str],
    source: str,
    *,
    folder: str | None = None,
    after: Callable[[], None] = lambda: None,
    bare: bool = True,
) -> Captured:
    """Run a command on a source text, in a group of processes that is ended with it.

    Without `bare` the command keeps the user's environment, which Docker needs.
    """
    path = {"PATH": os.environ.get("PATH", os.defpath)}
    with subprocess.Popen(  # noqa: S603, the sandbox
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=path if bare else None,
        start_new_session=True,
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018, pipes
        out = _Reader(process.stdout, lambda: _end(process))
        told = _Reader(process.stderr, lambda: _end(process))
        feeding = threading.Thread(target=_feed, args=(process.stdin, source), daemon=True)
        feeding.start()
        try:
            status: int | None = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)  # and what it left behind in its group
            after()
        for thread in (out, told, feeding):
            thread.join(SECONDS)
    if max(out.size, told.size) > OUTPUT:
        return Captured(None, limit="output-limit")
    if status is None or status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return Captured(None, out.text(), told.text(), "time-limit")
    if status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):  # the kernel, for processor time
        return Captured(None, out.text(), told.text(), "time-limit")
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):  # the kernel, for memory
        return Captured(None, out.text(), told.text(), "memory-limit")
    return Captured(status, out.text(), told.text())


def _feed(stream: IO[bytes], source: str) -> None:
    try:
        stream.write(source.encode())
        stream.close()
    except OSError:  # the program did not read it
        pass


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
