"""Data sets of the Hugging Face Hub, streamed: `hf:owner/name`, with `subset`, `split`, `revision` and `text_key`.

Nothing is downloaded as a whole and nothing of the data set's own code is run. What stands for its content in a
fingerprint is the commit that its revision means; that very commit is then read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO, Literal

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.extras import need
from mothertongue.corpus.outage import GO_ON, OutageError
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readers.records import columns_to_read, document_of
from mothertongue.errors import ConfigError, SourceError

PREFIX = "hf:"
_NAME = re.compile(r"hf:(\w[\w.-]{0,95}/)?\w[\w.-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ROWS = re.compile(r"\.(parquet|arrow|jsonl?|csv|tsv|txt)(\.(gz|bz2|xz|zst))?$", re.I)
_WORDS = re.compile(r"[/.]|-(?=\d)")  # of a path like cs/train-00000-of-00002.parquet
_ADVANCE_EVERY = 1 << 20


@dataclass(frozen=True)
class DataSet:
    """A data set at one commit; it has no bytes of its own to be opened."""

    path: str
    commit: str

    @property
    def name(self) -> str:
        """`owner/name`."""
        return self.path.removeprefix(PREFIX)

    @property
    def version(self) -> str:
        """What stands for its content."""
        return self.commit

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        raise SourceError(f"{self.path} is a data set and no file. Leave the reader of this source as auto.")

    def __str__(self) -> str:
        return self.path


def find_data_set(source: Source) -> DataSet:
    """The data set that a source means, at the commit that its revision is now; SourceError if there is none."""
    if not _NAME.fullmatch(source.path):
        raise ConfigError(f"{source.path!r} is no data set. Write hf:owner/name, as its page on the Hub is called.")
    if _COMMIT.fullmatch(source.revision):
        return DataSet(source.path, source.revision)
    return DataSet(source.path, _commit_of(source.path.removeprefix(PREFIX), source.revision))


@lru_cache(maxsize=256)  # what is read must be what was asked for
def _commit_of(name: str, revision: str) -> str:
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name, revision=revision or None, timeout=30).sha)
    except Exception as error:  # of HTTP, of the Hub, of being offline: many, and all mean the same here
        raise SourceError(
            f"hf:{name} cannot be found on the Hub: {_first_line(error)}. Check the name and the connection; for a "
            "data set behind a form, accept it on its page and run `hf auth login`; offline, download it "
            f"(`hf download {name} --repo-type dataset --local-dir DIR`) and give DIR as the source."
        ) from error


def file_sizes(source: Source) -> list[tuple[str, int]]:
    """Names and bytes of the files that hold the rows of a source; none if the Hub does not tell."""
    from huggingface_hub import HfApi

    data = find_data_set(source)
    try:
        info = HfApi().dataset_info(data.name, revision=data.commit, files_metadata=True, timeout=30)
        files = [(str(file.rfilename), int(file.size or 0)) for file in info.siblings or ()]
    except Exception:  # then nobody knows: the same as above is said when it is read
        return []
    files = [(name, size) for name, size in files if size and _ROWS.search(name)]
    own = [entry for entry in files if source.subset and source.subset in _WORDS.split(entry[0])]
    files = own or files
    return [entry for entry in files if source.split in _WORDS.split(entry[0])] or files


def read_hub(data: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of a data set, in its order; SourceError naming its columns if none is `text_key`."""
    if not isinstance(data, DataSet):
        raise ConfigError(f'{data}: the reader "hub" reads data sets; give the source as hf:owner/name.')
    datasets = need("datasets", extra="hub", to="read data sets of the Hugging Face Hub")
    with _light(datasets):
        rows = _open(datasets, data, reading)
    size = 0
    for number, row in enumerate(_rows(rows, data), start=1):
        for document in document_of(row, f"{data.name}#{number}", reading):
            size += len(document.text)
            yield document
        if size > _ADVANCE_EVERY:
            reading.advance(size)
            size = 0
    reading.advance(size)


def _open(datasets: Any, data: DataSet, reading: Reading) -> Any:
    """The stream of rows, with the columns that are needed and no other: pictures are not even fetched."""
    source = reading.source
    try:
        rows = datasets.load_dataset(
            data.name, source.subset or None, split=source.split, revision=data.commit, streaming=True
        )
        names = list(rows.column_names or next(iter(rows.take(1)), {}))
    except Exception as error:  # the library's own words for a wrong setting are these; else it is the network
        kind = SourceError if isinstance(error, (ValueError, RuntimeError, FileNotFoundError)) else OutageError
        raise kind(
            f"{data} cannot be streamed: {_first_line(error)}. Set `subset` and `split` as its page says; those "
            "that need code of their own are not read."
        ) from error
    if not names:
        raise SourceError(f"{data}: its split {source.split} is empty. Choose another `split`.")
    return rows.select_columns(columns_to_read(names, reading, where=str(data)))


@contextmanager
def _light(datasets: Any) -> Iterator[None]:
    """Without PyTorch, which the library would import as soon as a stream is made: it takes long and is not needed."""
    had = datasets.config.TORCH_AVAILABLE
    datasets.config.TORCH_AVAILABLE = False
    try:
        yield
    finally:
        datasets.config.TORCH_AVAILABLE = had


def _rows(rows: Any, data: DataSet) -> Iterator[dict[str, Any]]:
    number, stream = 0, iter(rows)
    while True:
        try:
            row = next(stream, None)
        except Exception as error:
            raise OutageError(
                f"{data} broke off after {number:,} rows: {_first_line(error)}. {GO_ON} Or download it first "
                "(`hf download`) and give the folder as the source."
            ) from error
        if row is None:
            return
        number += 1
        yield row


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")
