"""What a wiki says about itself: names of namespaces and their aliases, which of them hold articles, magic words.

An export names the namespaces in its <siteinfo>. The rest stands in a file of the same dump,
`cswiki-20261101-siteinfo-namespaces.json.gz`, and is used if that lies beside the export. Nothing goes by English
names: a redirect is `#REDIRECT`, `#PŘESMĚRUJ` or whatever else the wiki understands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.errors import SourceError
from mothertongue.run.progress import say

_NAMED = re.compile(r"([a-z][a-z0-9_]*-\d{8})-.*")
_MAX_BYTES = 8 << 20
_HIDDEN = (-2, 6, 14)  # media, file, category: links to them show nothing


@dataclass
class SiteInfo:
    """What is known of a wiki; empty: not told."""

    dbname: str = ""
    namespaces: dict[int, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)  # in small letters
    content: frozenset[int] = frozenset()  # namespaces with articles
    redirects: tuple[str, ...] = ()  # words that begin a redirect, in small letters
    disambiguation: tuple[str, ...] = ()  # words like __DISAMBIG__

    def namespace_of(self, title: str) -> int:
        """The namespace that a title's prefix names; 0 if it names none."""
        prefix, colon, _ = title.partition(":")
        name = prefix.strip().replace("_", " ").casefold()
        if not colon or not name:
            return 0
        found = next((key for key, known in self.namespaces.items() if known.casefold() == name), None)
        return self.aliases.get(name, 0) if found is None else found

    def hidden_prefixes(self) -> frozenset[str]:
        """Aliases of the namespaces whose links show nothing."""
        return frozenset(name for name, key in self.aliases.items() if key in _HIDDEN)

    def template_prefixes(self) -> frozenset[str]:
        """Aliases of the namespace of templates."""
        return frozenset(name for name, key in self.aliases.items() if key == 10)


def siteinfo_file(export: Path) -> Path | None:
    """The file of the same dump that tells namespaces and magic words, if it lies beside the export."""
    named = _NAMED.fullmatch(export.name)
    places = [export.with_name(f"{named[1]}-siteinfo-namespaces.json{end}") for end in (".gz", "")] if named else []
    return next((place for place in places if place.is_file()), None)


def complete(info: SiteInfo, export: Path) -> SiteInfo:
    """`info` with what the file beside the export tells; as it is if there is none, or it cannot be read."""
    place = siteinfo_file(export)
    if place is None:
        return info
    try:
        query = json.loads(_bounded(place))["query"]
        info.aliases |= dict(_aliases(query))
        namespaces = [space for space in query["namespaces"].values() if isinstance(space, dict)]
        info.content = frozenset(int(space["id"]) for space in namespaces if _says(space, "content"))
        words = {entry["name"]: entry["aliases"] for entry in query.get("magicwords", [])}
        info.redirects = tuple(word.casefold() for word in words.get("redirect", []))
        info.disambiguation = tuple(words.get("disambiguation", []))
    except (SourceError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        say(f"  {place} cannot be read ({error}): the wiki's own magic words are not known.")
    return info


def _bounded(place: Path) -> bytes:
    body = b""
    for block in read_blocks(place):
        body += block
        if len(body) > _MAX_BYTES:
            raise ValueError(f"it has more than {_MAX_BYTES >> 20} MB")
    return body


def _aliases(query: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Every name that a namespace may be called by: local, canonical (English) and further ones."""
    for space in query["namespaces"].values():
        for key in ("*", "name", "canonical"):
            if isinstance(space.get(key), str) and int(space["id"]) != 0:
                yield space[key].casefold(), int(space["id"])
    for alias in query.get("namespacealiases", []):
        yield str(alias.get("*", alias.get("alias", ""))).casefold(), int(alias["id"])


def _says(space: dict[str, Any], key: str) -> bool:
    """MediaWiki's first JSON format says yes with an empty text, its second with true."""
    return space.get(key, False) is not False
