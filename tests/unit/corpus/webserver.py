"""A web server on this machine that gives parts of files, and misbehaves when it is told."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .localserver import local_server


@dataclass
class Server:
    """Files by path. `cuts`: how many answers break off in the middle; `ranges`: whether parts are given at all;
    `endless`: paths that never end; `sizes`: whether it says how long a file is.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: int = 0
    ranges: bool = True
    sizes: bool = True
    endless: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state = self.server_state
        state.requests.append(f"{self.command} {self.path} {self.headers.get('Range', '')}")
        if self.path in state.endless:
            return self._endless()
        if self.path not in state.files:
            self.send_error(404)
            return None
        body = state.files[self.path]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = 0, len(body)
        if asked and state.ranges:
            start, end = int(asked[1]), min(len(body), int(asked[2] or len(body)) + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        else:
            self.send_response(200)
        part = body[start:end]
        self.send_header("ETag", hashlib.md5(body, usedforsecurity=False).hexdigest())
        if state.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if state.sizes:
            self.send_header("Content-Length", str(len(part)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return None
        if state.cuts:
            state.cuts -= 1
            part = part[: len(part) // 2]
            self.close_connection = True
        self.wfile.write(part)
        return None

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while self.command == "GET":
            self.wfile.write(b"dal a dal\n" * 10_000)

    def log_message(self, format: str, *args: Any) -> None:
        return None


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """The server, as long as the context lasts."""
    state = Server(**settings)

    class Handler(_Handler):
        server_state = state

    with local_server(Handler) as state.url:
        yield state
