"""Clean documents on disk: `train-00000.jsonl.zst`, one JSON object {id, text, source} a line (docs/formats/corpus.md).

Lines of JSON and not bare text, so that where a document ends and where it came from survive the newlines in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import zstandard

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.jsonl import split_lines
from mothertongue.corpus.split import SPLITS
from mothertongue.corpus.split import Split as Split
from mothertongue.errors import ArtifactError, SourceError

LEVEL = 6
_MAX_LINE_BYTES = 1 << 32


class ShardWriter:
    """Writes documents into numbered shards of about `max_bytes` of text each; the same documents give the same
    bytes.
    """

    def __init__(self, folder: Path, prefix: str, *, max_bytes: int, level: int = LEVEL) -> None:
        self.folder, self.prefix, self.max_bytes, self.level = folder, prefix, max_bytes, level
        self.documents = self.bytes = self.shards = 0
        self._in_shard = 0
        self._file: IO[bytes] | None = None

    def write(self, document: Document) -> None:
        """Append one document."""
        self.write_line(encode_document(document), size=len(document.text.encode("utf-8")))

    def write_line(self, line: bytes, *, size: int) -> None:
        """Append a document that is a line of a shard already, with `size` bytes of text."""
        if self._file is None or self._in_shard >= self.max_bytes:
            self._next()
        assert self._file is not None
        self._file.write(line)
        self.documents, self.bytes, self._in_shard = self.documents + 1, self.bytes + size, self._in_shard + size

    def _next(self) -> None:
        self.close()
        name = f"{self.prefix}-{self.shards:05d}.jsonl.zst"
        self._file = zstandard.open(self.folder / name, "wb", cctx=zstandard.ZstdCompressor(level=self.level))
        self.shards, self._in_shard = self.shards + 1, 0

    def close(self) -> None:
        """Finish the current shard."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def encode_document(document: Document) -> bytes:
    """A document as one line of a shard."""
    record: dict[str, object] = {"id": document.id, "text": document.text, "source": document.source}
    if document.meta:
        record["meta"] = document.meta
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def read_documents(corpus: Path, split: Split) -> Iterator[Document]:
    """The documents of one side of a finished corpus, in the order of its shards; none if its share was 0.
    ArtifactError if there is no shard of any side, or one is damaged.
    """
    if split not in SPLITS:
        raise ArtifactError(f"split = {split!r}: a corpus has {', '.join(SPLITS)}.")
    if not any(list(Path(corpus).glob(f"{side}-*.jsonl.zst")) for side in SPLITS):
        raise ArtifactError(
            f"{corpus} has no {split}-*.jsonl.zst nor another side, so it is not a finished corpus. Name a folder that "
            "`mothertongue corpus` made."
        )
    yield from read_shards(Path(corpus), split)


def read_shards(folder: Path, prefix: str) -> Iterator[Document]:
    """Every document of the shards with this prefix."""
    for path in sorted(folder.glob(f"{prefix}-*.jsonl.zst")):
        yield from read_shard(path)


def read_shard(path: Path) -> Iterator[Document]:
    """Every document of one shard. ArtifactError if it is damaged."""
    return (decode_document(line, path) for line in read_lines(path))


def read_lines(path: Path) -> Iterator[bytes]:
    """Every document of one shard as `encode_document` gives it. ArtifactError if the shard is damaged."""
    try:
        yield from (line + b"\n" for _, line, _ in split_lines(read_blocks(path, ours=True), max_bytes=_MAX_LINE_BYTES))
    except (SourceError, ValueError) as error:
        raise _damaged(path, error) from error


def decode_document(line: bytes, path: Path) -> Document:
    """The document of a line of the shard `path`. ArtifactError if it is damaged."""
    try:
        record = json.loads(line)
        return Document(record["text"], record["id"], record["source"], record.get("meta", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"{path} is damaged: {error}. Try `mothertongue verify {path.parent}`, and make the corpus again."
    )
