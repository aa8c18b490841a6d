"""From a source in the recipe to its files and its name; what is fetched (`wikipedia:cs`) becomes files."""

from __future__ import annotations

import re
from pathlib import Path

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.run.files import files_of
from mothertongue.run.remote import is_remote

_SUFFIXES = re.compile(r"(\.(jsonl|ndjson|txt|text|md|xml|gz|bz2|xz|zst))+$", re.I)


def source_files(source: Source, config: CorpusConfig | None = None) -> list[Path]:
    """The files that `source` means, sorted, fetched if need be; SourceError if there is none, ConfigError if its path
    uses an unset variable.
    """
    if is_remote(source.path):
        from mothertongue.corpus.wikimedia.source import fetch

        return fetch(source.path, config or CorpusConfig())
    return files_of(source.path)


def source_name(source: Source) -> str:
    """What the source is called: its name, or the last part of its path without suffixes.

    >>> source_name(Source("${DATA}/text/cs.novels.jsonl.xz"))
    'cs.novels'
    """
    return source.name or _SUFFIXES.sub("", Path(source.path).name) or source.path
