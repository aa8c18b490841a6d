"""How vocabularies write bytes, spaces and themselves, and what each token stands for.

Byte-level ones write every byte as one of 256 characters, which is why Czech looks like mojibake in vocab.json.
Those of the SentencePiece kind write letters as letters, a space as `▁` and a byte of a letter they lack as `<0xC5>`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import Tokenizer

SPACE_MARK = "▁"
# what stands for a `▁` of the text itself, as it would come back as a space: a code point that Unicode keeps for the
# inside of programs and that the corpus never has
LITERAL_MARK = "\ufdd0"
BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def is_byte_level(tokenizer: Tokenizer) -> bool:
    """Whether the vocabulary writes every byte as one of GPT-2's 256 characters."""
    return "ByteLevel" in repr(tokenizer.pre_tokenizer) or "ByteLevel" in repr(tokenizer.decoder)


def token_bytes(tokenizer: Tokenizer) -> dict[int, bytes]:
    """Id -> the bytes it stands for, for every ordinary (not special) token of either kind of vocabulary."""
    read = _read_byte_characters if is_byte_level(tokenizer) else _read_marks
    special = {added.content for added in tokenizer.get_added_tokens_decoder().values() if added.special}
    return {i: read(token) for token, i in tokenizer.get_vocab().items() if token not in special}


def without_prefix(tokenizer: Tokenizer) -> tuple[Tokenizer, str]:
    """`tokenizer` without the space that it writes before every text, and that space; "" if it writes none.

    Those of Llama 2, Mistral and T5 write one, so that a text's first word is cut as any other one. A text in parts
    would get it before each.
    """
    rules = json.loads(tokenizer.to_str())
    plain = {key: _unprefixed(rule) if key in ("normalizer", "pre_tokenizer") else rule for key, rule in rules.items()}
    return (tokenizer, "") if plain == rules else (Tokenizer.from_str(json.dumps(plain)), " ")


def _unprefixed(rule: Any) -> Any:
    """A rule of tokenizer.json that writes nothing before a text."""
    if isinstance(rule, list):
        return [one for one in map(_unprefixed, rule) if one is not None]
    if not isinstance(rule, dict):
        return rule
    quiet = {"prepend_scheme": "never", "add_prefix_space": False}
    inner = {key: quiet.get(key, _unprefixed(value)) for key, value in rule.items()}
    return None if inner.get("type") == "Prepend" else inner


def _read_byte_characters(token: str) -> bytes:
    return bytes(_BYTE_OF[char] for char in token) if all(char in _BYTE_OF for char in token) else token.encode()


def _read_marks(token: str) -> bytes:
    if single := _BYTE_TOKEN.fullmatch(token):
        return bytes.fromhex(single[1])
    return token.replace(SPACE_MARK, " ").replace(LITERAL_MARK, SPACE_MARK).encode()


def _byte_characters() -> list[str]:
    """The character by which GPT-2's vocabulary files write each byte 0..255 (printable bytes stand for themselves)."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


_BYTE_OF = {char: byte for byte, char in enumerate(_byte_characters())}
