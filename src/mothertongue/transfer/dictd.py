"""Dictionaries of dictd (RFC 2229; FreeDict's are in every Debian): an index of headwords, and the entries' text.

An index line is `headword TAB offset TAB length`, both in base 64. An entry's text begins with its headword, sound and
part of speech; translations follow, glosses in the source language among them. The line after the headword and numbered
lines are translations, in nearly all of FreeDict's files; of other lines nobody knows.
"""

from __future__ import annotations

import re
import string
from pathlib import Path

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.table import bounded_lines
from mothertongue.corpus.readers.text import decode
from mothertongue.errors import SourceError
from mothertongue.transfer.dictionary import MOST_LINE, Entries, Skip

MOST_BYTES = 1 << 28  # of the entries' text, unpacked; the largest of FreeDict has 60 MB
MOST_ENTRY = 1 << 14
_DIGITS = {
    letter: value for value, letter in enumerate(string.ascii_uppercase + string.ascii_lowercase + "0123456789+/")
}
_NUMBERED = re.compile(r"\s*\d+\.\s*(?=\S)")
_NEXT = re.compile(r"\s\d+\.$")  # the number of a line that has only a gloss
_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|\{[^}]*\}")
_SUFFIX = re.compile(r"\.(index|dict|dict\.dz)$")


def read_dictd(file: Path, language: str, skip: Skip) -> Entries:
    """Headword and translation, one by one; `file` is the index or the text. SourceError if one of both is missing."""
    bodies = _text(file)
    index = file.with_name(_SUFFIX.sub(".index", file.name))
    if not index.is_file():
        raise SourceError(f"{file} has no {index.name} beside it. A dictd dictionary is both files: put them together.")
    for line in bounded_lines(decode(read_blocks(index), encoding="utf-8"), MOST_LINE, lambda _: skip("line-too-long")):
        cells = line.rstrip("\n").split("\t")
        if len(cells) < 3:
            skip("no-pair")
            continue
        word, start, length = cells[0], _number(cells[1]), _number(cells[2])
        if start is None or length is None or start + length > len(bodies) or length > MOST_ENTRY:
            skip("damaged-entry")
        elif not word.startswith("00"):  # what dictd says of the dictionary itself
            yield from (
                (word, found) for found in translations(bodies[start : start + length].decode("utf-8", "replace"))
            )


def translations(entry: str) -> list[str]:
    """What is surely a translation in the text of an entry.

    >>> translations("jab /dʒæb/ <n>\\n1. прав удар\\n(boxing) a punch\\n2. инжекция, бодване\\nmedical injection")
    ['прав удар', 'инжекция', 'бодване']
    >>> translations("abbey /ˈæbɪ/\\n\\nαββαείο\\n")
    ['αββαείο']
    """
    _, *lines = [line for line in entry.splitlines() if line.strip()] or [""]
    sure = [line for number, line in enumerate(lines) if number == 0 or _NUMBERED.match(line)]
    plain = [_NEXT.sub("", _ASIDE.sub("", _NUMBERED.sub("", line, count=1)).strip()) for line in sure]
    return [part.strip() for line in plain for part in re.split("[,;]", line) if part.strip()]


def _text(file: Path) -> bytes:
    names = [_SUFFIX.sub(ending, file.name) for ending in (".dict.dz", ".dict")]
    found = next((file.with_name(name) for name in names if file.with_name(name).is_file()), None)
    if found is None:
        raise SourceError(f"{file} has no {names[0]} beside it. A dictd dictionary is both files: put them together.")
    text = bytearray()
    for block in read_blocks(found):
        text += block
        if len(text) > MOST_BYTES:
            raise SourceError(
                f"{found} unpacks to more than {MOST_BYTES:,} bytes, so it is no dictionary. Check the file."
            )
    return bytes(text)


def _number(digits: str) -> int | None:
    """A number in dictd's base 64; None if it is none."""
    value = 0
    for digit in digits if 0 < len(digits) <= 8 else "?":
        if digit not in _DIGITS:
            return None
        value = value * 64 + _DIGITS[digit]
    return value
