"""Words that two languages have in common but write differently: президент and president, filosofie and philosophy.

Letters are told by their Unicode names (CYRILLIC SMALL LETTER ZHE sounds like zh), so no table of any script is needed;
spellings of one sound (c, k, q; ph, f) become one. Two words are cognates if they begin with the same consonants and
are alike in all. That finds some false friends too; as anchors among hundreds they do little harm.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache

from mothertongue.transfer.overlap import Key, is_word

LEAST_LETTERS = 5
CONSONANTS = 4  # at the beginning, that have to be the same
LEAST_ALIKE = 0.9  # as difflib's ratio has it
MOST_COMPARED = 50  # words with the same beginning
_SOUNDS = (("ph", "f"), ("th", "t"), ("kh", "h"), ("ck", "k"), ("ts", "c"), ("ch", "c"), ("zh", "z"), ("qu", "kv"))
_LETTERS = str.maketrans({"c": "k", "q": "k", "x": "ks", "w": "v", "y": "i", "j": "i", "z": "s"})
_TWO = ("zh", "ch", "sh", "ts", "th", "ph", "kh", "ps", "yu", "ya")


def cognates(
    source: Mapping[int, Key], target: Mapping[int, Key], *, least: float = LEAST_ALIKE
) -> Iterator[tuple[int, int]]:
    """(target id, source id) of words that are likely cognates: the one most alike for each target word, if any."""
    known: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for token, sound in _words(source.items()):
        if len(known[beginning(sound)]) < MOST_COMPARED:
            known[beginning(sound)].append((sound, token))
    for token, sound in _words(target.items()):
        matcher = SequenceMatcher(b=sound, autojunk=False)
        alike = [(_ratio(matcher, other, least), -i, i) for other, i in known.get(beginning(sound), ())]
        best = max(alike, default=(0.0, 0, 0))
        if best[0] >= least:
            yield token, best[2]


def sounds(word: str) -> str:
    """A word in Latin letters, spelt as it sounds, more or less.

    >>> sounds("философия"), sounds("Philosophy"), sounds("президент")
    ('filosofia', 'filosofi', 'president')
    """
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).lower())
    latin = "".join(latin_letter(letter) for letter in letters)
    for written, spoken in _SOUNDS:
        latin = latin.replace(written, spoken)
    return re.sub(r"(.)\1+", r"\1", latin.translate(_LETTERS))


@cache
def latin_letter(letter: str) -> str:
    """What a letter of any alphabet sounds like, by its Unicode name; "" if it is no letter.

    >>> [latin_letter(letter) for letter in "aшлеβბ7"]
    ['a', 'sh', 'l', 'e', 'b', 'b', '']
    """
    if letter.isascii() or not letter.isalpha():
        return letter if letter.isalpha() else ""
    script, _, name = unicodedata.name(letter, "").partition(" ")
    name = name.rpartition("LETTER ")[2].split(" ")[-1].lower()
    if script == "CYRILLIC":
        if name == "sign":  # hard and soft
            return ""
        if re.fullmatch("e[lmnrsf]", name):
            return name[1]
        name = {"ie": "e", "yeru": "i", "shcha": "sh"}.get(name, name)
    return name[:2] if name.startswith(_TWO) else name[:1]


def is_latin(key: Key) -> bool:
    """Whether all letters of a token are Latin.

    >>> is_latin(" třída".encode()), is_latin(" клас".encode())
    (True, False)
    """
    text = key if isinstance(key, str) else key.decode("utf-8", "replace")
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())


def beginning(sound: str) -> str:
    """Its first consonants, after its first letter if that is a vowel.

    >>> beginning("president"), beginning("oktober")
    ('prsd', 'oktbr')
    """
    vowel = sound[:1] if sound[:1] in "aeiou" else ""
    return vowel + re.sub("[aeiou]", "", sound)[:CONSONANTS]


def _words(keys: Iterable[tuple[int, Key]]) -> Iterator[tuple[int, str]]:
    """Tokens that are whole words, or their beginnings, and how they sound."""
    for token, key in keys:
        if isinstance(key, bytes) and key.startswith(b" "):
            text = key[1:].decode("utf-8", "replace")
            if len(text) >= LEAST_LETTERS and is_word(text):
                sound = sounds(text)
                if len(sound) >= LEAST_LETTERS:
                    yield token, sound


def _ratio(matcher: SequenceMatcher[str], other: str, least: float) -> float:
    matcher.set_seq1(other)
    quick: tuple[Callable[[], float], ...] = (matcher.real_quick_ratio, matcher.quick_ratio)
    return 0.0 if any(bound() < least for bound in quick) else matcher.ratio()
