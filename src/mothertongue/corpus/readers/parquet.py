"""Parquet and Arrow tables: one document per row, its text in the column `text_key`; only needed columns are read.

Rows come in small batches of one row group after the other, values one by one, so memory does not grow with the file.
A damaged row group is counted and the next one is read. Parquet is checked by its library as it is unpacked; Arrow is
memory as it was saved, so it is checked here before anything in it is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mothertongue.corpus.document import Document
from mothertongue.corpus.extras import need
from mothertongue.corpus.outage import refuse_outage
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.copies import copied
from mothertongue.corpus.readers.files import Readable, size_of
from mothertongue.corpus.readers.records import columns_to_read, document_of
from mothertongue.errors import SourceError

_BATCH_ROWS = 256
_MAX_GROUP_BYTES = 1 << 32  # unpacked; what is read of it comes in pages
_TO = "read Parquet and Arrow tables"


def read_parquet(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of a Parquet file; SourceError naming its columns if none is the source's `text_key`."""
    parquet = need("pyarrow.parquet", extra="tables", to=_TO)
    with _opened(path, reading) as file:
        if file is None:
            return
        table = _checked(path, lambda: parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20))
        columns = columns_to_read(_checked(path, lambda: table.schema_arrow.names), reading, where=str(path))
        number = 0
        for group in range(table.num_row_groups):
            where = f"{path.name}:{group}"
            about = table.metadata.row_group(group)  # not its columns: pyarrow ends the process where they are damaged
            if about.total_byte_size > _MAX_GROUP_BYTES:
                reading.drop("row-group-too-large", where, f"{about.total_byte_size:,} bytes")
            else:
                batches = table.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False)
                yield from _documents(batches, path, number, reading)
            number += about.num_rows
            reading.advance(size_of(path) // table.num_row_groups)


def read_arrow(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of an Arrow file, as a stream (what Hugging Face saves) or with an index (Feather)."""
    ipc = need("pyarrow.ipc", extra="tables", to=_TO)
    with _opened(path, reading) as file:
        if file is None:
            return
        indexed = file.read(6) == b"ARROW1"
        file.seek(0)
        table = _checked(path, lambda: ipc.open_file(file) if indexed else ipc.open_stream(file))
        columns = columns_to_read(_checked(path, lambda: table.schema.names), reading, where=str(path))
        parts = (table.get_batch(index) for index in range(table.num_record_batches)) if indexed else table
        yield from _documents((_sound(part.select(columns)) for part in parts), path, 0, reading)


def _sound(batch: Any) -> Any:
    """The same batch; ArrowInvalid if a length or an offset leads out of it: Arrow would follow it into any memory."""
    arrow = need("pyarrow", extra="tables", to=_TO)
    bare = {arrow.string(): arrow.binary(), arrow.large_string(): arrow.large_binary()}
    for column in batch.columns:  # without a look at UTF-8, which is a matter of single rows
        (column.view(bare[column.type]) if column.type in bare else column).validate(full=True)
    return batch


@contextmanager
def _opened(path: Readable, reading: Reading) -> Iterator[Any]:
    """The file, from a copy if one cannot move about in it."""
    with path.open("rb") as file:
        if _moves(file):
            yield file
            return
    with copied(path, reading) as copy:
        if copy is None:
            yield None
        else:
            with copy.open("rb") as file:
                yield file


def _moves(file: BinaryIO) -> bool:
    """Whether one can move about in a file: not every server that says so keeps to it."""
    try:
        file.seek(-1, 2)
        file.read(1)
        file.seek(0)
    except (OSError, ValueError):
        return False
    return True


def _checked(path: Readable, opening: Any) -> Any:
    try:
        return opening()
    except (OSError, ValueError, MemoryError) as error:  # pyarrow's errors are these
        refuse_outage(path, error)
        raise SourceError(
            f"{path} is no table that can be read, or only a part of one: {str(error)[:300]}. "
            "Download or copy the file again and compare its size; then run the same command."
        ) from error


def _documents(batches: Iterator[Any], path: Readable, before: int, reading: Reading) -> Iterator[Document]:
    """Documents of record batches; `before` rows stand above them."""
    number = before
    batches = iter(batches)
    while True:
        try:
            batch = next(batches, None)
        except (OSError, ValueError, MemoryError) as error:
            refuse_outage(path, error)
            reading.drop("damaged-rows", f"{path.name}#{number + 1}", str(error)[:300])
            return
        if batch is None:
            return
        for row in range(batch.num_rows):
            number += 1
            where = f"{path.name}#{number}"
            try:  # one by one: a small file may hold one long text many times
                record = {name: batch.column(name)[row].as_py() for name in batch.schema.names}
            except ValueError as error:
                reading.drop("invalid-utf8", where, str(error)[:300])
            else:
                yield from document_of(record, where, reading)
