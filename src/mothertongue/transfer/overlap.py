"""Which tokens two vocabularies share: tokens are compared as the bytes they stand for, special tokens by their role.

Vocabularies write the same token differently: " the" is "Ġthe" in a byte-level vocabulary and "▁the" in a
SentencePiece one, and "é" may be "Ã©". Comparing the strings would miss some tokens and, worse, mistake others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.tokenizer.marks import token_bytes

Key = bytes | str
"""What a token stands for: its bytes, or the role of a special token."""

ROLES: dict[str, tuple[str, ...]] = {
    "unknown": ("<|unknown|>", "<unk>", "[UNK]"),
    "pad": ("<|pad|>", "<pad>", "[PAD]", "<|padding|>"),
}
END_ROLE = "end of text"


def shared_tokens(source: Mapping[int, Key], target: Mapping[int, Key]) -> dict[int, int]:
    """Target id -> source id of every token that both have, in the order of target ids.

    >>> shared_tokens({0: "end of text", 1: b" the"}, {0: b" dog", 1: b" the", 2: "end of text"})
    {1: 1, 2: 0}
    """
    first = {key: i for i, key in sorted(source.items(), reverse=True)}
    return {i: first[key] for i, key in sorted(target.items()) if key in first}


def is_word(text: str) -> bool:
    """Whether `text` is letters alone, with or without combining marks, in which scripts of India write vowels.

    >>> is_word("třída"), is_word("का"), is_word("1918"), is_word("")
    (True, True, False, False)
    """
    return text[:1].isalpha() and all(char.isalpha() or unicodedata.category(char)[0] == "M" for char in text)


def token_keys(tokenizer: Tokenizer) -> dict[int, Key]:
    """Id -> what the token stands for, for every token of a byte-level or SentencePiece-like vocabulary."""
    keys: dict[int, Key] = dict(token_bytes(tokenizer))
    roles = {name: role for role, names in ROLES.items() for name in names}
    for i, added in tokenizer.get_added_tokens_decoder().items():
        keys[i] = roles.get(added.content, added.content) if added.special else added.content.encode()
    keys[end_of_text_id(tokenizer)] = END_ROLE
    return keys
