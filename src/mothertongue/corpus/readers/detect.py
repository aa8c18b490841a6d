"""Which reader a file takes: the source's setting, else the file's name, else what stands at its beginning.

A name that is known to hold no text (pictures, programs, office documents) is believed. Text without a telling name is
taken only where the recipe names the file: a folder may hold anything. A .txt that Chitanka has exported is known by
its tabs and by what the site wrote at its end, one that holds records of OSCAR by the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.corpus.readers.files import Readable, head_of
from mothertongue.corpus.readers.oscar import belongs_to_oscar
from mothertongue.corpus.readers.oscar_records import is_oscar
from mothertongue.corpus.readers.sfbtxt import is_export
from mothertongue.errors import SourceError

HEAD_BYTES = 1 << 16
NOTHING = "nothing"
_PACKED = r"(\.(gz|bz2|xz|zst))?$"
# dumps of large wikis are called NAME.xml-p1p41242.bz2
BY_NAME = {
    "epub": re.compile(r"\.epub$", re.I),
    "fb2": re.compile(r"\.fb2(\.(zip|gz|bz2|xz|zst))?$", re.I),
    "sfb": re.compile(r"\.(sfb(\.(zip|gz|bz2|xz|zst))?|txt\.zip)$", re.I),
    "jsonl": re.compile(r"\.(jsonl|ndjson)" + _PACKED, re.I),
    "markdown": re.compile(r"\.(md|markdown)" + _PACKED, re.I),
    "text": re.compile(r"\.(txt|text)" + _PACKED, re.I),
    "wikipedia": re.compile(r"\.xml(-p\d+p\d+[^.]*)?" + _PACKED, re.I),
    "html": re.compile(r"\.x?html?" + _PACKED, re.I),
    "csv": re.compile(r"\.csv" + _PACKED, re.I),
    "tsv": re.compile(r"\.(tsv|tab)" + _PACKED, re.I),
    "parquet": re.compile(r"\.(parquet|pq)$", re.I),
    "arrow": re.compile(r"\.(arrow|feather)$", re.I),
    "archive": re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst))$", re.I),
    "pdf": re.compile(r"\.pdf$", re.I),
    NOTHING: re.compile(
        r"\.(png|jpe?g|gif|webp|bmp|tiff?|svgz?|ico|mp[34]|og[gv]|opus|flac|wav|avi|mkv|webm|ttf|otf|woff2?|exe|dll|so|"
        r"o|a|pyc|class|jar|iso|bin|safetensors|gguf|pt|npy|npz|sqlite|db|docx?|xlsx?|pptx?|od[tsp]|rtf|ps|djvu|7z|rar)$",
        re.I,
    ),
}
# the others know better what to do with a zip
_IN_ARCHIVES = ("arrow", "csv", "html", "jsonl", "markdown", "oscar", "parquet", "text", "tsv")
_HTML = re.compile(rb"\s*+(<\?xml[^>]*>\s*+)?(?><!--.*?-->\s*+)*+(<!doctype html|<html)", re.I | re.S)
_TAR_MAGIC = (257, b"ustar")


def reader_of(path: Readable, source: Source, *, alone: bool) -> str | None:
    """The name of the reader for the file; None if neither its name nor its content says. One that stands `alone` is
    taken for text if it looks like it.
    """
    if source.path.startswith("hf:"):
        return "hub"
    if source.reader in _IN_ARCHIVES and BY_NAME["archive"].search(path.name):
        return "archive"  # the setting speaks of what is in it
    if source.reader != "auto":
        return source.reader
    named = next((reader for reader, pattern in BY_NAME.items() if pattern.search(path.name)), None)
    if named in ("text", "jsonl") and belongs_to_oscar(path):
        return "oscar"
    if named == "text" and isinstance(path, Path):
        named = "sfb" if is_export(path) else "jsonl" if _holds_oscar(path) else named
    if named is None:
        named = _by_content(path)
        named = None if named == "text" and not alone else named
    return None if named == NOTHING else named


def _by_content(path: Readable) -> str | None:
    head = head_of(path, HEAD_BYTES)
    found = next((reader for reader, test in _BY_CONTENT.items() if test(head)), None)
    return found or ("text" if head and _is_text(head) else None)


def _holds_oscar(path: Path) -> bool:
    """Whether a file that is called text begins with a record of OSCAR, unpacked and named by somebody else."""
    try:
        line = head_of(path, HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
        record = json.loads(line) if line.startswith(b'{"') else None
    except (SourceError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and is_oscar(record)


def _starts_with_object(head: bytes) -> bool:
    line, end, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return not end and line.startswith(b'{"') and len(head) == HEAD_BYTES  # a line longer than the head


def _is_text(head: bytes) -> bool:
    """No null bytes, hardly any control characters; or UTF-16 with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head[:4096])
    return b"\0" not in head and controls <= len(head[:4096]) // 100


_BY_CONTENT: dict[str, Callable[[bytes], bool]] = {
    "epub": lambda head: head[30:58] == b"mimetypeapplication/epub+zip",
    "fb2": lambda head: b"<FictionBook" in head[:2000],
    "pdf": lambda head: head.startswith(b"%PDF-"),
    "parquet": lambda head: head.startswith(b"PAR1"),
    "archive": lambda head: head.startswith(b"PK\x03\x04") or head[_TAR_MAGIC[0] :].startswith(_TAR_MAGIC[1]),
    "wikipedia": lambda head: b"<mediawiki" in head[:2000],
    "html": lambda head: _HTML.match(head[:4000]) is not None,
    "jsonl": _starts_with_object,
}
