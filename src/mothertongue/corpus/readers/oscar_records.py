"""Records of OSCAR 22.01, 23.01 and mOSCAR: what their annotations mean, and which documents and lines they rule out.

Three shapes are known: the release's own JSON (`content`, `warc_headers`, `metadata`), the one that Hugging Face's
loaders make of it (`text`, `meta`), and mOSCAR's (`text` as pieces with an index, `images`, `metadata` with their
order). An annotation of the wrong type counts as absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading

COLUMNS = frozenset({"content", "warc_headers", "metadata", "text", "meta"})  # of all that a table of OSCAR has
_SHAPES = ({"content", "metadata", "warc_headers"}, {"text", "images", "metadata"}, {"text", "meta", "id"})
_RENAMED = {"als": "gsw", "eml": "x-eml"}  # labels before 23.01
_NO_LANGUAGE = ("", "multi")


@dataclass(frozen=True)
class Annotated:
    """One document with what OSCAR says of it; `labels` has one per line, "" where OSCAR was not sure."""

    text: str
    url: str = ""
    label: str = ""
    harmful_pp: float | None = None
    warnings: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def is_oscar(keys: Collection[str]) -> bool:
    """Whether a record, or a table, with these keys is one of OSCAR's."""
    return any(shape.issubset(keys) for shape in _SHAPES)


def is_oscar_record(record: dict[str, Any]) -> bool:
    """Whether a record is one of OSCAR's, also if only the columns that count were read of it."""
    return is_oscar(record) if isinstance(record.get("text", ""), str) else "metadata" in record


def oscar_document(record: dict[str, Any], where: str, reading: Reading) -> Iterator[Document]:
    """The document of a record without the lines that are in another language; none, and a reason, if it is ruled
    out.
    """
    found = annotated(record)
    if found is None:
        reading.drop("no-text", where, str(record)[:1000])
    elif reason := ruled_out(found, reading):
        reading.drop(reason, where, found.text)
    else:
        text = "\n".join(_own_lines(found, where, reading))
        if not text.strip():
            most = Counter(label for label in found.labels if label).most_common(1)
            reading.drop(f"language:{most[0][0]}" if most else "no-text", where, found.text)
        else:
            yield Document(text, where, reading.name, {"url": found.url} if found.url else {})


def ruled_out(found: Annotated, reading: Reading) -> str | None:
    """The reason that OSCAR's annotations give to drop a document."""
    source = reading.source
    if found.harmful_pp is not None and found.harmful_pp < source.least_harmful_pp:  # low: much like harmful text
        return "harmful"
    for kind, refused, present in (
        ("quality-warning", source.drop_warnings, found.warnings),
        ("category", source.drop_categories, found.categories),
    ):
        if reason := next((name for name in refused if name in present), None):
            return f"{kind}:{reason}"
    return None


def _own_lines(found: Annotated, where: str, reading: Reading) -> Iterator[str]:
    lines, how = found.text.split("\n"), reading.source.foreign_lines
    wanted = found.label if reading.language.code == "any" else reading.language.code
    if how == "keep" or wanted in _NO_LANGUAGE or len(lines) != len(found.labels):
        yield from lines
        return
    for number, (line, label) in enumerate(zip(lines, found.labels, strict=True), start=1):
        if label == wanted or (not label and how == "drop"):
            yield line
        elif line.strip():
            reason = "line-of-another-language" if label else "line-of-no-sure-language"
            reading.drop(reason, f"{where}:{number}", line)


def annotated(record: dict[str, Any]) -> Annotated | None:
    """What a record says, whatever its shape; None if it has no text."""
    if isinstance(record.get("content"), str):
        return _release(record["content"], record.get("warc_headers"), record.get("metadata"))
    if isinstance(record.get("text"), str):
        meta = _table(record.get("meta"))
        return _release(record["text"], meta.get("warc_headers"), meta)
    return _pieces(record)


def _release(text: str, headers: object, metadata: object) -> Annotated:
    meta = _table(metadata)
    identified = meta.get("sentence_identifications", meta.get("line_identifications"))
    return Annotated(
        text=text,
        url=_string(_table(headers).get("warc-target-uri")),
        label=_label(meta.get("identification")),
        harmful_pp=_number(meta.get("harmful_pp", meta.get("harmful_ppl"))),
        warnings=_names(meta.get("quality_warnings", meta.get("annotation", meta.get("annotations")))),
        categories=_names(meta.get("categories")),
        labels=tuple(_label(one) for one in _rows(identified)),
    )


def _pieces(record: dict[str, Any]) -> Annotated | None:
    """mOSCAR: the pieces of text in the order of the page, as its `node_order` has it."""
    pieces = {_string(row.get("text_idx")): row["text"] for row in _rows(record.get("text")) if _is_piece(row)}
    if not pieces:
        return None
    about = next(iter(_rows(record.get("metadata"))), None) or {}
    nodes = _string(about.get("node_order")).split("|")
    ordered = [index for node in nodes if (index := node.removeprefix("txt_")) in pieces]
    texts = [pieces[index] for index in dict.fromkeys([*ordered, *pieces])]
    return Annotated("\n".join(texts), url=_string(about.get("url")))


def _is_piece(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("text"), str)


def _rows(value: object) -> list[Any]:
    """A list of tables; also from a table of lists, as Hugging Face stores it, or from a single table."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    if not any(isinstance(column, list) for column in value.values()):
        return [value]
    longest = max(len(column) for column in value.values() if isinstance(column, list))
    whole = {key: column for key, column in value.items() if isinstance(column, list) and len(column) == longest}
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def _label(identification: object) -> str:
    label = _string(_table(identification).get("label")).lower()
    return _RENAMED.get(label, label)


def _names(value: object) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # NaN is no number
        return None
    return float(value)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
