"""Sources that are no files yet, such as `wikipedia:cs`: one table of what such a source looks like and who knows it.

Functions are named as "module:name" and imported on first use. Each takes the source and the settings of the step
(None: the defaults) and says what would be fetched; nothing large is fetched before the step runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothertongue.run.table import resolve

_SISTERS = "wiktionary|wikisource|wikibooks|wikinews|wikiquote|wikivoyage|wikiversity"
REMOTE = {
    re.compile(f"(wikipedia|wikimedia|{_SISTERS}):.*"): "mothertongue.corpus.wikimedia.source:ask",
    # the name of a dump's database; a file of that name comes first
    re.compile(rf"[a-z][a-z_]*(wiki|{_SISTERS})(@\w+)?"): "mothertongue.corpus.wikimedia.source:ask",
    re.compile(r"-|hf:.*|[a-z][a-z0-9+.-]*://.*", re.I): "mothertongue.corpus.address:ask",
}


@dataclass(frozen=True)
class Remote:
    """What a source that is fetched will give."""

    contents: Mapping[str, str]  # name -> what stands for its content in a fingerprint
    bytes: int  # as it is kept on disk
    missing_bytes: int  # of them, those that must still be fetched
    text_bytes: int | None  # of text in it, about; None: nobody knows
    licence: str
    words: str  # what will be fetched, from where, in one line


def is_remote(path: str) -> bool:
    """Whether `path` means something that is fetched, and no file."""
    return _knows(path) is not None


def ask(path: str, config: Any = None) -> Remote | None:
    """What the source `path` will give; None if it means files. Asks its site, unless the answer is kept."""
    known = _knows(path)
    if known is None:
        return None
    function: Callable[[str, Any], Remote] = resolve(known)
    return function(path, config)


def _knows(path: str) -> str | None:
    name = next((name for pattern, name in REMOTE.items() if pattern.fullmatch(path)), None)
    return None if name is None or Path(path).exists() else name
