"""Signs of bad optical character recognition, as a share of the words of a document.

A single sign says nothing: a manual has `^` and `Obr. 3 -`, an old print a space before a comma. Signs of several kinds
together do: words still cut where a line ended (`Fa- nušku`), page numbers and running heads inside a sentence, an
asterisk or caret in place of a quotation mark, blots (`■`), a punctuation mark stuck to the word after it, lone
consonants. What is a letter, and which words may follow a hyphen (`dvou- až tříletý`), comes from the language's table,
so inflected languages and other alphabets need no rules of their own. Each pattern begins with a rare character, or
with a space that is followed by one: then it is only tried at those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.view import View, view
from mothertongue.languages import Language

LEAST_SIGNS, LEAST_CUT_WORDS = 3, 2  # fewer in a document say nothing
_PLANE = 1 << 16
_ALONE = "lone consonants"
_AFTER_SPACE = ("page numbers", "marks before words", _ALONE)
_BLOTS = "■□▪◆♦¦"
_VOWELS = frozenset("aeiouyаеиоуъыэюяєіїàáâãäåæèéêëìíîïòóôõöøùúûüýāăąēėęěīįōőœūůűų")


def ocr_noise(text: str | View, language: Language) -> float:
    """Signs of bad recognition per word, 0 if they are too few or all of one kind, or if the letters are unknown."""
    own = view(text)
    signs = ocr_signs(own, language)
    several = sum(signs.values()) >= LEAST_SIGNS and sum(count > 0 for count in signs.values()) > 1
    if not several and signs["cut words"] < LEAST_CUT_WORDS:
        return 0.0
    return sum(signs.values()) / (own.count(" \n") + 1)


def ocr_signs(text: str | View, language: Language) -> Mapping[str, int]:
    """How often each kind of sign stands in `text`."""
    if not language.alphabet or not language.function_words:
        return {"cut words": 0}
    own, patterns = view(text), _patterns(language.code)
    signs = {name: len(pattern.findall(own.text)) for name, pattern in patterns.items() if name not in _AFTER_SPACE}
    # an asterisk after a word is a closing quotation mark only if one is missing
    signs["asterisks for quotes"] = min(signs["asterisks for quotes"], max(0, own.count("»") - own.count("«")))
    signs["blots"] = own.count(_BLOTS)
    return signs | _after_spaces(own, language.code)


def _after_spaces(own: View, code: str) -> dict[str, int]:
    """How often each of the patterns that begin with a space is found, tried where its second character stands."""
    spaces = np.flatnonzero(own.points[:-2] == ord(" "))
    seconds = _seconds(code)[np.minimum(own.points[spaces + 1], _PLANE - 1)]
    signs = dict[str, int]()
    for bit, name in enumerate(_AFTER_SPACE):
        places = spaces[(seconds & (1 << bit)) != 0]
        if name == _ALONE:
            places = places[own.points[places + 2] == ord(" ")]
        pattern, signs[name], end = _patterns(code)[name], 0, 0
        for place in places.tolist():
            if place >= end and (found := pattern.match(own.text, place)):
                signs[name], end = signs[name] + 1, found.end()
    return signs


@cache
def _seconds(code: str) -> npt.NDArray[np.uint8]:
    """Code point -> which of the patterns in _AFTER_SPACE it may follow the space in, as bits."""
    numbers, marks, alone = (1 << bit for bit in range(len(_AFTER_SPACE)))
    table = np.zeros(_PLANE, dtype=np.uint8)
    everything = np.arange(_PLANE, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for characters, bit in (
        ([*re.findall(r"\d", everything), everything[-1], *"—–-IVX"], numbers),
        (",;:*", marks),
        (_consonants(code) or "#", alone),
    ):
        table[[*map(ord, characters)]] |= bit
    return table


@cache
def _patterns(code: str) -> dict[str, re.Pattern[str]]:
    from mothertongue.languages import open_language

    language = open_language(code)
    letters = "".join(sorted(language.alphabet))
    small, capital = f"[{letters}]", f"[{letters.upper()}]"
    short = sorted((word for word in language.function_words if len(word) <= 5 and word.isalpha()), reverse=True)
    dashed = r"[—–-] ?\d{1,3} ?[—–-]"
    headed = rf"(?:\d{{1,3}}|[IVX]{{1,4}}) {capital}{{3,}}(?:[. ]+{capital}{{2,}})*"
    table = {
        "cut words": rf"- (?<={small}{small}- )(?!(?:{'|'.join(short)})\b){small}{{2}}",
        "dots between words": rf"• (?<={small} • ){small}",
        "asterisks for quotes": rf"\*(?<=[{letters}.,!?]\*)(?=\s)",
        "carets": rf"\^(?<=\s\^){small}|\^(?<={small}\^)(?=[\s{letters}])",
        "page numbers": rf" (?:{dashed}|{headed})(?= [„»]?{small})",
        "marks before words": rf" [,;:*](?<={small} .){small}",
        _ALONE: rf" [{_consonants(code) or '#'}](?<={small} .) {small}{small}",
    }
    return {name: re.compile(pattern) for name, pattern in table.items()}


def _consonants(code: str) -> str:
    """Letters that are no words by themselves."""
    from mothertongue.languages import open_language

    language = open_language(code)
    return "".join(sorted(letter for letter in language.alphabet - _VOWELS if letter not in language.function_words))
