"""One walk over the marks of a page: what is shown goes to the output, what is not is stepped over.

The walk goes down into the label of a link, the parameters of a template that shows text, and the cells of a table
that is kept; there it sees each mark once more, so the time is in proportion to the text, and it goes at most
`DEEPEST` levels down. Plain typed Python, and fast as such; build.py compiles it as it is.
"""

from __future__ import annotations

import html
from typing import Any, Final

from mothertongue.corpus.wikitext import scan
from mothertongue.corpus.wikitext.formula import power, readable
from mothertongue.corpus.wikitext.gaps import GAP
from mothertongue.corpus.wikitext.links import is_shown, link_text
from mothertongue.corpus.wikitext.marks import RAW, is_hidden, pair, split_marks, tag_name
from mothertongue.corpus.wikitext.octets import bytes_of, length, stripped, text_of
from mothertongue.corpus.wikitext.scan import ends_in_text, simple_link, template_name, whole_element
from mothertongue.corpus.wikitext.site import Site, TemplateRule
from mothertongue.corpus.wikitext.steps import next_bar, next_cell, next_line
from mothertongue.corpus.wikitext.tidy import protect
from mothertongue.corpus.wikitext.weights import TemplateWeights

COMPILED: Final = not str(scan.__file__).endswith(".py")
DEEPEST: Final = 40  # as in MediaWiki
_LINK: Final = ord("[")  # the first bytes of marks
_TAG: Final = ord("<")
_TEMPLATE: Final = ord("{")
_LINE: Final = ord("\n")
_BAR: Final = ord("|")
_SPACE: Final = ord(" ")
_COLON: Final = ord(":")
_EQUALS: Final = ord("=")
_LEFT_OUT: Final = (b"<!--", b"<ref ")
_LITERAL: Final = frozenset({b"nowiki", b"pre"})
_FORMULA: Final = frozenset({b"math", b"chem", b"ce"})
_LINES: Final = frozenset({
    b"br", b"hr", b"p", b"div", b"blockquote", b"poem", b"center", b"ul", b"ol", b"dl", b"li", b"dt", b"dd", b"table",
    b"tr", b"caption", b"h1", b"h2", b"h3", b"h4", b"h5", b"h6", b"pre",
})  # fmt: skip


class Walker:
    """The walk over one page."""

    def __init__(self, wiki: Site, title: str, weights: TemplateWeights) -> None:
        self.wiki = wiki
        self.rules: dict[bytes, Any] = wiki.remembered  # template called so -> its rule
        self.names: dict[bytes, str] = wiki.names
        self.title = title
        self.weights = weights
        self.broken_table = False

    def render(self, text: bytes, depth: int) -> bytes:
        """What is shown of a piece of wikitext."""
        parts = split_marks(text)
        if len(parts) == 1:
            return text
        if depth > DEEPEST:
            return b""
        out: list[bytes] = []
        self.walk(parts, pair(parts), 0, len(parts), out, depth)
        return b"".join(out)

    def walk(self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int) -> None:
        """Append what is shown of `parts[place:end]`; `place` is that of a text."""
        if depth > DEEPEST:
            return
        while place < end:
            out.append(parts[place])
            place += 1
            if place >= end:
                return
            mark = parts[place]
            first = mark[0] if mark else _SPACE  # a mark may have been used up by `pair`
            if first == _LINK:
                place = self._link(parts, partner, place, end, out, depth)
            elif first == _TAG:
                place = self._tag(parts, partner, place, out)
            elif first == _TEMPLATE:
                place = self._template(parts, partner, place, end, out, depth)
            elif first == _LINE:
                place = self._table(parts, partner, place, end, out, depth)
            else:
                if mark == b"|" or mark == b"]":
                    out.append(mark)
                place += 1

    # Each of the following handles the mark at `place` and gives the place of the text from which to go on.

    def _link(self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int) -> int:
        mark = parts[place]
        if len(mark) == 2:
            return self._long_link(parts, partner, place, end, out, depth)
        if len(mark) == 1:
            return self._long_address(parts, partner, place)
        if mark[1] != _LINK:
            out.append(_address_label(mark[1:-1]))
            return place + 1
        if COMPILED and (label := simple_link(mark)):
            out.append(label)
            return place + 1
        bar = mark.find(b"|")
        colon = mark.find(b":")
        target = mark[2:bar] if bar >= 0 else mark[2:-2]
        label = mark[bar + 1 : -2] if bar >= 0 else b""
        if colon >= 0 and (bar < 0 or colon < bar) and not is_shown(mark[2:colon], self.wiki.hidden_prefixes):
            out.append(GAP)
        elif label and label != b" ":
            out.append(label)
        elif colon < 0 and bar < 0:
            out.append(stripped(target).lstrip(b"#").replace(b"_", b" "))
        else:
            out.append(bytes_of(link_text(text_of(target), "" if bar >= 0 else None)))
        return place + 1

    def _long_link(
        self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int
    ) -> int:
        """A link with mark-up in it."""
        close = partner[place]
        target = parts[place + 1]
        shown = _COLON not in target or is_shown(target.partition(b":")[0], self.wiki.hidden_prefixes)
        if not close:  # broken
            return place + 1 if shown else next_line(parts, place, end)
        if not shown:
            out.append(GAP)
            return close + 1
        bar = next_bar(parts, partner, place + 1, close)
        before = len(out)
        self.walk(parts, partner, bar + 1 if bar else place + 1, close, out, depth + 1)
        if len(out) == before:
            out.append(bytes_of(link_text(text_of(target), "")))
        return close + 1

    def _long_address(self, parts: list[bytes], partner: list[int], place: int) -> int:
        if partner[place]:
            text = text_of(parts[place + 1])
            words = text.split(None, 1)
            parts[place + 1] = bytes_of(words[1]) if len(words) == 2 else GAP if len(words) == 1 else b""
        return place + 1

    def _tag(self, parts: list[bytes], partner: list[int], place: int, out: list[bytes]) -> int:
        mark = parts[place]
        is_reference = whole_element(mark) == 2 if COMPILED else mark.endswith(b"</ref>")
        if is_reference or (not partner[place] and mark.startswith(_LEFT_OUT)):
            self._skipped(out)
            return place + 1
        name = tag_name(mark)
        end = partner[place]
        if name in _LINES:
            out.append(b"\n")
        if end and name in RAW:
            if name in _LITERAL:
                out.append(bytes_of(protect(html.unescape(text_of(b"".join(parts[place + 1 : end]))))))
            elif name in _FORMULA:
                out.append(self._formula(text_of(b"".join(parts[place + 1 : end])), name == b"math"))
            else:
                self._skipped(out)
            return end + 1
        if end and (is_hidden(mark) or (name == b"table" and self.wiki.tables == "drop")):
            return end + 1
        if name == b"sup" and place + 2 < len(parts) and parts[place + 2].lower().startswith(b"</sup"):
            out.append(bytes_of(power(text_of(parts[place + 1]))))
            return place + 3
        if name in (b"td", b"th"):
            out.append(b" ")
        return place + 1

    def _skipped(self, out: list[bytes]) -> None:
        """Something within a line was left out; a word and a sign after it move together only over a space."""
        if out and out[-1][-1:] == b" ":
            out.append(GAP)

    def _formula(self, latex: str, is_math: bool) -> bytes:
        if self.wiki.formulas == "drop":
            return GAP
        latex = html.unescape(latex).strip()
        return bytes_of(protect(readable(latex) if is_math and self.wiki.formulas == "text" else latex))

    def _template(
        self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int
    ) -> int:
        mark = parts[place]
        if len(mark) > 3:
            out.append(self._short_template(parts, place, depth))
            return place + 1
        close = partner[place]
        if not close:
            return next_line(parts, place, end)
        bar = next_bar(parts, partner, place + 1, close)
        if mark == b"{{{":  # a parameter, as on template pages: its default
            if bar:
                self.walk(parts, partner, bar + 1, next_bar(parts, partner, bar + 1, close) or close, out, depth + 1)
            return close + 1
        name = parts[place + 1]
        found = self._rule(name)
        if found is None:
            self._drop(name, parts, place, length(b"".join(parts[place : close + 1])))
            out.append(GAP)
        else:
            fields = self._fields(parts, partner, place + 1, close, depth)
            out.append(bytes_of(self._fill(found, name, fields)) or GAP)
        return close + 1

    def _short_template(self, parts: list[bytes], place: int, depth: int) -> bytes:
        mark = parts[place]
        name = template_name(mark) if COMPILED else mark[2:-2].partition(b"|")[0]
        found = self._rule(name)
        if found is None:
            self._drop(name, parts, place, length(mark))
            return GAP
        inner = mark[2:-2]
        if _TEMPLATE in inner or _LINK in inner or _TAG in inner:
            pieces = split_marks(inner)
            fields = self._fields(pieces, pair(pieces), 0, len(pieces), depth)
        else:
            fields = text_of(inner).split("|")
        return bytes_of(self._fill(found, name, fields)) or GAP

    def _rule(self, name: bytes) -> TemplateRule | None:
        known = self.rules.get(name, self)
        found: TemplateRule | None = self.wiki.template(name) if known is self else known
        if found is None and _COLON in name:  # {{formatnum:1234}}
            found = self.wiki.template(name.partition(b":")[0] + b":")
        return found

    def _drop(self, name: bytes, parts: list[bytes], place: int, characters: int) -> None:
        before = parts[place - 1]
        found = ends_in_text(before) if COMPILED else -1
        in_text = found > 0 or (found < 0 and stripped(before[before.rfind(b"\n") + 1 :]) != b"")
        known = self.names.get(name)
        self.weights.add(known or self.wiki.template_name(name), characters=characters, in_text=in_text)

    def _fields(self, parts: list[bytes], partner: list[int], place: int, end: int, depth: int) -> list[str]:
        """What stands between the bars of a template, rendered."""
        fields: list[str] = []
        while True:
            bar = next_bar(parts, partner, place, end)
            out: list[bytes] = []
            named = _EQUALS in parts[place]  # a sign in a link or a nested template names no parameter
            self.walk(parts, partner, place, bar or end, out, depth + 1)
            text = text_of(b"".join(out))
            fields.append(text if named else protect(text, "="))
            if not bar:
                return fields
            tail = parts[bar].rpartition(b"|")[2]  # \n|- and \n|+ begin a value with a sign
            if tail:
                parts[bar + 1] = tail + parts[bar + 1]
                parts[bar] = b"|"
            place = bar + 1

    def _fill(self, found: TemplateRule, name: bytes, fields: list[str]) -> str:
        arguments = {"*": found.star, "pagename": self.title}
        number = 0
        if _COLON in name and not self.wiki.template(name):
            fields[0] = fields[0].partition(":")[2]
        else:
            fields = fields[1:]
        for text in fields:
            key, equals, value = text.partition("=")
            if equals and "\n" not in key.strip() and len(key) < 100:
                arguments[key.strip()] = value.strip()
            else:
                number += 1
                arguments[str(number)] = text.strip()
        return found.rule(arguments)

    def _table(self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int) -> int:
        mark = parts[place]
        kind = mark.lstrip(b"\n\t :")
        close = partner[place]
        if kind.startswith(b"{|"):
            out.append(b"\n")
            if len(kind) > 2:
                if self.wiki.tables != "drop":
                    pieces = split_marks(kind[2:-2])
                    self._rows(pieces, pair(pieces), 0, len(pieces), out, depth)
                return place + 1
            if close:
                if self.wiki.tables != "drop":
                    self._rows(parts, partner, place + 1, close, out, depth)
                return close + 1
            self.broken_table = True
            return next_line(parts, place, end)
        if kind == b"!" and not self.broken_table:
            out.append(mark)
            return place + 1
        return next_line(parts, place, end)  # a row that belongs to no table

    def _rows(self, parts: list[bytes], partner: list[int], place: int, end: int, out: list[bytes], depth: int) -> None:
        """The cells of a table between its first line and its end; the text before the first mark is attributes."""
        lines = _table_lines(self._cells(parts, partner, place, end, depth), joined=self.wiki.tables == "keep")
        out.append(b"\n" + bytes_of("\n".join(lines)) + b"\n")

    def _cells(
        self, parts: list[bytes], partner: list[int], place: int, end: int, depth: int
    ) -> list[tuple[bytes, str]]:
        cells: list[tuple[bytes, str]] = []
        kind = b"|-"
        while place < end:
            bar = next_cell(parts, partner, place, end)
            out: list[bytes] = []
            self.walk(parts, partner, place, bar or end, out, depth + 1)
            joined = text_of(b"".join(out))
            for text in joined.split("!!") if kind == b"!" else [joined]:
                cells.append((kind, " ".join(text.rpartition("|")[2].split())))
            if not bar:
                break
            mark = parts[bar].lstrip(b"\n\t :")
            place = bar + 1
            if mark == b"|" and parts[bar][0] == _BAR:
                place += 2  # the second bar of ||
            else:
                kind = mark
        return cells


def _address_label(inner: bytes) -> bytes:
    words = text_of(inner).split(None, 1)
    return bytes_of(words[1]) if len(words) == 2 else GAP


def _table_lines(cells: list[tuple[bytes, str]], *, joined: bool) -> list[str]:
    """A line for each row, or for each cell; a cell comes with its mark, |- being what stands before the first one."""
    rows: list[list[str]] = []
    before = b"|-"
    for kind, text in cells:
        if kind == b"|-":
            before = kind
            continue
        if before in (b"|-", b"|+") or kind == b"|+":  # a title above the table is a row of its own
            rows.append([])
        if text:
            rows[-1].append(text)
        before = kind
    between = protect(" | ") if joined else "\n"
    return [between.join(row) for row in rows if row]
