"""Programs that nobody has read: each is held, its end is told, and nothing outside is touched."""

from __future__ import annotations

import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import lend_compiled, needs_wasm

from rmjudge.errors import UsageError
from rmjudge.sandbox.choosing import open_sandbox
from rmjudge.sandbox.programs import PLACE, Program, Sandbox, problem_of_tests
from rmjudge.sandbox.running import run_program, run_times
from rmjudge.sandbox.wasm import Wasm

needs_bwrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed"
)
TESTS = "assert double(2) == 4\nassert double(0) == 0"
RIGHT = "def double(x):\n    return 2 * x"


@pytest.fixture(scope="module", params=[pytest.param("wasm", marks=needs_wasm), "bwrap"])
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(cache))
        lend_compiled(cache, request.config)
        try:
            opened = open_sandbox(request.param, ["python"])
        except UsageError as error:
            pytest.skip(str(error))
        yield opened
        opened.close()


@pytest.fixture
def wasm_cache(home: Path, request: pytest.FixtureRequest) -> None:
    lend_compiled(home, request.config)


def end(sandbox: Sandbox, source: str, tests: str = TESTS) -> str:
    return run_program(sandbox, Program(source, tests, "python")).end


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (RIGHT, "pass"),
        ("def double(x):\n    return x + 2", "wrong-output"),
        ("def double(x):\n    assert x\n    return 2 * x", "exception"),
        ("def double(x):\n    return 2 * y", "missing-name"),
        ("import numpy\n" + RIGHT, "missing-name"),
        ("def double(x: return", "build-error"),
        ("def triple(x):\n    return 3 * x", "missing-name"),
        ("def double(x):\n    return [][x]", "exception"),
    ],
)
def test_how_a_program_ended_is_told(sandbox: Sandbox, source: str, expected: str) -> None:
    assert end(sandbox, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "raise SystemExit(0)",
        "import os\nos._exit(0)",
        "import sys\nsys.stderr.write('0123456789abcdef' * 2)\nsys.exit()",
        "import sys\nsys.stderr.write(sys.stdin.read() + str(sys.orig_argv))\nsys.exit()",
        "import sys\nsys.stderr.write(open(0).read())\nsys.exit()",
        "import os, sys\nsys.stderr.write(str(dict(os.environ)))\nos._exit(0)",
        "print('AssertionError')\nraise SystemExit(1)",
    ],
)
def test_a_program_that_ends_before_the_tests_has_passed_none(
    sandbox: Sandbox, source: str
) -> None:
    assert end(sandbox, source) == "early-end"


def test_a_program_that_does_not_end_is_ended(sandbox: Sandbox) -> None:
    assert end(sandbox, "while True: pass") == "time-limit"
    assert end(sandbox, RIGHT) == "pass"


def test_a_flood_of_output_is_cut_even_when_its_errors_are_caught(sandbox: Sandbox) -> None:
    flood = "while True:\n    try:\n        print('x' * 9999)\n    except BaseException: pass"
    assert end(sandbox, flood) == "output-limit"
    assert end(sandbox, RIGHT) == "pass"


def test_a_program_gets_so_much_memory_and_no_more(sandbox: Sandbox) -> None:
    assert end(sandbox, "x = []\nwhile True: x.append('x' * 10_000_000)") == "memory-limit"
    assert end(sandbox, RIGHT) == "pass"


def test_a_program_that_starts_others_without_end_is_held(sandbox: Sandbox) -> None:
    bomb = "import os\nwhile True: os.fork()"
    assert end(sandbox, bomb) in ("exception", "time-limit")
    assert end(sandbox, RIGHT) == "pass"


def test_a_program_reaches_no_network(sandbox: Sandbox) -> None:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = (
            "import socket\ns = socket.socket()\n"
            f"s.connect(('127.0.0.1', {server.server_port}))\ns.send(b'GET / HTTP/1.0\\n\\n')"
        )
        assert end(sandbox, source) == "exception"
        time.sleep(0.2)
        server.shutdown()
    assert asked == []


def test_a_program_reads_and_writes_no_file_of_the_machine(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a key")
    tmp_path.chmod(0o777)
    assert end(sandbox, f"open({str(secret)!r}).read()") == "exception"
    assert end(sandbox, f"open({str(tmp_path / 'mark')!r}, 'w')") == "exception"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_nothing_of_one_run_is_there_in_the_next(sandbox: Sandbox) -> None:
    source = (
        "import os\nfirst = not os.path.exists('/tmp/mark')\n"
        "try: open('/tmp/mark', 'w').close()\nexcept OSError: pass\n"
        "def double(x):\n    return 0 if first else 2 * x"
    )
    ends = run_times(sandbox, Program(source, TESTS, "python"), 3)
    assert [one.end for one in ends] == ["wrong-output"] * 3


def test_a_program_that_passes_on_the_second_run_only_is_found_out(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = (
        f"import os\nfirst = not os.path.exists({str(mark)!r})\nopen({str(mark)!r}, 'w').close()\n"
        "def double(x):\n    return 0 if first else 2 * x"
    )
    bare = open_sandbox("command=python3 -I -", ["python"])  # which keeps no program from files
    ends = run_times(bare, Program(source, TESTS, "python"), 3)
    assert [one.end for one in ends] == ["wrong-output", "pass"]


@needs_wasm
@pytest.mark.usefixtures("wasm_cache")
def test_a_program_that_sleeps_is_ended() -> None:
    sandbox = Wasm(seconds=3)
    assert end(sandbox, "import time\ntime.sleep(1000)") == "time-limit"
    assert end(sandbox, RIGHT) == "pass"
    sandbox.close()


def test_code_does_not_run_bare_unless_the_user_says_so() -> None:
    with pytest.raises(UsageError, match="--yes-run-untrusted-code"):
        open_sandbox("none", ["python"])
    assert end(open_sandbox("none", ["python"], untrusted=True), RIGHT) == "pass"


@needs_wasm
def test_another_interpreter_than_the_one_that_was_checked_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "python.wasm"
    file.write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(UsageError, match="is not the CPython"):
        open_sandbox(f"wasm={file}", ["python"])


@pytest.mark.parametrize("name", ["wasm", ""])
def test_the_sandbox_for_python_names_others_for_other_languages(name: str) -> None:
    with pytest.raises(UsageError, match="cpp name another, --sandbox: wasm"):
        open_sandbox(name, ["python", "cpp"])


def test_a_sandbox_in_which_a_right_program_fails_is_refused() -> None:
    with pytest.raises(UsageError, match="does not run python here"):
        open_sandbox("command=true", ["python"])


@needs_bwrap
def test_a_compiled_language_says_by_a_word_where_a_pass_is_printed() -> None:
    if shutil.which("g++", path="/usr/bin") is None:
        pytest.skip("no g++")
    assert PLACE in problem_of_tests("int main() {}", "cpp")
    tests = (
        '#include <cassert>\n#include <cstdio>\nint main() { assert(twice(2) == 4); puts("%s"); }'
    )
    sandbox = open_sandbox("bwrap", ["cpp"])

    def ends(source: str) -> str:
        return run_program(sandbox, Program(source, tests % PLACE, "cpp")).end

    assert ends("int twice(int x) { return 2 * x; }") == "pass"
    assert ends("int twice(int x) { return x + 1; }") == "wrong-output"
    assert ends("int twice(int x) { return 2 * x }") == "build-error"
