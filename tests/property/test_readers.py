"""Whatever bytes a file holds, its reader gives documents, counts drops, or says in our own words what is wrong."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.errors import SourceError
from mothertongue.languages import open_language

NAMES = [
    "a.txt",
    "a.jsonl",
    "a.csv",
    "a.tsv",
    "a.md",
    "a.parquet",
    "a.arrow",
    "a.zip",
    "a.tar",
    "a.jsonl.gz",
    "a",
    "cs.txt",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OSCAR_KEYS = ("content", "text", "metadata", "meta", "warc_headers", "images", "id")
META_KEYS = ("identification", "sentence_identifications", "quality_warnings", "categories", "harmful_pp", "node_order")


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "ahoj " * 20)
        archive.writestr("b/c.csv", "text\nx\n")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"ahoj"))
    return buffer.getvalue()


def read(name: str, data: bytes, *, reader: str = "auto") -> None:
    """Read bytes as a file of that name; only a SourceError may come out."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        told = Reading(Source(str(path), reader=reader), CorpusConfig(language="cs"), open_language("cs"))
        try:
            for document in read_file(path, told):
                assert document.text is not None
        except SourceError as error:
            assert str(error)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary(max_size=600))
@settings(max_examples=25, deadline=None)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    if name.endswith((".parquet", ".arrow")):
        pytest.importorskip("pyarrow")
        data = (b"PAR1" + data + b"PAR1") if name.endswith("parquet") else data
    read(name, data)


@pytest.mark.parametrize(("name", "make"), [("a.zip", zipped), ("a.tar", tarred)])
@given(at=st.integers(0, 2000), with_=st.binary(min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_an_archive_with_any_bytes_changed_is_read_or_refused(
    name: str, make: Callable[[], bytes], at: int, with_: bytes
) -> None:
    data = bytearray(make())
    at %= len(data)
    data[at : at + len(with_)] = with_
    read(name, bytes(data))


@given(
    record=st.dictionaries(
        st.sampled_from(OSCAR_KEYS), JSON | st.dictionaries(st.sampled_from(META_KEYS), JSON, max_size=5)
    ),
    reader=st.sampled_from(["auto", "oscar", "jsonl"]),
)
@settings(max_examples=150, deadline=None)
def test_any_record_of_oscar_is_read_or_dropped(record: dict[str, object], reader: str) -> None:
    read("a.jsonl", json.dumps(record).encode(), reader=reader)
