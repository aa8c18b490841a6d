"""A bilingual dictionary as pairs of tokens: more anchors for methods that bring two languages together.

    mothertongue transfer --dictionary en-cs.tsv ...                      # source word, tab, target word
    mothertongue transfer --dictionary freedict-eng-ces.index ...         # dictd; its .dict or .dict.dz stands beside
    mothertongue transfer --dictionary cswiki-...-langlinks.sql.gz ...    # Wikipedia's titles; ...-page.sql.gz beside

An entry counts where both words are a single token, with or without a space before, as written, in small letters, or
with a capital. All others are counted by reason and left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.table import bounded_lines
from mothertongue.corpus.readers.text import decode
from mothertongue.errors import ConfigError
from mothertongue.run.table import resolve
from mothertongue.transfer.methods import Translations
from mothertongue.transfer.overlap import Key

Skip = Callable[[str], None]  # is told why an entry is left out
Entries = Iterator[tuple[str, str]]  # source word, target word
MOST_ENTRIES = 5_000_000
MOST_CHARACTERS = 60  # of a word
MOST_LINE = 10_000
STRESS = re.compile("(?<=[\u0400-\u052f])\u0301")  # of Cyrillic, which is not written; what is, is one letter in NFC

READERS = {
    ".index": "mothertongue.transfer.dictd:read_dictd",
    ".dict": "mothertongue.transfer.dictd:read_dictd",
    ".dict.dz": "mothertongue.transfer.dictd:read_dictd",
    ".sql": "mothertongue.transfer.langlinks:read_langlinks",
    ".sql.gz": "mothertongue.transfer.langlinks:read_langlinks",
}


def translate(
    file: Path, source_keys: Mapping[int, Key], target_keys: Mapping[int, Key], *, language: str
) -> Translations:
    """Pairs of tokens of which the dictionary `file` has an entry; ConfigError if there is none.

    `language` is the code of the source language, for files that hold several.
    """
    sources, targets = _ids(source_keys), _ids(target_keys)
    skipped: Counter[str] = Counter()
    pairs: dict[tuple[int, int], None] = {}
    entries = 0
    for entry in islice(_read(file, language, skipped.update), MOST_ENTRIES):
        entries += 1
        source, target = map(_word, entry)
        reason = _reason(source) or _reason(target)
        found = [] if reason else list(_tokens(source, target, sources, targets))
        pairs.update(dict.fromkeys(found))
        if not found:
            skipped[reason or "not-one-token"] += 1
    if not pairs:
        raise ConfigError(
            f"None of the {entries:,} entries of {file} is a token of both vocabularies. An entry is a word of the "
            "model's own language, then a tab, then the word of the new language; or leave the dictionary out."
        )
    return Translations(tuple(pairs), entries, dict(sorted(skipped.items())))


def read_tsv(file: Path, language: str, skip: Skip) -> Entries:
    """Word, tab, word; as long as no line has a tab (as in MUSE's dictionaries), word, space, word."""
    tab = False
    for line in bounded_lines(decode(read_blocks(file), encoding="utf-8"), MOST_LINE, lambda _: skip("line-too-long")):
        tab = tab or "\t" in line
        cells = line.strip().split("\t" if tab else None)
        if len(cells) >= 2:
            yield cells[0], cells[1]
        elif cells[:1] != [""]:
            skip("no-pair")


def _read(file: Path, language: str, update: Callable[[tuple[str]], None]) -> Entries:
    suffixes = "".join(file.suffixes[-2:]), file.suffix
    reader = next((READERS[suffix] for suffix in suffixes if suffix in READERS), None)
    read: Callable[[Path, str, Skip], Entries] = resolve(reader) if reader else read_tsv
    return read(file, language, lambda reason: update((reason,)))


def _word(text: str) -> str:
    return STRESS.sub("", unicodedata.normalize("NFC", text)).strip()


def _reason(word: str) -> str:
    if not word:
        return "empty"
    if len(word) > MOST_CHARACTERS:
        return "too-long"
    return "phrase" if len(word.split()) > 1 else ""


def _ids(keys: Mapping[int, Key]) -> dict[bytes, int]:
    return {key: i for i, key in sorted(keys.items(), reverse=True) if isinstance(key, bytes)}


def _tokens(
    source: str, target: str, sources: Mapping[bytes, int], targets: Mapping[bytes, int]
) -> Iterator[tuple[int, int]]:
    """(target id, source id) of the two words in each way of writing that both vocabularies have."""
    for write in (str, str.lower, str.capitalize):
        for space in ("", " "):
            ids = targets.get((space + write(target)).encode()), sources.get((space + write(source)).encode())
            if ids[0] is not None and ids[1] is not None:
                yield ids[0], ids[1]
