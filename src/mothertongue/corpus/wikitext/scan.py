# cython: boundscheck=False, wraparound=False
"""The cut of a page into text and marks, character by character: what `marks.MARK` finds, quicker if compiled.

Used only as compiled by Cython (build.py, types in scan.pxd); as plain Python it is slower than the expression, and
tests hold one against the other. Each function gives the place behind what it reads, or -1 if it is not there.
"""

from __future__ import annotations

_OPAQUE = ("!--", "nowiki", "math", "pre", "syntaxhighlight", "source")  # as in marks.py


def scan_marks(text: str) -> list[str]:
    """Text at even places, marks at odd ones, as `MARK.split` gives them."""
    parts: list[str] = []
    size = len(text)
    at = begun = 0
    while at < size:
        char = text[at]
        if char > "}" or (char < "<" and char != "\n"):  # most of all text
            at += 1
            continue
        end = -1
        if char == "\n":
            end = _table(text, at, size)
        elif char == "[":
            end = _link(text, at, size)
        elif char == "]":
            end = at + 1
            while end < size and text[end] == "]":
                end += 1
        elif char == "|":
            end = at + 1
        elif char == "<":
            end = _tag(text, at, size)
        elif char == "{":
            if at + 1 < size and text[at + 1] == "{":
                end = _template(text, at, size)
        elif char == "}" and at + 1 < size and text[at + 1] == "}":
            end = at + 2
            while end < size and text[end] == "}":
                end += 1
        if end < 0:
            at += 1
            continue
        parts.append(text[begun:at])
        parts.append(text[at:end])
        at = begun = end
    parts.append(text[begun:])
    return parts


def plain_spaces(text: str) -> tuple[str, bool]:
    """The text without signs of bold and italic, its tabs and hard spaces as spaces, one space for several; and whether
    `__`, `-{` or `://` may stand in it, which need another look.
    """
    parts: list[str] = []
    size = len(text)
    at = begun = 0
    space = False  # the last character was one
    more = False
    while at < size:
        char = text[at]
        if char >= "a" and char <= "z":
            space = False
        elif char == " ":
            if space:  # this one goes
                if at > begun:
                    parts.append(text[begun:at])
                begun = at + 1
            space = True
        elif char == "\t" or char == "\u00a0":
            if at > begun:
                parts.append(text[begun:at])
            if not space:
                parts.append(" ")
            begun = at + 1
            space = True
        elif char == "&" and _hard_space(text, at, size):
            if at > begun:
                parts.append(text[begun:at])
            if not space:
                parts.append(" ")
            at += 5
            begun = at + 1
            space = True
        elif char == "'" and at + 1 < size and text[at + 1] == "'":
            if at > begun:
                parts.append(text[begun:at])
            begun = at + 2
            while begun < size and text[begun] == "'":
                begun += 1
            left = (begun - at) % 5  # five are bold and italic, three bold, two italic; what is over is text
            at = begun - 1
            if left == 1 or left == 4:
                begun -= 1
                space = False
        else:
            space = False
            if (char == "_" or char == "-" or char == ":") and at + 1 < size:
                char = text[at + 1]  # quotes between the two will go
                if char == "_" or char == "{" or char == "/" or char == "'":
                    more = True
        at += 1
    if not parts and begun == 0:
        return text, more
    parts.append(text[begun:])
    return "".join(parts), more


def _hard_space(text: str, at: int, size: int) -> bool:
    if at + 6 > size:
        return False
    name = text[at + 1] == "n" and text[at + 2] == "b" and text[at + 3] == "s" and text[at + 4] == "p"
    return name and text[at + 5] == ";"


def has_word(text: str) -> bool:
    """Whether a letter, a digit or an underscore stands in it, as for `\\w`."""
    for char in text:  # noqa: SIM110 - a loop that C can have
        if char.isalnum() or char == "_":
            return True
    return False


def _small(char: str) -> str:
    """The small letter, with those that the expression takes for the same."""
    if "A" <= char <= "Z":
        return char.lower()
    if char < "\x80":
        return char
    if char == "\u0130" or char == "\u0131":
        return "i"
    if char == "\u017f":
        return "s"
    return "k" if char == "\u212a" else char


def _starts(text: str, at: int, size: int, word: str) -> bool:
    length = len(word)
    if at + length > size:
        return False
    for number in range(length):  # noqa: SIM110 - a loop that C can have
        if _small(text[at + number]) != word[number]:
            return False
    return True


def _inside_link(text: str, at: int, size: int) -> int:
    """Over what may stand in a link without mark-up."""
    while at < size:
        char = text[at]
        if char == "]" or char == "[" or char == "{" or char == "}" or char == "<" or char == "\n":
            break
        at += 1
    return at


def _link(text: str, at: int, size: int) -> int:
    at += 1
    if at >= size:
        return -1
    if text[at] == "[":
        end = _inside_link(text, at + 1, size)
        return end + 2 if end + 1 < size and text[end] == "]" and text[end + 1] == "]" else at + 1
    char = _small(text[at])
    if char != "/" and char != "h" and char != "f" and char != "m":
        return -1
    slashes = at
    if _starts(text, at, size, "http:"):
        slashes = at + 5
    elif _starts(text, at, size, "https:"):
        slashes = at + 6
    elif _starts(text, at, size, "ftp:"):
        slashes = at + 4
    elif char == "m":
        return at if _starts(text, at, size, "mailto:") else -1
    if not (slashes + 1 < size and text[slashes] == "/" and text[slashes + 1] == "/"):
        return -1
    end = _inside_link(text, slashes + 2, size)
    if end < size and text[end] == "]":
        return end + 1
    return at if slashes > at else -1


def _to_bracket(text: str, at: int, size: int) -> int:
    """The place behind the > of a tag; -1 if a < or the end comes before it."""
    while at < size:
        char = text[at]
        if char == ">":
            return at + 1
        if char == "<":
            return -1
        at += 1
    return -1


def _tag(text: str, at: int, size: int) -> int:
    """A comment, a reference without tags in it, or a tag."""
    begun = at + 1
    if begun >= size:
        return -1
    char = text[begun]
    if char == "!":
        if not (begun + 2 < size and text[begun + 1] == "-" and text[begun + 2] == "-"):
            return -1
        end = text.find("-->", begun + 3)
        return size if end < 0 else end + 3
    if char == "/":
        begun += 1
        if begun >= size:
            return -1
        char = text[begun]
    char = _small(char)
    if char < "a" or char > "z":
        return -1
    end = _to_bracket(text, begun + 1, size)
    if end < 0 or char != "r" or begun > at + 1 or not _starts(text, begun, size, "ref"):
        return end
    char = text[begun + 3]
    if char == "_" or char.isalnum() or text[end - 2] == "/":
        return end
    close = text.find("<", end)
    return close + 6 if close >= 0 and _starts(text, close, size, "</ref>") else end


def _plain(text: str, at: int, size: int) -> int:
    """Over what stands in a template and is no template."""
    while at < size:
        char = text[at]
        if char == "{" or char == "}":
            break
        if char != "<":
            at += 1
            continue
        char = text[at + 1] if at + 1 < size else " "
        if char == "!" and at + 3 < size and text[at + 2] == "-" and text[at + 3] == "-":
            end = text.find("-->", at + 4)
            if end < 0:
                break
            at = end + 3
            continue
        char = _small(char)
        if char == "n" or char == "m" or char == "p" or char == "s":
            opaque = False
            for word in _OPAQUE:
                if _starts(text, at + 1, size, word):
                    opaque = True
            if opaque:
                break
        at += 1
    return at


def _template(text: str, at: int, size: int) -> int:
    end = at + 2
    while True:
        end = _plain(text, end, size)
        if end + 1 >= size or text[end + 1] != text[end]:
            break
        if text[end] == "}":
            return end + 2
        if text[end] != "{":
            break
        end = _plain(text, end + 2, size)
        if not (end + 1 < size and text[end] == "}" and text[end + 1] == "}"):
            break
        end += 2
    if at + 2 < size and text[at + 2] == "{" and not (at + 3 < size and text[at + 3] == "{"):
        return at + 3
    return at + 2


def _indent(text: str, at: int, size: int) -> int:
    while at < size and (text[at] == " " or text[at] == "\t" or text[at] == ":"):
        at += 1
    return at


def _table(text: str, at: int, size: int) -> int:
    begun = _indent(text, at + 1, size)
    if begun >= size:
        return -1
    char = text[begun]
    if char == "!":
        return begun + 1
    following = text[begun + 1] if begun + 1 < size else " "
    if char == "|":
        if following == "}" and not (begun + 2 < size and text[begun + 2] == "}"):
            return begun + 2
        return begun + 2 if following == "-" or following == "+" else begun + 1
    if char != "{" or following != "|":
        return -1
    line = text.find("\n", begun + 2)
    while line >= 0:
        row = _indent(text, line + 1, size)
        if row + 1 >= size:
            break
        if text[row] == "{" and text[row + 1] == "|":
            break
        if text[row] == "|" and text[row + 1] == "}" and not (row + 2 < size and text[row + 2] == "}"):
            return row + 2
        line = text.find("\n", line + 1)
    return begun + 2
