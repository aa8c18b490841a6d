"""The pieces in which a vocabulary writes given bytes: its own merges, without what its pre-tokenizer would add."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tokenizers import Tokenizer

from mothertongue.tokenizer.marks import is_byte_level
from mothertongue.transfer.overlap import Key


def piece_finder(tokenizer: Tokenizer, keys: Mapping[int, Key]) -> Callable[[bytes], list[int]]:
    """A function from bytes to ids of `tokenizer`, whose `keys` are given; empty if it cannot write them.

    Bytes that are no text on their own, like half a letter, are written byte by byte in a SentencePiece vocabulary.
    """
    single = {key: i for i, key in sorted(keys.items(), reverse=True) if isinstance(key, bytes) and len(key) == 1}
    characters = {key[0]: tokenizer.id_to_token(i) or "" for key, i in single.items()}

    def of_bytes(token: bytes) -> list[int]:
        return ids("".join(characters.get(byte, "") for byte in token))

    def of_text(token: bytes) -> list[int]:
        try:
            return ids(token.decode().replace(" ", "▁"))
        except UnicodeDecodeError:
            return [single[part] for part in (token[i : i + 1] for i in range(len(token))) if part in single]

    def ids(written: str) -> list[int]:
        return [piece.id for piece in tokenizer.model.tokenize(written)]

    return of_bytes if is_byte_level(tokenizer) else of_text
