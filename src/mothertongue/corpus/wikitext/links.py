"""What a link shows."""

from __future__ import annotations

import re
from typing import Final

_OTHER_WIKIS: Final = re.compile(
    "[sqbnvcmdw]|wikt|wiktionary|commons|species|voy|wiki(source|quote|news|books|data|media|pedia)?", re.IGNORECASE
)
_INTERLANGUAGE: Final = re.compile("[a-z]{2,3}(-[a-z]+)*|simple|tarask")
_PARENTHESIS: Final = re.compile(r"\s*\([^()]*\)$|,.*$|\s*（[^（）]*）$")


def is_shown(target: str, hidden_prefixes: frozenset[str]) -> bool:
    """False for files, categories and links to the page in other languages; a colon before them shows them."""
    prefix, colon, _ = target.partition(":")
    prefix = prefix.strip()
    if not colon or not prefix:
        return True
    return prefix.replace("_", " ").casefold() not in hidden_prefixes and not _INTERLANGUAGE.fullmatch(prefix)


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
