"""The inline marks of SFB, Chitanka's format, taken off a whole text at once; its TXT export keeps most of them.

Emphasis (`_x_`, `__x__`, `{e}x{/e}`), styles, images, links, footnote marks, stress (a backtick after the vowel) and
escapes (`\\*`). Every pattern looks at a bounded stretch of one line, so the time is linear in the text.

>>> plain("\\tТя _наистина __трябва___ да отиде{sup}2{/sup}: {img:a.png|знак} въ`лна.").strip()
'Тя наистина трябва да отиде²: вълна.'
"""

from __future__ import annotations

import re

from mothertongue.corpus.readers.book import lowered, raised, unstressed

_IMAGE = re.compile(r"\{img:[^{}\n]{0,500}\}[ ]?")
_INDEX = re.compile(r"\{(sup|sub)\}([^{}\n]{0,200})\{/\1\}")
_TAG = re.compile(r"\{/?(?:e|s|m|del|pre|sup|sub)(?: [^{}\n]{0,100})?\}|\{/?#[^{}\n]{0,100}\}")
_LINK = re.compile(r"\[\[([^\[\]|\n]{1,500})\|[^\[\]\n]{0,500}\]\]")
_STRESS = re.compile(r"(?<=\w)[`´]")
# a mark of one to three underscores at either edge of a word; longer runs are blanks to fill in
_EMPHASIS = re.compile(r"(?<![\w\\])_{1,3}(?=[^\s_])|(?<=[^\s_\\])_{1,3}(?!\w)")
_ESCAPE = re.compile(r"\\([*\\{}_])")
_NOTE_MARK = re.compile(r"^[^\S\n]*\[(\*{1,9}\d{0,4})", re.M)  # where a note begins
_MARK = re.compile(r"(?<=[^\s\\(\[*])\*{1,9}\d{0,4}")  # where it is referred to


def note_marks(text: str) -> frozenset[str]:
    """The marks that the notes of a text begin with: `*`, `**`, `*1`."""
    return frozenset(_NOTE_MARK.findall(text))


def plain(text: str) -> str:
    """`text` without inline marks. Asterisks go where a note of the text begins with the same ones, so `е***` stays."""
    if "*" in text and (marks := note_marks(text)):
        text = _MARK.sub(lambda found: "" if found[0] in marks else found[0], text)
    if "{" in text:
        text = _INDEX.sub(lambda found: (raised if found[1] == "sup" else lowered)(found[2]), _IMAGE.sub("", text))
        text = _TAG.sub("", text)
    if "[[" in text:
        text = _LINK.sub(r"\1", text)
    if "_" in text:
        text = _EMPHASIS.sub("", text)
    if "`" in text or "´" in text:
        text = _STRESS.sub("\u0300", text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", text)
    return unstressed(text)
