"""HTML pages: their main text, without menus, footers and advertisements, as trafilatura finds it.

Trafilatura (Barbaresi 2021, ACL demo) is what the field measures others by; with lxml it comes as the extra `web`.
The page's own declaration decides how its bytes are read, unless the source sets an encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

from mothertongue.corpus.document import Document
from mothertongue.corpus.extras import need
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readers.pages import read_bytes
from mothertongue.corpus.readers.tags import has_endless_tag
from mothertongue.corpus.readers.text import decode, split_text

_MAX_TAGS = 1 << 20  # trafilatura keeps several trees of a page
_META = ("title", "author", "url")


def read_html(path: Readable, reading: Reading) -> Iterator[Document]:
    """The main text of one page; a page without any is counted as `no-text`."""
    trafilatura = need("trafilatura", extra="web", to="read HTML")
    data = read_bytes(path, reading)
    if data is None:
        return
    from trafilatura.utils import decode_file

    encoding = reading.source.encoding
    page = decode_file(data) if encoding == "utf-8" else "".join(decode(iter([data]), encoding=encoding, where=path))
    if page.count("<") > _MAX_TAGS or has_endless_tag(page):
        reading.drop("broken-markup", path.name, page[:1000])
        return
    try:
        found = trafilatura.bare_extraction(
            page, with_metadata=True, include_comments=False, include_images=False, include_links=False
        )
    except Exception as error:  # whatever a library meets in a hostile page: this page goes, the rest is read on
        reading.drop("broken-markup", path.name, f"{type(error).__name__}: {error}")
        return
    if found is None or not found.text:
        reading.drop("no-text", path.name, data[:1000].decode("utf-8", "replace"))
        return
    meta = {key: value for key in _META if isinstance(value := getattr(found, key, None), str) and value}
    limit = reading.config.max_document_characters
    for number, piece in enumerate(split_text(iter([found.text]), separator=None, limit=limit), start=1):
        yield Document(piece, f"{path.name}#{number}", reading.name, dict(meta))
