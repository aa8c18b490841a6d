"""From a source in the recipe to its files and its name; what is fetched (`wikipedia:cs`) becomes files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.run.artifact import sha256_file
from mothertongue.run.files import expand, files_of
from mothertongue.run.remote import is_remote

if TYPE_CHECKING:
    from mothertongue.corpus.readers.files import Readable

_SUFFIXES = re.compile(
    r"(\.(jsonl|ndjson|txt|text|md|xml|html?|csv|tsv|parquet|arrow|sfb|fb2|epub|zip|tar|tgz|gz|bz2|xz|zst))+$", re.I
)
UNKNOWN = "unknown"  # a licence that nobody has told


def source_files(source: Source, config: CorpusConfig | None = None) -> Sequence[Readable]:
    """The files that `source` means, sorted, fetched if need be; SourceError if there is none, ConfigError if its path
    uses an unset variable. What an address means is read from there.
    """
    from mothertongue.corpus.address import is_address, places

    if is_address(source.path):
        return places(source, config or CorpusConfig())
    if is_remote(source.path):
        from mothertongue.corpus.wikimedia.source import fetch

        return fetch(source.path, config or CorpusConfig())
    return files_of(source.path)


def is_one_file(source: Source) -> bool:
    """Whether the recipe names one file, and not a folder or a pattern where others stand beside it."""
    if "://" in source.path:
        return "*" not in source.path and not source.path.endswith("/")
    return not any(sign in source.path for sign in "*?[") and not Path(expand(source.path)).is_dir()


def source_name(source: Source) -> str:
    """What the source is called: its name, or the last part of its path without suffixes.

    >>> source_name(Source("${DATA}/text/cs.novels.jsonl.xz"))
    'cs.novels'
    """
    return source.name or _SUFFIXES.sub("", Path(source.path).name) or source.path


def licence_of(source: Source) -> str:
    """The licence of a source: as it is set, or for wikis known to be theirs."""
    from mothertongue.corpus.address import is_address

    if source.licence != UNKNOWN or is_address(source.path) or not is_remote(source.path):
        return source.licence
    from mothertongue.corpus.wikimedia.source import LICENCE

    return LICENCE


def file_entry(file: Readable) -> dict[str, Any]:
    """What a manifest says of a file: name, bytes, and what its content is known by."""
    from mothertongue.corpus.readers.files import size_of, version_of

    known = {"sha256": sha256_file(file)} if isinstance(file, Path) else {"version": version_of(file)}
    return {"name": file.name, "bytes": size_of(file), **known}
