"""A file that must be in memory as a whole: a page of Markdown or HTML. One that is too large is counted and left."""

from __future__ import annotations

from collections.abc import Iterator

from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable, read_blocks
from mothertongue.corpus.readers.text import decode


def read_bytes(path: Readable, reading: Reading) -> bytes | None:
    """The bytes of a page; None, and the reason `page-too-large`, above `max_page_megabytes`."""
    parts, left = list[bytes](), reading.config.max_page_megabytes << 20
    for block in read_blocks(path, advance=reading.advance):
        left -= len(block)
        if left < 0:
            reading.drop("page-too-large", path.name, parts[0][:1000].decode("utf-8", "replace") if parts else "")
            return None
        parts.append(block)
    return b"".join(parts)


def read_page(path: Readable, reading: Reading) -> Iterator[str]:
    """The characters of a page, if it is not too large."""
    data = read_bytes(path, reading)
    if data is not None:
        yield "".join(decode(iter([data]), encoding=reading.source.encoding, where=path))
