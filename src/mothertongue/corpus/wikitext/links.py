"""What a link shows."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mothertongue.corpus.wikitext.octets import text_of

_OTHER_WIKIS: Final = re.compile(
    "[sqbnvcmdw]|wikt|wiktionary|commons|species|voy|wiki(source|quote|news|books|data|media|pedia)?", re.IGNORECASE
)
_INTERLANGUAGE: Final = re.compile("[a-z]{2,3}(-[a-z]+)*|simple|tarask")
_PARENTHESIS: Final = re.compile(r"(?<!\s)\s*+(?:\([^()]*+\)|（[^（）]*+）)$|,.*$")


@lru_cache(maxsize=20_000)
def is_shown(prefix: bytes, hidden_prefixes: frozenset[str]) -> bool:
    """False for the prefix of files, categories and pages in other languages; nothing before the colon shows them."""
    name = text_of(prefix).strip()
    if not name:
        return True
    return name.replace("_", " ").casefold() not in hidden_prefixes and not _INTERLANGUAGE.fullmatch(name)


def link_text(target: str, label: str | None) -> str:
    """The text of a link that is shown: its label, or what stands for it.

    >>> link_text("Brno (město)", ""), link_text(":de:Prag", None)
    ('Brno', 'de:Prag')
    """
    if label is not None and label.strip():
        return label
    target = target.strip()
    prefix, colon, rest = target.partition(":")
    if colon and (not prefix or _OTHER_WIKIS.fullmatch(prefix.strip())):
        target = rest.strip()
    if label is not None:  # [[Praha (město)|]]: the pipe trick
        return _PARENTHESIS.sub("", target)
    return target.lstrip("#").replace("_", " ")
