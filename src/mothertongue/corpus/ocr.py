"""Signs of bad optical character recognition, as a share of the words of a document.

A single sign says nothing: a manual has `^` and `Obr. 3 -`, an old print a space before a comma. Signs of several kinds
together do: words still cut where a line ended (`Fa- nušku`), page numbers and running heads inside a sentence, an
asterisk or caret in place of a quotation mark, blots (`■`), a punctuation mark stuck to the word after it, lone
consonants. What is a letter, and which words may follow a hyphen (`dvou- až tříletý`), comes from the language's table,
so inflected languages and other alphabets need no rules of their own. Each pattern begins with a rare character, or
with one class, so that the search runs at 50 MB/s and more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from mothertongue.languages import Language

LEAST_SIGNS, LEAST_CUT_WORDS = 3, 2  # fewer in a document say nothing
_BLOTS = "■□▪◆♦¦"
_VOWELS = frozenset("aeiouyаеиоуъыэюяєіїàáâãäåæèéêëìíîïòóôõöøùúûüýāăąēėęěīįōőœūůűų")


def ocr_noise(text: str, language: Language) -> float:
    """Signs of bad recognition per word, 0 if they are too few or all of one kind, or if the letters are unknown."""
    signs = ocr_signs(text, language)
    several = sum(signs.values()) >= LEAST_SIGNS and sum(count > 0 for count in signs.values()) > 1
    if not several and signs["cut words"] < LEAST_CUT_WORDS:
        return 0.0
    return sum(signs.values()) / (text.count(" ") + text.count("\n") + 1)


def ocr_signs(text: str, language: Language) -> Mapping[str, int]:
    """How often each kind of sign stands in `text`."""
    if not language.alphabet or not language.function_words:
        return {"cut words": 0}
    signs = {name: len(pattern.findall(text)) for name, pattern in _patterns(language.code).items()}
    # an asterisk after a word is a closing quotation mark only if one is missing
    signs["asterisks for quotes"] = min(signs["asterisks for quotes"], max(0, text.count("»") - text.count("«")))
    signs["blots"] = sum(map(text.count, _BLOTS))
    return signs


@cache
def _patterns(code: str) -> dict[str, re.Pattern[str]]:
    from mothertongue.languages import open_language

    language = open_language(code)
    letters = "".join(sorted(language.alphabet))
    small, capital = f"[{letters}]", f"[{letters.upper()}]"
    single = {word for word in language.function_words if len(word) == 1}
    consonants = "".join(letter for letter in letters if letter not in single and letter not in _VOWELS)
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
        "lone consonants": rf" [{consonants or '#'}](?<={small} .) {small}{small}",
    }
    return {name: re.compile(pattern) for name, pattern in table.items()}
