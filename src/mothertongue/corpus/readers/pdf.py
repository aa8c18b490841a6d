"""PDF is not read here: it says where ink goes, not what is a paragraph, and good tools for that change every year."""

from __future__ import annotations

from collections.abc import Iterator

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable
from mothertongue.errors import SourceError


def read_pdf(path: Readable, reading: Reading) -> Iterator[Document]:
    """No document: SourceError with tools that make text of it; one of many files is counted as `pdf`."""
    if reading.alone:
        raise SourceError(
            f"{path} is a PDF, not read here. Make text of it: `pdftotext {path.name}` (poppler) for pages with "
            "text in them, `ocrmypdf` for scanned ones, `docling` or `marker` for tables; then give the .txt "
            "or .md file as the source."
        )
    reading.drop("pdf", path.name, "")
    yield from ()
