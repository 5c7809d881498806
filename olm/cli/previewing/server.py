"""The server of ``olm preview``: pages for one reader on this machine, and nothing else."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from olm.cli.previewing.watching import version, wait

if TYPE_CHECKING:
    from olm.cli.previewing.preview import Preview, Values

PATIENCE = 20.0
"""How long a request waits for a change of the files, in seconds."""

HOST = "127.0.0.1"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'unsafe-inline'",
        "connect-src 'self'",
        "img-src data:",
    )
)
"""What the page may load: its own scripts, and answers of its own server."""


class Server(ThreadingHTTPServer):
    """The pages of a preview on a port of this machine, at an address that cannot be guessed.

    Args:
        preview: what the pages show.
        port: the port; 0 for any that is free.
    """

    daemon_threads = True

    def __init__(self, preview: Preview, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.preview = preview
        self.token = secrets.token_urlsafe(16)

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def hosts(self) -> set[str]:
        """The names by which a browser on this machine may call the server."""
        return {f"{name}:{self.server_port}" for name in (HOST, "localhost")}


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "olm", ""

    def do_GET(self) -> None:
        """Answer with one of the pages."""
        parts = urlsplit(self.path)
        token, _, name = parts.path.removeprefix("/").partition("/")
        # A page of another site could ask by a name of its own that leads to this machine.
        if self.headers.get("Host") not in self.server.hosts():
            self._refuse(HTTPStatus.FORBIDDEN)
        elif (
            not secrets.compare_digest(token.encode(), self.server.token.encode())
            or (answer := _ANSWERS.get(name)) is None
        ):
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            form, text = answer(self.server, parse_qsl(parts.query, keep_blank_values=True))
            self._send(HTTPStatus.OK, form, text)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the terminal is the user's."""

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(status, "text/plain", f"{status.phrase}\n")

    def _send(self, status: HTTPStatus, form: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{form}; charset=utf-8"),
            ("Content-Length", str(len(data))),
            ("Content-Security-Policy", POLICY),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


Query = list[tuple[str, str]]


def _page(server: Server, query: Query) -> tuple[str, str]:
    from olm.drawing.html import live_page

    now = version(server.preview.paths)
    shown = server.preview.shown({})
    texts = escape("---\n".join(shown.texts))
    return "text/html", live_page(
        " and ".join(server.preview.paths), shown.html, shown.sliders, texts, now
    )


def _script(name: str) -> Any:
    def answer(server: Server, query: Query) -> tuple[str, str]:
        from olm.drawing.html import asset

        return "text/javascript", asset(name)

    return answer


def _draw(server: Server, query: Query) -> tuple[str, str]:
    return "application/json", json.dumps(asdict(server.preview.shown(_values(query))))


def _changes(server: Server, query: Query) -> tuple[str, str]:
    since = dict(query).get("since", "")
    now = wait(server.preview.paths, since, PATIENCE)
    return "application/json", json.dumps({"version": now})


def _values(query: Query) -> Values:
    """The numbers of the sliders in a request, such as `0:warmup_steps=100`."""
    found: dict[int, dict[str, str]] = {}
    for name, value in query:
        file, _, path = name.partition(":")
        if file.isdecimal() and len(file) < 4:
            found.setdefault(int(file), {})[path] = value
    return found


_ANSWERS: Mapping[str, Any] = {
    "": _page,
    "page.js": _script("page.js"),
    "preview.js": _script("preview.js"),
    "draw": _draw,
    "changes": _changes,
}
"""The pages by their names."""
