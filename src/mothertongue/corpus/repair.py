"""What e-books, scans and web pages spoil and what can be put right without a doubt; everything else is left alone.

* `mojibake`: UTF-8 that was read in another encoding (`PĹ™Ă­liĹˇ`), by ftfy, limited to that: quotes, dashes, ligatures,
  entities and widths stay as they are. Only lines with a suspicious pair of characters are looked at.
* `soft-hyphens`: a soft hyphen, or the `¬` that scans have in its place, with the line break behind it.
* `page-furniture`: page numbers and running heads that come again and again in the middle of sentences.
* `line-end-hyphens`: a word that was cut at the end of a line is joined, if the document has the whole word elsewhere,
  or its halves nowhere else; what has its hyphen elsewhere, and the Bulgarian `по-`, keep it.

Each is known by its name: `skip_rules` of a source leaves it out. Repairs come before `clean`, which would lose what
mojibake is told by.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from mothertongue.corpus.furniture import drop_page_furniture
from mothertongue.languages import Language

_BREAK = re.compile("\r\n?")
# a lead byte of UTF-8 and what follows it, as seen in the Latin, Central European and Cyrillic code pages, and in cp437
_LATIN_TRAIL = "\x80-\xbf€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›ĄąĽľŁłŚśŞşŤťŹźŻżŽžŠšŒœŸˇ˘˛˝˙"
_CYRILLIC_TRAIL = "°±²³µ·№»јЅѕёєѓґ†‡€‰‹љ›њќћџЂЃЉЊЌЋЏђЎўЈҐЁЄЇІіїљ\xa0¤¦§©«¬®"
_SUSPECT = re.compile(  # begins with one class, which a search skips to quickly
    "[ÂÃÄÅĂĹÐÑĐŃâвРС├┬┼─╨╤]"
    f"(?:(?<=[ÂÃÄÅĂĹÐÑĐŃ])[{_LATIN_TRAIL}]|(?<=â)€|(?<=в)Ђ|(?<=[РС])[{_CYRILLIC_TRAIL}][РС][{_CYRILLIC_TRAIL}а-яА-Я]"
    "|(?<=[├┬┼─╨╤])[\x80-\xff░-▟─-╬])"
)
_SOFT = re.compile("[\u00ad¬](?<=[^\\W\\d_].)[ \t]*+(?:\n[ \t]*+)?+(?=[^\\W\\d_])")
_CUT = re.compile("[-\u2010]\n(?<=[^\\W\\d_].\n)[ \t]*([^\\W\\d_]+)")
_LEFT_HALF = re.compile(r"[^\W\d_]+$")
_LONGEST_HALF = 40
_WORDS = re.compile(r"\w+(?:-\w+)*")


def repair(text: str, language: Language, *, skip: Collection[str] = ()) -> str:
    """`text` with what is certainly spoilt put right; repairing twice changes nothing."""
    text = _BREAK.sub("\n", text) if "\r" in text else text
    for name, function in REPAIRS.items():
        if name not in skip and "all" not in skip:
            text = function(text, language)
    return text


def mend_mojibake(text: str, language: Language) -> str:
    """`text` with the lines that were decoded wrongly decoded again."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    fix, config = _ftfy()
    lines = text.split("\n")
    return "\n".join(fix(line, config) if _SUSPECT.search(line) else line for line in lines)


@cache
def _ftfy() -> tuple[Callable[[str, Any], str], Any]:
    import ftfy

    config = ftfy.TextFixerConfig(
        unescape_html=False, remove_terminal_escapes=False, replace_lossy_sequences=False, fix_c1_controls=False,
        fix_latin_ligatures=False, fix_character_width=False, uncurl_quotes=False, fix_line_breaks=False,
        fix_surrogates=False, remove_control_chars=False, normalization=None, explain=False,
    )  # fmt: skip
    return ftfy.fix_text, config


def join_soft_hyphens(text: str, language: Language) -> str:
    """`text` without soft hyphens inside words, nor the line breaks that they allowed."""
    return _SOFT.sub("", text) if "\u00ad" in text or "¬" in text else text


def join_cut_words(text: str, language: Language) -> str:
    """`text` with words joined that were cut at the end of a line."""
    if "-\n" not in text and "\u2010\n" not in text:
        return text
    words = Counter(_WORDS.findall(text.lower()))

    def joined(found: re.Match[str]) -> str:
        half = _LEFT_HALF.search(text, max(0, found.start() - _LONGEST_HALF), found.start())
        return found[0] if half is None else _ending(half[0], found[1], words, language) or found[0]

    return _CUT.sub(joined, text)


def _ending(left: str, right: str, words: Counter[str], language: Language) -> str:
    """What stands in place of the hyphen, the break and `right`; "" if that cannot be told."""
    first, second, known = left.lower(), right.lower(), language.function_words
    if f"{first}-{second}" in words:
        return "-" + right
    if right.islower() and (first + second in words or first + second in known):
        return right
    if f"{first}-" in known:
        return "-" + right
    # each half was counted once, where the word is cut
    halves = words[first] == 1 == words[second] and first not in known and second not in known
    return right if right.islower() and halves else ""


REPAIRS: dict[str, Callable[[str, Language], str]] = {
    "mojibake": mend_mojibake,
    "soft-hyphens": join_soft_hyphens,
    "page-furniture": drop_page_furniture,
    "line-end-hyphens": join_cut_words,
}
