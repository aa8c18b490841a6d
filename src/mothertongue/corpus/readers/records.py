"""From a record (a JSON object, a row of a table) to a document: its text stands under one key, a few others are kept.

Records of OSCAR and of Wikimedia's HTML dumps are known by their keys and go by rules of their own, whatever they are
packed in.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, enterprise, oscar_records
from mothertongue.errors import SourceError

SAMPLE_CHARACTERS = 1000
META = ("title", "author", "url", "source")  # what is kept beside the text, if it is a string


def document_of(record: object, where: str, reading: Reading) -> Iterator[Document]:
    """The document in a record; none, and a reason, if there is no text in it."""
    kind, key = reading.source.reader, reading.source.text_key
    if isinstance(record, dict):
        if kind == "oscar" or (kind == "auto" and oscar_records.is_oscar_record(record)):
            yield from oscar_records.oscar_document(record, where, reading)
            return
        if kind == "auto" and "article_body" in record and enterprise.is_enterprise(record):
            yield from enterprise.enterprise_document(record, where, reading)
            return
        if isinstance(text := record.get(key), str):
            yield Document(text, where, reading.name, _meta(record, key))
            return
    reading.drop("no-text", where, sample_of(record))


def sample_of(record: object) -> str:
    """The beginning of a record, as JSON, for whoever looks at what was dropped."""
    if isinstance(record, Mapping):  # cut before it is written out: a value may be large
        record = {str(key): str(value)[:SAMPLE_CHARACTERS] for key, value in list(record.items())[:50]}
    return json.dumps(record, ensure_ascii=False, default=str)[:SAMPLE_CHARACTERS]


def columns_to_read(names: Collection[str], reading: Reading, *, where: str) -> list[str]:
    """Which columns of a table are needed; SourceError naming those there are if none holds the text, or one that
    stands there twice.
    """
    kind, key = reading.source.reader, reading.source.text_key
    if kind == "oscar" or (kind == "auto" and oscar_records.is_oscar(names)):
        needed = [name for name in names if name in oscar_records.COLUMNS]
    elif key in names:
        needed = [key, *(name for name in META if name in names and name != key)]
    else:
        shown = ", ".join(list(names)[:30]) or "none"
        raise SourceError(
            f'{where} has no column "{key}". It has: {shown[:600]}. Say which holds the text, like '
            f'sources = [{{ path = "...", text_key = "{next(iter(names), "text")[:60]}" }}].'
        )
    if twice := [name for name in needed if list(names).count(name) > 1]:
        raise SourceError(f'{where} has more than one column "{twice[0]}", so none can be meant. Rename all but one.')
    return needed


def _meta(record: dict[str, Any], text_key: str) -> dict[str, Any]:
    kept = {key: record[key] for key in META if key != text_key and isinstance(record.get(key), str)}
    if "source" in kept:
        kept["origin"] = kept.pop("source")
    return kept
