"""Downloading the benchmark: once, verified, from a real server; every failure in one line."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rmjudge.dataset import download
from rmjudge.dataset.download import BLOB_ID, git_blob_id, rm_bench
from rmjudge.errors import UsageError

CONTENT = b'[{"id": 1}]'
ADVICE = "get total_dataset.json from https://github.com/THU-KEG/RM-Bench and pass --data PATH"


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


PIECE = 500_000
"""Bytes that the server sends at once, before its pause."""

GOOD = blob_id(CONTENT)


@dataclass
class Web:
    """A server on this machine: what it answers next, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = CONTENT
    pause_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    encodings: list[str | None] = field(default_factory=list)


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is part of these tests."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.encodings.append(self.headers["accept-encoding"])
            self.send_response(state.status)
            headers = {"content-length": str(len(state.body)), **state.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for start in range(0, len(state.body), PIECE):
                self.wfile.write(state.body[start : start + PIECE])
                time.sleep(state.pause_s)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    with QuietServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/data"
        monkeypatch.setenv("RMJUDGE_RM_BENCH_URL", state.url)
        yield state
        server.shutdown()
        thread.join()


def failure_of(folder: Path) -> str:
    """Download in vain; the message is one line, says what to do, and leaves nothing behind."""
    with pytest.raises(UsageError) as caught:
        rm_bench(folder, blob_id=GOOD)
    message = str(caught.value)
    assert message.isprintable()
    assert message.endswith(f"; {ADVICE}")
    assert not folder.is_dir() or list(folder.iterdir()) == []
    return message.removesuffix(f"; {ADVICE}")


def test_a_blob_id_is_the_one_that_git_gives(tmp_path: Path) -> None:
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert git_blob_id(tmp_path / "hello") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_the_file_is_downloaded_into_the_folder(web: Web, tmp_path: Path) -> None:
    path = rm_bench(tmp_path / "new" / "cache", blob_id=GOOD)
    assert path.read_bytes() == CONTENT
    assert web.asked == ["/data/total_dataset.json"]
    assert list(path.parent.iterdir()) == [path]


def test_a_slash_at_the_end_of_the_address_is_no_difference(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMJUDGE_RM_BENCH_URL", f"{web.url}/")
    rm_bench(tmp_path, blob_id=GOOD)
    assert web.asked == ["/data/total_dataset.json"]


def test_a_kept_file_is_not_downloaded_again(web: Web, tmp_path: Path) -> None:
    told: list[str] = []
    assert rm_bench(tmp_path, told.append, blob_id=GOOD) == rm_bench(
        tmp_path, told.append, blob_id=GOOD
    )
    assert len(web.asked) == 1
    assert len(told) == 1
    assert told[0].startswith("downloading RM-Bench")


def test_a_damaged_kept_file_is_set_aside_and_downloaded_again(web: Web, tmp_path: Path) -> None:
    path = rm_bench(tmp_path, blob_id=GOOD)
    for damage in (b"first", b"second"):
        path.write_bytes(damage)
        told: list[str] = []
        assert rm_bench(tmp_path, told.append, blob_id=GOOD).read_bytes() == CONTENT
        assert "is damaged" in told[0]
    assert len(web.asked) == 3
    kept = sorted(other.read_bytes() for other in tmp_path.iterdir())
    assert kept == sorted([CONTENT, b"first", b"second"])


@pytest.mark.usefixtures("web")
def test_a_folder_in_the_place_of_the_file_is_set_aside(tmp_path: Path) -> None:
    path = rm_bench(tmp_path, blob_id=GOOD)
    path.unlink()
    path.mkdir()
    assert rm_bench(tmp_path, blob_id=GOOD).read_bytes() == CONTENT


@pytest.mark.usefixtures("web")
def test_without_an_argument_the_users_cache_folder_keeps_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    path = rm_bench(blob_id=GOOD)
    assert path.is_relative_to(tmp_path)
    assert path.parent.name == "data"
    assert path.parent.parent.name == "rmjudge"


@pytest.mark.parametrize("status", [301, 302, 403, 404, 429, 500, 503])
def test_any_answer_but_200_is_told(web: Web, tmp_path: Path, status: int) -> None:
    web.status = status
    web.headers["location"] = f"{web.url}/elsewhere"
    assert failure_of(tmp_path) == (
        f"rm-bench could not be downloaded (the server answered {status})"
    )
    assert len(web.asked) == 1


def test_another_file_than_the_published_one_is_refused(web: Web, tmp_path: Path) -> None:
    web.body = b'[{"id": 2}]'
    told = failure_of(tmp_path)
    assert told == (
        "rm-bench: what was downloaded is not the published file "
        f"(git blob {blob_id(web.body)[:12]})"
    )


def test_the_published_blob_id_is_the_default(web: Web, tmp_path: Path) -> None:
    assert BLOB_ID == "75d9c1eab827fa32bfb684fc6554f96dee69f66a"
    with pytest.raises(UsageError, match="not the published file"):
        rm_bench(tmp_path)
    assert web.asked == ["/data/total_dataset.json"]


def test_a_body_that_breaks_off_is_told(web: Web, tmp_path: Path) -> None:
    web.headers["content-length"] = "1000"
    assert failure_of(tmp_path).startswith(
        "rm-bench could not be downloaded (RemoteProtocolError: peer closed connection"
    )


def test_a_body_over_the_cap_is_cut_off(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    web.body = b"x" * 1_000_000
    assert failure_of(tmp_path) == (
        "rm-bench could not be downloaded (the server sent more than 1,000 bytes)"
    )


def test_a_download_that_takes_too_long_is_given_up(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "DEADLINE_S", 0.1)
    web.body = b"x" * (20 * PIECE)
    web.pause_s = 0.06
    assert failure_of(tmp_path).startswith("rm-bench could not be downloaded (it took longer")


def test_the_file_is_asked_for_uncompressed_so_that_it_cannot_unpack_to_a_bomb(
    web: Web, tmp_path: Path
) -> None:
    rm_bench(tmp_path, blob_id=GOOD)
    assert web.encodings == ["identity"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "ftp://127.0.0.1",
        "no address",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://nowhere.invalid",
    ],
)
def test_an_address_that_leads_nowhere_is_told(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("RMJUDGE_RM_BENCH_URL", url)
    assert failure_of(tmp_path).startswith("rm-bench could not be downloaded (")
    assert web.asked == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_PROXY", "gopher://127.0.0.1:1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
    ],
)
def test_a_proxy_that_does_not_work_is_told(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert failure_of(tmp_path).startswith("rm-bench could not be downloaded (")
    assert web.asked == []


def test_a_cache_folder_that_cannot_be_made_is_told(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert failure_of(tmp_path / "file" / "cache") == (
        f"rm-bench cannot be kept in {tmp_path / 'file' / 'cache'} (Not a directory)"
    )
    assert web.asked == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.usefixtures("web")
def test_a_cache_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert failure_of(tmp_path) == f"rm-bench cannot be kept in {tmp_path} (Permission denied)"


def test_two_downloads_at_once_both_give_the_whole_file(web: Web, tmp_path: Path) -> None:
    web.body = b"x" * 3_000_000
    wanted = blob_id(web.body)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(rm_bench(tmp_path, blob_id=wanted)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert list(tmp_path.iterdir()) == [found[0]]
    assert git_blob_id(found[0]) == wanted
