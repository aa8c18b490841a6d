"""Pages are read as UTF-8, since all mark-up is ASCII: what needs whole characters goes through here.

Lone surrogates, which only a caller's own string can hold, pass both ways.
"""

from __future__ import annotations

from typing import Final

# first bytes of spaces beyond ASCII: U+0085 and U+00A0, U+1680, U+2000 to U+205F, U+3000
_LEADS: Final = frozenset((0xC2, 0xE1, 0xE2, 0xE3))


def cut(data: bytes, begin: int, end: int) -> bytes:
    """`data[begin:end]`, without the objects that a slice costs when it is compiled. IndexError if it is not inside."""
    raw = data  # in C a pointer: hence the check
    if begin < 0 or end < begin or end > len(data):
        raise IndexError(f"{begin}:{end} of {len(data)} bytes")
    return raw[begin:end]


def text_of(data: bytes) -> str:
    """The characters."""
    return data.decode("utf-8", "surrogatepass")


def bytes_of(text: str) -> bytes:
    """The bytes."""
    return text.encode("utf-8", "surrogatepass")


def stripped(data: bytes) -> bytes:
    """Without spaces of any kind at either end.

    >>> stripped(" Aš\\u00a0".encode())
    b'A\\xc5\\xa1'
    """
    data = data.strip()
    if not data or data.isascii():
        return data
    if data[0] in _LEADS or data[-2:-1] == b"\xc2" or data[-3:-2] in (b"\xe1", b"\xe2", b"\xe3"):
        return bytes_of(text_of(data).strip())
    return data


def length(data: bytes) -> int:
    """How many characters they are."""
    return len(data) if data.isascii() else len(text_of(data))
