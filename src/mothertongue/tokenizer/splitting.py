"""Where a text is cut before a vocabulary is learnt: no token reaches over such a cut.

GPT-2's expression takes a combining mark for a sign of its own, which tears every Hindi or Tamil word apart, and gives
each of two newlines a token. `script` keeps marks and joiners inside words of any script, an apostrophe between letters
in its word, digits in groups of at most three, and newlines together (docs/why/tokenizers.md has what it is worth).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, pre_tokenizers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# U+200C and U+200D join letters in Persian and in India's scripts; between emoji they stand among signs
_INSIDE = r"[\p{L}\p{M}\x{200C}\x{200D}]"
SCRIPT = "|".join(
    (
        rf" ?\p{{L}}{_INSIDE}*(?:['’ʼ]\p{{L}}{_INSIDE}*)*",
        r" ?\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+",
        r"[\r\n]+",
        r"[^\S\r\n]+(?!\S)",
        r"\s+",
    )
)
_EXPRESSIONS = {"gpt2": GPT2, "script": SCRIPT}
MARKS_THAT_MATTER = 0.005  # combining marks among characters; Czech in NFC has hardly any, Hindi about .3


def splitter(name: str, *, may_end: Sequence[str] = ()) -> pre_tokenizers.PreTokenizer:
    """The cuts called `name`, "gpt2" or "script". One of the signs `may_end` belongs to what it follows."""
    expression = f"(?:{_EXPRESSIONS[name]})[{''.join(may_end)}]?" if may_end else _EXPRESSIONS[name]
    return pre_tokenizers.Split(Regex(expression), "isolated")


def suitable_split(texts: Iterable[str]) -> str:
    """ "script" where GPT-2's cuts would tear words at combining marks, else "gpt2", which GPT2Tokenizer opens.

    >>> suitable_split(["Příliš žluťoučký kůň"]), suitable_split(["हिन्दी में लिखा"])
    ('gpt2', 'script')
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    marks = sum(count for char, count in counts.items() if unicodedata.category(char).startswith("M"))
    return "script" if marks > MARKS_THAT_MATTER * max(1, counts.total()) else "gpt2"
