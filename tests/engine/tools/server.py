"""A real web server on this PC that misbehaves as asked: cuts connections, knows or ignores ranges, answers badly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves ``content``; ``cuts`` are the lengths after which the next answers break, ``status`` a bad answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = b""
        self.tag = '"one"'
        self.cuts: list[int] = []
        self.status: list[int] = []
        self.ranges = True
        self.length = True
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Where the content is."""
        return f"http://127.0.0.1:{self.server_address[1]}/kit-1.0.zip"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append((wanted, self.headers.get("If-Range", "")))
        if server.status:
            self.send_error(server.status.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-") or 0)
        same = self.headers.get("If-Range", "") == server.tag
        if wanted and same and server.ranges:
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        else:
            start = 0
            self.send_response(200)
        body = server.content[start:]
        if server.tag:
            self.send_header("ETag", server.tag)
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.cuts:
            body = body[: server.cuts.pop(0)]
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.send_error(407)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs until the end of the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
