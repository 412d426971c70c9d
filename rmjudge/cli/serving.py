"""A page served to this machine alone: on loopback, below a random path, to its own names."""

from __future__ import annotations

import json
import secrets
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
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer(ThreadingHTTPServer):
    """Serves `page` at `address`, and `state` (JSON) below it; everything else is refused."""

    daemon_threads = True

    def __init__(
        self, port: int, page: Callable[[], str], state: Callable[[], dict[str, Json]]
    ) -> None:
        """Listen on a port; 0 takes a free one.

        Raises:
            UsageError: another program has the port.
        """
        self.token: Final = secrets.token_urlsafe(16)
        self.answers: Final[dict[str, tuple[str, Callable[[], str]]]] = {
            "": ("text/html", page),
            "state": ("application/json", lambda: json.dumps(state())),
        }
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

    def _answer(self, write: Callable[[bytes], object]) -> None:
        status, kind, body = self._found()
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        write(body)

    def _found(self) -> tuple[HTTPStatus, str, bytes]:
        host, _, port = self.headers.get("Host", "").rpartition(":")
        token, slash, name = self.path.partition("?")[0].lstrip("/").partition("/")
        # In bytes: compare_digest takes no text beyond ASCII.
        known = secrets.compare_digest(token.encode("utf-8"), self.server.token.encode("ascii"))
        if host not in NAMES or port != str(self.server.server_port) or not known or not slash:
            refusal = b"403: open the address that `rmjudge view` printed\n"
            return HTTPStatus.FORBIDDEN, "text/plain", refusal
        if name not in self.server.answers:
            return HTTPStatus.NOT_FOUND, "text/plain", b"404: there is nothing here\n"
        kind, answer = self.server.answers[name]
        return HTTPStatus.OK, kind, answer().encode("utf-8")

    def version_string(self) -> str:
        """Tell no versions."""
        return "rmjudge"

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the terminal quiet: the path holds the token."""
