"""A web site that looks like the one of Wikimedia's dumps, on this machine only, and misbehaves when it is told."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .localserver import local_server

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """Pages by path; `moods[path]` are answers that come before the page, one for each request."""

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    moods: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ranges: bool = True
    open_now: int = 0
    most_open: int = 0

    def asked(self, part: str) -> list[dict[str, str]]:
        """The headers of the requests for paths with `part` in them."""
        return [headers for path, headers in self.requests if part in path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def setup(self) -> None:
        super().setup()
        self.site.open_now += 1
        self.site.most_open = max(self.site.most_open, self.site.open_now)

    def finish(self) -> None:
        super().finish()
        self.site.open_now -= 1

    def do_GET(self) -> None:
        self.site.requests.append((self.path, dict(self.headers)))
        mood = self.site.moods.get(self.path)
        if mood:
            mood.pop(0)(self)
        elif self.path not in self.site.pages:
            self.answer(404, b"not here")
        else:
            self.page(self.site.pages[self.path])

    def page(self, body: bytes) -> None:
        asked = self.headers.get("Range", "")
        if not (asked and self.site.ranges):
            return self.answer(200, body)
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            return self.answer(416, b"")
        return self.answer(206, body[start:], {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return None


@contextmanager
def serve() -> Iterator[Site]:
    """The site, as long as the context lasts."""
    site = Site()

    class Handler(_Handler):
        pass

    Handler.site = site
    with local_server(Handler) as site.url:
        yield site


# Moods


def failing(status: int, **headers: str) -> Answer:
    """An error; `Retry_After="1"` becomes a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(status, b"busy", named)  # type: ignore[attr-defined]


def cut(body: bytes, after: int) -> Answer:
    """The connection breaks after so many bytes of what was asked for."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.end_headers()
        handler.wfile.write(body[start : start + after])
        handler.wfile.flush()
        handler.close_connection = True

    return answer


def leading_to(place: str) -> Answer:
    """A redirect."""
    return lambda handler: handler.answer(302, b"", {"Location": place})  # type: ignore[attr-defined]


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Bytes until the client hangs up."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(bytes(1 << 16))


# What is on the site

SITEINFO = {
    "query": {
        "namespaces": {"0": {"id": 0, "*": "", "content": ""}, "6": {"id": 6, "*": "Soubor"}},
        "namespacealiases": [{"id": 6, "*": "Obr"}],
        "magicwords": [{"name": "redirect", "aliases": ["#PŘESMĚRUJ", "#REDIRECT"]}],
    }
}


def multistream(head: str, streams: Sequence[str], tail: str = "</mediawiki>\n") -> tuple[bytes, bytes]:
    """A dump and its index; each stream is the XML of some pages, with ids and titles found by their tags."""
    packed, index = bz2.compress(head.encode()), ""
    for stream in streams:
        for page in stream.split("<page>")[1:]:
            title, number = page.split("<title>")[1].split("</title>")[0], page.split("<id>")[1].split("</id>")[0]
            index += f"{len(packed)}:{number}:{title}\n"
        packed += bz2.compress(stream.encode())
    return packed + bz2.compress(tail.encode()), bz2.compress(index.encode())


def put_dump(
    site: Site, wiki: str, date: str, files: dict[str, bytes], *, status: str = "done", sha1: bool = True
) -> None:
    """Publish a dump whose files are called `WIKI-DATE-` and the keys of `files`."""
    named = {f"{wiki}-{date}-{name}": body for name, body in files.items()}
    entries = {
        name: {"size": len(body), "url": f"/{wiki}/{date}/{name}"}
        | ({"sha1": hashlib.sha1(body).hexdigest()} if sha1 else {})
        for name, body in named.items()
    }
    articles = {name: entry for name, entry in entries.items() if "siteinfo" not in name}
    jobs = {
        "articlesmultistreamdump": {"status": status, "files": articles},
        "namespaces": {"status": "done", "files": {n: e for n, e in entries.items() if n not in articles}},
        "metahistory7zdump": {"status": "waiting"},
    }
    site.pages |= {f"/{wiki}/{date}/{name}": body for name, body in named.items()}
    site.pages[f"/{wiki}/{date}/dumpstatus.json"] = json.dumps({"version": "0.8", "jobs": jobs}).encode()
    sums = "".join(f"{hashlib.sha1(body).hexdigest()}  {name}\n" for name, body in named.items())
    site.pages[f"/{wiki}/{date}/{wiki}-{date}-sha1sums.txt"] = sums.encode()
    dates = sorted({path.split("/")[2] for path in site.pages if path.startswith(f"/{wiki}/2")})
    links = "".join(f'<a href="{one}/">{one}/</a>\n' for one in [*dates, "latest"])
    site.pages[f"/{wiki}/"] = f'<html><a href="../">../</a>{links}</html>'.encode()
    wikis = sorted({path.split("/")[1] for path in site.pages if path.count("/") == 2})
    site.pages["/backup-index.html"] = "".join(f"<a href='{w}/{date}'>{w}</a>" for w in wikis).encode()


def standard_files(dump: bytes, index: bytes) -> dict[str, bytes]:
    """The three files that are taken, by the ends of their names."""
    return {
        "pages-articles-multistream.xml.bz2": dump,
        "pages-articles-multistream-index.txt.bz2": index,
        "siteinfo-namespaces.json.gz": gzip.compress(json.dumps(SITEINFO).encode(), mtime=0),
    }
