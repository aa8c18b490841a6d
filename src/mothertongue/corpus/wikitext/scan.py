# cython: wraparound=False
"""The loops over bytes: the cut of a page into text and marks as `marks.MARK` finds them, and looks into marks, lines
and pages.

Used only as compiled by Cython (build.py, types in scan.pxd); as plain Python it is slower than expressions, and tests
hold one against the other. Every index is checked. Each function of a place gives the place behind what it reads, or
-1 if it is not there.
"""

from __future__ import annotations

from mothertongue.corpus.wikitext import pointers
from mothertongue.corpus.wikitext.octets import cut


def table_of(signs: bytes) -> bytes:
    """1 for each of these bytes, 0 for the others: a look-up costs a quarter of what a chain of comparisons does."""
    return bytes([char in list(signs) for char in range(256)])


_MARKS = table_of(b"\n[]|<{}")
_LINK_ENDS = table_of(b"[]{}<\n")
_TAG_ENDS = table_of(b"<>")
_BRACES = table_of(b"{}<")
_NAME_ENDS = table_of(b"{}|<>\n")
_LINK_SIGNS = table_of(b"|:_")
_EDGES = bytes([(0x20 < char < 0x80 and char != 0x23) or 0xC3 <= char < 0xE0 for char in range(256)])
_BRACKETS = table_of(b"()[]")
_GAP_OR_BRACKET = table_of(b"()[]\x01")
_BAR = table_of(b"|")
_NO_SPACE = bytes([char not in (32, 9, 10, 11, 12, 13) for char in range(256)])
_LABEL_ENDS = table_of(b"[]|\n")
_TARGET_ENDS = table_of(b"[]|\n:")
_WORD = table_of(b"0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# first bytes of letters and digits: of ASCII, of U+0100 to U+017F and U+0400 to U+047F, which are all letters
LETTERS = bytes([_WORD[char] or char in (0xC4, 0xC5, 0xD0, 0xD1) for char in range(256)])
_OPAQUE = (b"!--", b"nowiki", b"math", b"pre", b"syntaxhighlight", b"source")  # as in marks.py


def scan_marks(text: bytes) -> list[bytes]:
    """Text at even places, marks at odd ones, as `MARK.split` gives them."""
    parts: list[bytes] = []
    size = len(text)
    at = begun = 0
    while at < size:
        at = _until(text, pointers.over_text(text, at, size), size, _MARKS)
        if at >= size:
            break
        char = text[at]
        end = -1
        if char == ord("\n"):
            end = _table(text, at, size)
        elif char == ord("["):
            end = _link(text, at, size)
        elif char == ord("]"):
            end = at + 1
            while end < size and text[end] == ord("]"):
                end += 1
        elif char == ord("|"):
            end = at + 1
        elif char == ord("<"):
            end = _tag(text, at, size)
        elif char == ord("{"):
            if at + 1 < size and text[at + 1] == ord("{"):
                end = _template(text, at, size)
        elif char == ord("}") and at + 1 < size and text[at + 1] == ord("}"):
            end = at + 2
            while end < size and text[end] == ord("}"):
                end += 1
        if end < 0:
            at += 1
            continue
        parts.append(cut(text, begun, at))
        parts.append(cut(text, at, end))
        at = begun = end
    parts.append(cut(text, begun, size))
    return parts


def word_in(line: bytes) -> int:
    """1 if a letter of ASCII, a digit or an underscore stands in it, 0 if not; -1 if other letters may."""
    if _until(line, 0, len(line), _WORD) < len(line):
        return 1
    return 0 if line.isascii() else -1


def simple_link(mark: bytes) -> bytes:
    """What a link [[...]] shows if that is its label, or its target as it stands; empty if links.py must look at it."""
    size = len(mark) - 2
    at = _until(mark, 2, size, _LINK_SIGNS)
    if at < size:
        if mark[at] == ord("|") and (at + 2 < size or (at + 2 == size and mark[at + 1] != ord(" "))):
            return cut(mark, at + 1, size)
        return b""
    if size < 4 or _EDGES[mark[2]] == 0:
        return b""
    # the last character, too, is one that no space looks like
    whole = mark[size - 1] < 0x80 or (mark[size - 2] >= 0xC3 and mark[size - 2] < 0xE0)
    return cut(mark, 2, size) if whole and mark[size - 1] > 0x20 else b""


def whole_element(mark: bytes) -> int:
    """2 for a mark that ends with </ref>, 1 for one that ends with /> or -->, 0 for others."""
    size = len(mark)
    if size < 3 or mark[size - 1] != ord(">"):
        return 0
    char = mark[size - 2]
    if char == ord("f"):
        found = size > 5 and mark[size - 3] == ord("e") and mark[size - 4] == ord("r") and mark[size - 5] == ord("/")
        return 2 if found and mark[size - 6] == ord("<") else 0
    return 1 if char == ord("/") or (char == ord("-") and mark[size - 3] == ord("-")) else 0


def template_name(mark: bytes) -> bytes:
    """What stands before the first bar of {{...}}."""
    size = len(mark) - 2
    return cut(mark, 2, _until(mark, 2, size, _BAR))


def ends_in_text(before: bytes) -> int:
    """1 if something stands on the last line, 0 if not, -1 if only other spaces than those of ASCII may."""
    at = len(before) - 1
    while at >= 0:
        char = before[at]
        if char == ord("\n"):
            return 0
        if char >= 0x80 or (char >= 0x1C and char < 0x20):
            return -1
        if char != ord(" ") and (char < 9 or char > 13):
            return 1
        at -= 1
    return 0


def gap_in_brackets(line: bytes) -> bool:
    """Whether the bracket before a gap opens, and the one behind it closes: only then gaps.py must look at brackets."""
    size = len(line)
    opened = False
    at = _until(line, 0, size, _GAP_OR_BRACKET)
    while at < size:
        char = line[at]
        if char == 1:
            if opened:
                at = _until(line, at, size, _BRACKETS)
                if at < size and (line[at] == ord(")") or line[at] == ord("]")):
                    return True
                continue
        else:
            opened = char == ord("(") or char == ord("[")
        at = _until(line, at + 1, size, _GAP_OR_BRACKET)
    return False


def names_in(text: bytes) -> tuple[set[bytes], set[bytes], bool]:
    """What stands behind each {{, up to a sign that ends a name; the target of each link with a colon in it; whether
    a magic word `__...` may be there.
    """
    names: set[bytes] = set()
    targets: set[bytes] = set()
    size = len(text)
    at = pointers.place_of(text, ord("{"), 0, size)
    while at + 2 < size:
        behind = at + 1
        if text[behind] == ord("{"):
            begun = _until(text, at + 2, size, _NO_SPACE)
            end = _until(text, begun, size, _NAME_ENDS)
            if end > begun:
                names.add(cut(text, begun, end))
                behind = end  # no brace stands before
        at = pointers.place_of(text, ord("{"), behind, size)
    at = pointers.place_of(text, ord("["), 0, size)
    while at + 2 < size:
        behind = at + 1
        if text[behind] == ord("["):
            begun = _until(text, at + 2, size, _NO_SPACE)
            end = _until(text, begun, size, _TARGET_ENDS)
            if end > begun:
                behind = end
            if end < size and text[end] == ord(":"):
                end = _until(text, end + 1, size, _NO_SPACE)
                targets.add(cut(text, begun, _until(text, end, size, _LABEL_ENDS)))
        at = pointers.place_of(text, ord("["), behind, size)
    at = pointers.place_of(text, ord("_"), 0, size)
    while at + 1 < size and text[at + 1] != ord("_"):
        at = pointers.place_of(text, ord("_"), at + 2, size) if at + 2 <= size else size
    return names, targets, at + 1 < size


def _until(text: bytes, at: int, size: int, stops: bytes) -> int:
    """The next place of a byte that `stops` marks, or the end."""
    while at < size and not stops[text[at]]:
        at += 1
    return at


def _small(char: int) -> int:
    return char + 32 if char >= ord("A") and char <= ord("Z") else char


def _starts(text: bytes, at: int, size: int, word: bytes) -> bool:
    length = len(word)
    if at + length > size:
        return False
    for number in range(length):  # noqa: SIM110 - a loop that C can have
        if _small(text[at + number]) != word[number]:
            return False
    return True


def _link(text: bytes, at: int, size: int) -> int:
    at += 1
    if at >= size:
        return -1
    if text[at] == ord("["):
        end = _until(text, at + 1, size, _LINK_ENDS)
        return end + 2 if end + 1 < size and text[end] == ord("]") and text[end + 1] == ord("]") else at + 1
    char = _small(text[at])
    if char != ord("/") and char != ord("h") and char != ord("f") and char != ord("m"):
        return -1
    slashes = at
    if _starts(text, at, size, b"http:"):
        slashes = at + 5
    elif _starts(text, at, size, b"https:"):
        slashes = at + 6
    elif _starts(text, at, size, b"ftp:"):
        slashes = at + 4
    elif char == ord("m"):
        return at if _starts(text, at, size, b"mailto:") else -1
    if not (slashes + 1 < size and text[slashes] == ord("/") and text[slashes + 1] == ord("/")):
        return -1
    end = _until(text, slashes + 2, size, _LINK_ENDS)
    if end < size and text[end] == ord("]"):
        return end + 1
    return at if slashes > at else -1


def _to_bracket(text: bytes, at: int, size: int) -> int:
    """The place behind the > of a tag; -1 if a < or the end comes before it."""
    at = _until(text, at, size, _TAG_ENDS)
    return at + 1 if at < size and text[at] == ord(">") else -1


def _tag(text: bytes, at: int, size: int) -> int:
    """A comment, a reference without tags in it, or a tag."""
    begun = at + 1
    if begun >= size:
        return -1
    char = text[begun]
    if char == ord("!"):
        if not (begun + 2 < size and text[begun + 1] == ord("-") and text[begun + 2] == ord("-")):
            return -1
        end = text.find(b"-->", begun + 3)
        return size if end < 0 else end + 3
    if char == ord("/"):
        begun += 1
        if begun >= size:
            return -1
        char = text[begun]
    char = _small(char)
    if char < ord("a") or char > ord("z"):
        return -1
    end = _to_bracket(text, begun + 1, size)
    if end < 0 or char != ord("r") or begun > at + 1 or not _starts(text, begun, size, b"ref"):
        return end
    if _WORD[text[begun + 3]] or text[end - 2] == ord("/"):
        return end
    close = pointers.place_of(text, ord("<"), end, size)
    return close + 6 if _starts(text, close, size, b"</ref>") else end


def _plain(text: bytes, at: int, size: int) -> int:
    """Over what stands in a template and is no template."""
    while True:
        at = _until(text, pointers.over_fields(text, at, size), size, _BRACES)
        if at >= size or text[at] != ord("<"):
            break
        char = text[at + 1] if at + 1 < size else ord(" ")
        if char == ord("!") and at + 3 < size and text[at + 2] == ord("-") and text[at + 3] == ord("-"):
            end = text.find(b"-->", at + 4)
            if end < 0:
                break
            at = end + 3
            continue
        char = _small(char)
        if char == ord("n") or char == ord("m") or char == ord("p") or char == ord("s"):
            opaque = False
            for word in _OPAQUE:
                if _starts(text, at + 1, size, word):
                    opaque = True
            if opaque:
                break
        at += 1
    return at


def _template(text: bytes, at: int, size: int) -> int:
    end = at + 2
    while True:
        end = _plain(text, end, size)
        if end + 1 >= size or text[end + 1] != text[end]:
            break
        if text[end] == ord("}"):
            return end + 2
        if text[end] != ord("{"):
            break
        end = _plain(text, end + 2, size)
        if not (end + 1 < size and text[end] == ord("}") and text[end + 1] == ord("}")):
            break
        end += 2
    if at + 2 < size and text[at + 2] == ord("{") and not (at + 3 < size and text[at + 3] == ord("{")):
        return at + 3
    return at + 2


def _indent(text: bytes, at: int, size: int) -> int:
    while at < size and (text[at] == ord(" ") or text[at] == ord("\t") or text[at] == ord(":")):
        at += 1
    return at


def _table(text: bytes, at: int, size: int) -> int:
    begun = _indent(text, at + 1, size)
    if begun >= size:
        return -1
    char = text[begun]
    if char == ord("!"):
        return begun + 1
    following = text[begun + 1] if begun + 1 < size else ord(" ")
    if char == ord("|"):
        if following == ord("}") and not (begun + 2 < size and text[begun + 2] == ord("}")):
            return begun + 2
        return begun + 2 if following == ord("-") or following == ord("+") else begun + 1
    if char != ord("{") or following != ord("|"):
        return -1
    line = pointers.place_of(text, ord("\n"), begun + 2, size)
    while line < size:
        row = _indent(text, line + 1, size)
        if row + 1 >= size:
            break
        if text[row] == ord("{") and text[row + 1] == ord("|"):
            break
        if text[row] == ord("|") and text[row + 1] == ord("}"):
            after = text[row + 2] if row + 2 < size else ord(" ")
            if after != ord("}"):
                return row + 2
        line = pointers.place_of(text, ord("\n"), line + 1, size)
    return begun + 2
