"""Chitanka's TXT export is SFB without its markers: this puts back those that can be told, so that one parser reads
both.

The first lines are author and title, a line with cells is a table's, some short lines in a row are verse, and what the
site wrote below the text (where it was downloaded, who scanned it) is an information block.
"""

from __future__ import annotations

import re
from pathlib import Path

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.errors import SourceError

_VERSE_CHARACTERS = 60
_SPEECH = ("—", "–", "-", "„", "―")
_TITLE_LINES = 4
_TAIL_LINES = 80
_DOWNLOADED = re.compile(r"\s*(?:Свалено от |Последна (?:корекция|редакция):)")
_NOTICE = re.compile(r"^\s*Свалено от (?:\[\[ ?)?„Моята библиотека“", re.M)
_HEAD_BYTES, _TAIL_BYTES = 40_000, 20_000
_CREDIT = re.compile(
    r"\s*(?:Издание|Издател|Сканиране|Сканирал|Разпознаване|Корекция|Коректор|Редакция|Редактор|Набиране|Форматиране|"
    r"Публикация|Публикувано|Източник|Превод|Художник|Корица|Дизайн|Технически|Печат|ISBN|Допълнителна|Обработка|"
    r"Оформление|Формат|Година|Отпечатано|Цена|Първо издание)\w*[^.:\n]{0,80}:"
)
_ORIGINAL = re.compile(r".*, \d{4}\s*$|[^А-Яа-я]*[A-Za-z][^А-Яа-я]*$")


def looks_like_txt(text: str) -> bool:
    """True if nearly every line of the beginning starts with a tab, as in the export."""
    lines = [line for line in text[:20_000].split("\n") if line.strip()]
    return bool(lines) and sum(line.startswith("\t") for line in lines) >= 0.8 * len(lines)


def is_export(path: Path) -> bool:
    """Whether a file is an export of the site: laid out like one, and with the site's notice near its end."""
    tail = b""
    try:
        for block in read_blocks(path):
            if not tail and not looks_like_txt(block[:_HEAD_BYTES].decode("utf-8", "ignore").removeprefix("\ufeff")):
                return False
            tail = (tail + block)[-_TAIL_BYTES:]
    except SourceError:  # whoever reads it will say so
        return False
    return _NOTICE.search(tail.decode("utf-8", "ignore")) is not None


def markers_again(text: str) -> str:
    """A TXT export as SFB."""
    lines = text.strip("\n").split("\n")
    end = _where_notices_begin(lines)
    head = next((at for at, line in enumerate(lines[:end]) if not line.strip()), 0)
    marked = (
        ["|" + line if line.startswith("\t") else "|\t" + line for line in lines[:head]] if head <= 4 else lines[:head]
    )
    run = list[str]()
    for line in [*lines[head:end], ""]:
        if line.strip():
            run.append(line)
            continue
        marked += [*_block(run), line]
        run = []
    return "\n".join([*marked, "I>", *lines[end:], "I$"])


def _block(run: list[str]) -> list[str]:
    """Lines between empty ones, in the block that they are."""
    if len(run) > 1 and all("|" in line for line in run):
        return ["T>", *run, "T$"]
    texts = [line.strip() for line in run if not line.lstrip().startswith("[*")]
    short = all(len(text) <= _VERSE_CHARACTERS and not text.startswith(_SPEECH) for text in texts)
    return ["P>", *run, "P$"] if len(texts) > 1 and short else run


def _where_notices_begin(lines: list[str]) -> int:
    """The first line of what the site wrote: where it was downloaded, and above that credits and the original title."""
    first = max(0, len(lines) - _TAIL_LINES)
    end = next((at for at in range(first, len(lines)) if _DOWNLOADED.match(lines[at])), None)
    if end is None:
        return len(lines)
    while end > first and (start := _block_above(lines, end, first)) < end:
        block = [line for line in lines[start:end] if line.strip()]
        if not any(map(_CREDIT.match, block)) and not (len(block) <= 3 and all(map(_ORIGINAL.match, block))):
            break
        end = start
    return end


def _block_above(lines: list[str], end: int, first: int) -> int:
    at = end
    while at > first and not lines[at - 1].strip():
        at -= 1
    while at > first and lines[at - 1].strip():
        at -= 1
    return at
