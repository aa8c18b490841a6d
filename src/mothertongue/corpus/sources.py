"""From a source in the recipe to its files and its name."""

from __future__ import annotations

import re
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.run.files import files_of

_SUFFIXES = re.compile(r"(\.(jsonl|ndjson|txt|text|md|xml|gz|bz2|xz|zst))+$", re.I)


def source_files(source: Source) -> list[Path]:
    """The files that `source` means, sorted; SourceError if there is none, ConfigError if its path uses an unset
    variable.
    """
    return files_of(source.path)


def source_name(source: Source) -> str:
    """What the source is called: its name, or the last part of its path without suffixes.

    >>> source_name(Source("${DATA}/text/cs.novels.jsonl.xz"))
    'cs.novels'
    """
    return source.name or _SUFFIXES.sub("", Path(source.path).name) or source.path
