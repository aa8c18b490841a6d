"""What C does quicker than a loop: the next place of a byte, and a run of bytes copied or judged at once.

Compiled, it is what stands in pointers.pxd, where each function compares its ends with the size before it touches a
pointer; this file is what plain Python gets, and is not compiled itself.
"""

from __future__ import annotations


def place_of(data: bytes, char: int, at: int, end: int) -> int:
    """The next place of the byte from `at` on, or `end`. IndexError if they are not inside."""
    if at < 0 or end < at or end > len(data):
        raise IndexError(f"{at}:{end} of {len(data)} bytes")
    found = data.find(char, at, end)
    return end if found < 0 else found


def is_plain(data: bytes, at: int, end: int) -> bool:
    """Whether nothing but ASCII stands there, and no controls but tabs and ends of lines. IndexError as above."""
    if at < 0 or end < at or end > len(data):
        raise IndexError(f"{at}:{end} of {len(data)} bytes")
    return all(0x20 <= char < 0x80 or char in (9, 10) for char in data[at:end])


def copied(data: bytes, at: int, end: int, room: bytearray, place: int) -> None:
    """Write `data[at:end]` into `room` from `place` on. IndexError if it is not inside, or has no room."""
    if at < 0 or end < at or end > len(data) or place < 0 or place + end - at > len(room):
        raise IndexError(f"{at}:{end} of {len(data)} bytes to {place} of {len(room)}")
    room[place : place + end - at] = data[at:end]


def over_text(data: bytes, at: int, end: int) -> int:
    """A place, from `at` on, up to which no sign of mark-up stands; plain Python takes no step. IndexError as above."""
    return at


def over_fields(data: bytes, at: int, end: int) -> int:
    """The same for braces and the beginnings of tags."""
    return at


def over_words(data: bytes, at: int, end: int) -> int:
    """The same for the signs that spaces.py looks at, and for spaces that stand beside each other."""
    return at
