"""A page served to this machine alone: on loopback, below a random path, to its own names."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError

HOST: Final = "127.0.0.1"
NAMES: Final = (HOST, "localhost")
"""What a browser may call this machine: another name is a page of the network that points here."""
SILENCE_S: Final = 30.0
MOST_BYTES: Final = 1 << 20
"""Of a posted object."""
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


_REFUSAL: Final = (
    HTTPStatus.FORBIDDEN,
    "text/plain",
    b"403: open the address that rmjudge printed\n",
)


class PageServer(ThreadingHTTPServer):
    """Serves a page at `address`, and what belongs to it below; everything else is refused."""

    daemon_threads = True

    def __init__(
        self,
        port: int,
        page: Callable[[], str],
        state: Callable[[], dict[str, Json]] | None = None,
        take: Callable[[dict[str, Json]], dict[str, Json]] | None = None,
    ) -> None:
        """Listen on a port; 0 takes a free one.

        `state` answers a GET of `state` below the page; `take` an object that the page posts to
        `take`, one at a time.

        Raises:
            UsageError: another program has the port.
        """
        self.token: Final = secrets.token_urlsafe(16)
        self.answers: Final[dict[str, tuple[str, Callable[[], str]]]] = {
            "": ("text/html", page),
        }
        if state is not None:
            self.answers["state"] = ("application/json", lambda: json.dumps(state()))
        self.take: Final = take
        self.taking: Final = threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be used ({error.strerror}); --port 0 finds a free one"
            ) from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""


class _Handler(BaseHTTPRequestHandler):
    """One request. Whoever does not know the token learns nothing, not even what exists."""

    server: PageServer
    timeout = SILENCE_S

    def do_GET(self) -> None:
        """Answer with the page or its state."""
        self._answer(self.wfile.write)

    def do_HEAD(self) -> None:
        """Answer as GET, without the body."""
        self._answer(lambda _body: None)

    def do_POST(self) -> None:
        """Hand the posted object over, and answer with what becomes of it."""
        if self.server.take is None:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)
            return
        self._send(*self._taken(self.server.take), self.wfile.write)

    def _answer(self, write: Callable[[bytes], object]) -> None:
        self._send(*self._found(), write)

    def _send(
        self, status: HTTPStatus, kind: str, body: bytes, write: Callable[[bytes], object]
    ) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        write(body)

    def _found(self) -> tuple[HTTPStatus, str, bytes]:
        name = self._name()
        if name is None:
            return _REFUSAL
        if name not in self.server.answers:
            return HTTPStatus.NOT_FOUND, "text/plain", b"404: there is nothing here\n"
        kind, answer = self.server.answers[name]
        return HTTPStatus.OK, kind, answer().encode("utf-8")

    def _taken(
        self, take: Callable[[dict[str, Json]], dict[str, Json]]
    ) -> tuple[HTTPStatus, str, bytes]:
        self.close_connection = True  # what is not read of a body is no request
        # A form of another page cannot send JSON without asking first, and nothing answers that.
        json_sent = self.headers.get_content_type() == "application/json"
        if self._name() != "take" or not json_sent:
            return _REFUSAL
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return HTTPStatus.BAD_REQUEST, "text/plain", b"400: an object is expected\n"
        try:
            given = json.loads(self.rfile.read(int(length)))
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return HTTPStatus.BAD_REQUEST, "text/plain", b"400: an object is expected\n"
        with self.server.taking:
            told = json.dumps(take(given))
        return HTTPStatus.OK, "application/json", told.encode("utf-8")

    def _name(self) -> str | None:
        """What is asked for below the page; None of whoever does not know the token."""
        host, _, port = self.headers.get("Host", "").rpartition(":")
        token, slash, name = self.path.partition("?")[0].lstrip("/").partition("/")
        # In bytes: compare_digest takes no text beyond ASCII.
        known = secrets.compare_digest(token.encode("utf-8"), self.server.token.encode("ascii"))
        if host not in NAMES or port != str(self.server.server_port) or not known or not slash:
            return None
        return name

    def version_string(self) -> str:
        """Tell no versions."""
        return "rmjudge"

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the terminal quiet: the path holds the token."""
