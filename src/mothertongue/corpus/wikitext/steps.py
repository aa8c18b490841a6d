"""Steps over the marks of one level: what is paired is passed over as a whole."""

from __future__ import annotations


def next_bar(parts: list[bytes], partner: list[int], place: int, end: int) -> int:
    """The next bar on this level from the text at `place` on, 0 if there is none."""
    place += 1
    while place < end:
        mark = parts[place]
        if mark == b"|" or (
            mark[:1] == b"\n" and partner[place] == 0 and mark.lstrip(b"\n\t :") in (b"|", b"|-", b"|+")
        ):
            return place
        place = (partner[place] or place) + 2
    return 0


def next_cell(parts: list[bytes], partner: list[int], place: int, end: int) -> int:
    """The next mark that begins a cell or a row: one at the beginning of a line, or two bars."""
    place += 1
    while place < end:
        mark = parts[place]
        if partner[place]:
            place = partner[place]
        elif mark[:1] == b"\n":
            if len(mark.lstrip(b"\n\t :")) <= 2:
                return place
        elif mark == b"|" and place + 2 < end and parts[place + 2] == b"|" and not parts[place + 1]:
            return place
        place += 2
    return 0


def next_line(parts: list[bytes], place: int, end: int) -> int:
    """Step over the rest of the line: the place of the text that goes on with the next one."""
    place += 1
    while place < end:
        text = parts[place]
        at = text.find(b"\n")
        if at >= 0:
            parts[place] = text[at:]
            return place
        if place + 1 < end and parts[place + 1][:1] == b"\n":
            parts[place] = b""
            return place
        place += 2
    return place
