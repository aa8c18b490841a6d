"""One walk over the marks of a page: what is shown goes to the output, what is not is stepped over.

The walk goes down into the label of a link, the parameters of a template that shows text, and the cells of a table
that is kept; there it sees each mark once more, so the time is in proportion to the text, and it goes at most
`DEEPEST` levels down. Plain typed Python, and fast as such; build.py compiles it as it is.
"""

from __future__ import annotations

import html
from typing import Final

from mothertongue.corpus.wikitext.formula import power, readable
from mothertongue.corpus.wikitext.gaps import GAP
from mothertongue.corpus.wikitext.links import is_shown, link_text
from mothertongue.corpus.wikitext.marks import RAW, is_hidden, pair, split_marks, tag_name
from mothertongue.corpus.wikitext.site import Site, TemplateRule
from mothertongue.corpus.wikitext.steps import next_bar, next_cell, next_line
from mothertongue.corpus.wikitext.tidy import protect
from mothertongue.corpus.wikitext.weights import TemplateWeights

DEEPEST: Final = 40  # as in MediaWiki
_LITERAL: Final = frozenset({"nowiki", "pre"})
_FORMULA: Final = frozenset({"math", "chem", "ce"})
_LINES: Final = frozenset({
    "br", "hr", "p", "div", "blockquote", "poem", "center", "ul", "ol", "dl", "li", "dt", "dd", "table", "tr",
    "caption", "h1", "h2", "h3", "h4", "h5", "h6", "pre",
})  # fmt: skip


class Walker:
    """The walk over one page."""

    def __init__(self, wiki: Site, title: str, weights: TemplateWeights) -> None:
        self.wiki = wiki
        self.title = title
        self.weights = weights
        self.broken_table = False

    def render(self, text: str, depth: int) -> str:
        """What is shown of a piece of wikitext."""
        parts = split_marks(text)
        if len(parts) == 1:
            return text
        if depth > DEEPEST:
            return ""
        out: list[str] = []
        self.walk(parts, pair(parts), 0, len(parts), out, depth)
        return "".join(out)

    def walk(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> None:
        """Append what is shown of `parts[place:end]`; `place` is that of a text."""
        if depth > DEEPEST:
            return
        while place < end:
            out.append(parts[place])
            place += 1
            if place >= end:
                return
            mark = parts[place]
            first = mark[0] if mark else " "  # a mark may have been used up by `pair`
            if first == "[":
                place = self._link(parts, partner, place, end, out, depth)
            elif first == "<":
                place = self._tag(parts, partner, place, out)
            elif first == "{":
                place = self._template(parts, partner, place, end, out, depth)
            elif first == "\n":
                place = self._table(parts, partner, place, end, out, depth)
            else:
                if mark == "|" or mark == "]":
                    out.append(mark)
                place += 1

    # Each of the following handles the mark at `place` and gives the place of the text from which to go on.

    def _link(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> int:
        mark = parts[place]
        if len(mark) == 2:
            return self._long_link(parts, partner, place, end, out, depth)
        if len(mark) == 1:
            return self._long_address(parts, partner, place)
        if mark[1] != "[":
            out.append(_address_label(mark[1:-1]))
            return place + 1
        bar = mark.find("|")
        colon = mark.find(":")
        target = mark[2:bar] if bar >= 0 else mark[2:-2]
        label = mark[bar + 1 : -2] if bar >= 0 else ""
        if colon >= 0 and (bar < 0 or colon < bar) and not is_shown(target, self.wiki.hidden_prefixes):
            out.append(GAP)
        elif label and label != " ":
            out.append(label)
        elif colon < 0 and bar < 0:
            out.append(target.strip().lstrip("#").replace("_", " "))
        else:
            out.append(link_text(target, "" if bar >= 0 else None))
        return place + 1

    def _long_link(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> int:
        """A link with mark-up in it."""
        close = partner[place]
        target = parts[place + 1]
        shown = ":" not in target or is_shown(target, self.wiki.hidden_prefixes)
        if not close:  # broken
            return place + 1 if shown else next_line(parts, place, end)
        if not shown:
            out.append(GAP)
            return close + 1
        bar = next_bar(parts, partner, place + 1, close)
        before = len(out)
        self.walk(parts, partner, bar + 1 if bar else place + 1, close, out, depth + 1)
        if len(out) == before:
            out.append(link_text(target, ""))
        return close + 1

    def _long_address(self, parts: list[str], partner: list[int], place: int) -> int:
        if partner[place]:
            text = parts[place + 1]
            words = text.split(None, 1)
            parts[place + 1] = words[1] if len(words) == 2 else GAP if len(words) == 1 else ""
        return place + 1

    def _tag(self, parts: list[str], partner: list[int], place: int, out: list[str]) -> int:
        mark = parts[place]
        if mark.endswith("</ref>") or (mark.startswith(("<!--", "<ref ")) and not partner[place]):
            self._skipped(out)
            return place + 1
        name = tag_name(mark)
        end = partner[place]
        if name in _LINES:
            out.append("\n")
        if end and name in RAW:
            if name in _LITERAL:
                out.append(protect(html.unescape("".join(parts[place + 1 : end]))))
            elif name in _FORMULA:
                out.append(self._formula("".join(parts[place + 1 : end]), name == "math"))
            else:
                self._skipped(out)
            return end + 1
        if end and (is_hidden(mark) or (name == "table" and self.wiki.tables == "drop")):
            return end + 1
        if name == "sup" and place + 2 < len(parts) and parts[place + 2].lower().startswith("</sup"):
            out.append(power(parts[place + 1]))
            return place + 3
        if name in ("td", "th"):
            out.append(" ")
        return place + 1

    def _skipped(self, out: list[str]) -> None:
        """Something within a line was left out; a word and a sign after it move together only over a space."""
        if out and out[-1][-1:] == " ":
            out.append(GAP)

    def _formula(self, latex: str, is_math: bool) -> str:
        if self.wiki.formulas == "drop":
            return GAP
        latex = html.unescape(latex).strip()
        return protect(readable(latex) if is_math and self.wiki.formulas == "text" else latex)

    def _template(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> int:
        mark = parts[place]
        if len(mark) > 3:
            out.append(self._short_template(parts, place, depth))
            return place + 1
        close = partner[place]
        if not close:
            return next_line(parts, place, end)
        bar = next_bar(parts, partner, place + 1, close)
        if mark == "{{{":  # a parameter, as on template pages: its default
            if bar:
                self.walk(parts, partner, bar + 1, next_bar(parts, partner, bar + 1, close) or close, out, depth + 1)
            return close + 1
        name = parts[place + 1]
        found = self._rule(name)
        if found is None:
            self._drop(name, parts, place, sum(map(len, parts[place : close + 1])))
            out.append(GAP)
        else:
            fields = self._fields(parts, partner, place + 1, close, depth)
            out.append(self._fill(found, name, fields) or GAP)
        return close + 1

    def _short_template(self, parts: list[str], place: int, depth: int) -> str:
        mark = parts[place]
        inner = mark[2:-2]
        name = inner.partition("|")[0]
        found = self._rule(name)
        if found is None:
            self._drop(name, parts, place, len(mark))
            return GAP
        if "{" in inner or "[" in inner or "<" in inner:
            pieces = split_marks(inner)
            fields = self._fields(pieces, pair(pieces), 0, len(pieces), depth)
        else:
            fields = inner.split("|")
        return self._fill(found, name, fields) or GAP

    def _rule(self, name: str) -> TemplateRule | None:
        found = self.wiki.template(name)
        if found is None and ":" in name:  # {{formatnum:1234}}
            found = self.wiki.template(name.partition(":")[0] + ":")
        return found

    def _drop(self, name: str, parts: list[str], place: int, characters: int) -> None:
        before = parts[place - 1]
        in_text = before[before.rfind("\n") + 1 :].strip() != ""
        self.weights.add(self.wiki.template_name(name), characters=characters, in_text=in_text)

    def _fields(self, parts: list[str], partner: list[int], place: int, end: int, depth: int) -> list[str]:
        """What stands between the bars of a template, rendered."""
        fields: list[str] = []
        while True:
            bar = next_bar(parts, partner, place, end)
            out: list[str] = []
            named = "=" in parts[place]  # a sign in a link or a nested template names no parameter
            self.walk(parts, partner, place, bar or end, out, depth + 1)
            text = "".join(out)
            fields.append(text if named else protect(text, "="))
            if not bar:
                return fields
            tail = parts[bar].rpartition("|")[2]  # \n|- and \n|+ begin a value with a sign
            if tail:
                parts[bar + 1] = tail + parts[bar + 1]
                parts[bar] = "|"
            place = bar + 1

    def _fill(self, found: TemplateRule, name: str, fields: list[str]) -> str:
        arguments = {"*": found.star, "pagename": self.title}
        number = 0
        if ":" in name and not self.wiki.template(name):
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

    def _table(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> int:
        mark = parts[place]
        kind = mark.lstrip("\n\t :")
        close = partner[place]
        if kind.startswith("{|"):
            out.append("\n")
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
        if kind == "!" and not self.broken_table:
            out.append(mark)
            return place + 1
        return next_line(parts, place, end)  # a row that belongs to no table

    def _rows(self, parts: list[str], partner: list[int], place: int, end: int, out: list[str], depth: int) -> None:
        """The cells of a table between its first line and its end; the text before the first mark is attributes."""
        lines = _table_lines(self._cells(parts, partner, place, end, depth), joined=self.wiki.tables == "keep")
        out.append("\n" + "\n".join(lines) + "\n")

    def _cells(self, parts: list[str], partner: list[int], place: int, end: int, depth: int) -> list[tuple[str, str]]:
        cells: list[tuple[str, str]] = []
        kind = "|-"
        while place < end:
            bar = next_cell(parts, partner, place, end)
            out: list[str] = []
            self.walk(parts, partner, place, bar or end, out, depth + 1)
            joined = "".join(out)
            for text in joined.split("!!") if kind == "!" else [joined]:
                cells.append((kind, " ".join(text.rpartition("|")[2].split())))
            if not bar:
                break
            mark = parts[bar].lstrip("\n\t :")
            place = bar + 1
            if mark == "|" and parts[bar][0] == "|":
                place += 2  # the second bar of ||
            else:
                kind = mark
        return cells


def _address_label(inner: str) -> str:
    words = inner.split(None, 1)
    return words[1] if len(words) == 2 else GAP


def _table_lines(cells: list[tuple[str, str]], *, joined: bool) -> list[str]:
    """A line for each row, or for each cell; a cell comes with its mark, |- being what stands before the first one."""
    rows: list[list[str]] = []
    before = "|-"
    for kind, text in cells:
        if kind == "|-":
            before = kind
            continue
        if before in ("|-", "|+") or kind == "|+":  # a title above the table is a row of its own
            rows.append([])
        if text:
            rows[-1].append(text)
        before = kind
    between = protect(" | ") if joined else "\n"
    return [between.join(row) for row in rows if row]
