"""One HTML page of a corpus: counts, pictures, and samples of what was kept and dropped. It needs no other file, loads
nothing, runs no script, and its size is bounded whatever the corpus holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from mothertongue.corpus.inspect.findings import Dropped, Findings, SourceFound
from mothertongue.corpus.inspect.html import Node, picture, tag, write
from mothertongue.corpus.inspect.look import Look, shown
from mothertongue.corpus.inspect.pictures import histogram
from mothertongue.corpus.ledger import SAMPLE_CHARACTERS as DROPPED_CHARACTERS
from mothertongue.corpus.ledger import documents_in
from mothertongue.corpus.split import SPLITS

MOST_SOURCES = 100
_MOST_COLUMNS = 8
_MOST_HISTOGRAMS = 12
_MOST_SAMPLED = 40  # sources whose documents are shown
_NAME_CHARACTERS = 80
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # should an escape fail: no script runs
_OPEN = 3  # reasons whose samples are open at first


def make_page(findings: Findings, seen: Look) -> str:
    """The page as text."""
    sections = [
        _section("sources", "Kept and dropped by source", _sources(findings)),
        _section("reasons", "Dropped by reason", _reasons(findings)),
        _section("sides", "Text by source and side", _sides(findings, seen)),
        _section("pictures", "What the documents are like", _pictures(seen)),
        _section("templates", "Templates that were dropped", _templates(findings)),
        _section("dropped", "Samples of what was dropped", _dropped(findings)),
        _section("kept", "Samples of what was kept", _kept(findings, seen)),
    ]
    shown_sections = [one for one in sections if one is not None]
    title = f"Corpus: {_cut(findings.language_name)}"
    body = tag("main", *_head(findings, title, shown_sections), *shown_sections)
    style = tag("style")
    style.text = files(__package__).joinpath("style.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        style,
    )
    return "<!doctype html>\n" + write(tag("html", head, tag("body", body), lang="en")) + "\n"


def _section(anchor: str, title: str, content: Iterator[Node]) -> Node | None:
    nodes = list(content)
    return tag("section", tag("h2", title), *nodes, id=anchor) if nodes else None


def _head(findings: Findings, title: str, sections: Sequence[Node]) -> Iterator[Node]:
    dropped = documents_in(findings.dropped)
    share = findings.documents / max(1, findings.documents + dropped)
    yield tag("h1", title)
    yield tag("div", f"{findings.folder.name}, made {findings.created[:10] or 'at an unknown time'}", class_="soft")
    yield tag("nav", *(tag("a", one[0].text or "", href=f"#{one.get('id', '')}") for one in sections))
    tiles = {
        "documents kept": f"{findings.documents:,}",
        "of text": _bytes(findings.bytes),
        "documents dropped": f"{dropped:,}",
        "of what was read is kept": f"{share:.1%}",
        "source" if len(findings.sources) == 1 else "sources": f"{len(findings.sources):,}",
    }
    yield tag(
        "div", *(tag("div", tag("b", value), name, class_="tile") for name, value in tiles.items()), class_="tiles"
    )


def _sources(findings: Findings) -> Iterator[Node]:
    rows = list[list[Node | str]]()
    for one in _by_size(findings)[:MOST_SOURCES]:
        gone = documents_in(one.dropped)
        shares = {"kept": one.documents / max(1, gone + one.documents), "gone": gone / max(1, gone + one.documents)}
        cells: list[Node | str] = [_cut(one.name), _cut(one.licence, 30), f"{one.documents:,}", _bytes(one.bytes)]
        cells += [f"{one.bytes / max(1, findings.bytes):.1%}", f"{gone:,}", f"{shares['gone']:.1%}"]
        rows.append([*cells, _stack(shares)])
    if rows:
        yield _key({"kept": "documents kept", "gone": "dropped"})
        head = ("source", "licence", "kept", "text", "of all text", "dropped", "share", "")
        yield _table(head, rows, left_out=len(findings.sources) - MOST_SOURCES)


def _reasons(findings: Findings) -> Iterator[Node]:
    """Reasons as rows, with a bar each; sources as columns, those that lost most."""
    losing = sorted((one for one in findings.sources if one.dropped), key=lambda one: -sum(one.dropped.values()))
    columns, others = (losing[:_MOST_COLUMNS], losing[_MOST_COLUMNS:]) if len(losing) > 1 else ([], [])
    most = max(findings.dropped.values(), default=1)
    total = max(1, sum(findings.dropped.values()))
    rows: list[list[Node | str]] = []
    for reason, count in findings.dropped.items():
        link = tag("a", _cut(reason), href=f"#{_anchor(reason, findings)}") if reason in findings.samples else None
        counts = [one.dropped.get(reason, 0) for one in columns]
        counts += [sum(one.dropped.get(reason, 0) for one in others)] if others else []
        cells = [f"{number:,}" if number else "·" for number in counts]
        rows.append(
            [link or _cut(reason), _stack({"gone": count / most}), f"{count:,}", f"{count / total:.1%}", *cells]
        )
    if rows:
        head = ["reason", "", "times", "share", *(_cut(one.name, 24) for one in columns)]
        yield _table(head + (["others"] if others else []), rows)


def _sides(findings: Findings, seen: Look) -> Iterator[Node]:
    largest = max((one.bytes for one in findings.sources), default=0) or 1
    rows: list[list[Node | str]] = []
    for one in _by_size(findings)[:MOST_SOURCES]:
        parts = {side: seen.bytes[one.name, side] for side in SPLITS}
        read = sum(parts.values())
        if read:
            scale = one.bytes / largest / read
            shares = [f"{parts[side] / read:.1%}" for side in SPLITS]
            stack = _stack({side: size * scale for side, size in parts.items()})
            rows.append([_cut(one.name), stack, _bytes(one.bytes), *shares])
    total = [f"{size.documents:,} documents, {_bytes(size.bytes)}" for size in findings.sides.values()]
    words: dict[str, str] = {
        side: f"{side}: {text}" for side, text in zip(findings.sides, total, strict=True) if side in SPLITS
    }
    if rows:
        yield _key(words)
        yield _table(["source", "", "text", *SPLITS], rows)
        if seen.read < findings.documents:
            yield tag("p", f"Shares of sides are those of the {seen.read:,} documents that were read.", class_="soft")


def _pictures(seen: Look) -> Iterator[Node]:
    every = [size for sizes in seen.characters.values() for size in sizes]
    wanted = (
        ("Length of documents", "characters", every, True),
        ("Length of words, mean of a document", "characters", seen.word_lengths, False),
        ("Words for each end of a sentence", "words", seen.sentence_words, True),
        ("Letters among visible characters", "share", seen.letters, False),
    )
    drawn = [_figure(title, histogram(values, label=label, log=log)) for title, label, values, log in wanted if values]
    if not drawn:
        return
    bad = f" {seen.unreadable:,} lines could not be read." if seen.unreadable else ""
    text = f"From {seen.read:,} documents, evenly taken from the shards. The line is the median; the bars at both ends"
    yield tag("p", f"{text} also hold what lies beyond.{bad}", class_="soft")
    yield tag("div", *drawn, class_="pictures")
    largest = sorted(seen.characters.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_HISTOGRAMS]
    if len(seen.characters) > 1:
        small = (
            _figure(f"{_cut(name)} ({len(sizes):,})", histogram(sizes, label="", log=True, wide=False))
            for name, sizes in largest
        )
        yield tag("p", "Length of documents in characters, by source (documents read):", class_="soft")
        yield tag("div", *small, class_="pictures small")


def _figure(title: str, svg: str) -> Node:
    return tag("figure", tag("figcaption", title, title=title), picture(svg, title))


def _templates(findings: Findings) -> Iterator[Node]:
    most = max((one.in_text or one.count for one in findings.templates), default=1) or 1
    rows: list[list[Node | str]] = [
        [
            _cut(one.name),
            _stack({"gone": (one.in_text or 0) / most}),
            f"{one.in_text:,}",
            f"{one.count:,}",
            f"{one.characters:,}",
        ]
        for one in findings.templates
    ]
    if rows:
        yield tag(
            "p",
            "Nothing of these is in the text. Those that left most gaps within sentences come first: they are worth a "
            "line under [text_templates] in the language's file.",
            class_="soft",
        )
        yield _table(("template", "", "within text", "in all", "characters"), rows)


def _dropped(findings: Findings) -> Iterator[Node]:
    for number, (reason, samples) in enumerate(findings.samples.items()):
        count = f"{findings.dropped[reason]:,} dropped, {len(samples)} shown"
        folded = tag("details", tag("summary", _cut(reason), tag("span", count)), id=_anchor(reason, findings))
        for sample in samples:
            folded.append(_dropped_sample(sample, findings))
        if number < _OPEN:
            folded.set("open", "")
        yield folded


def _dropped_sample(sample: Dropped, findings: Findings) -> Node:
    cut = "…" if len(sample.text) >= DROPPED_CHARACTERS else ""
    return _sample(f"{_cut(sample.source)} · {_cut(sample.id, 200)}", sample.text + cut, findings)


def _kept(findings: Findings, seen: Look) -> Iterator[Node]:
    for number, one in enumerate(_by_size(findings)[:_MOST_SAMPLED]):
        samples = shown(seen, one.name)
        if not samples:
            continue
        count = f"{one.documents:,} kept, {len(samples)} shown"
        folded = tag("details", tag("summary", _cut(one.name), tag("span", count)))
        for kept in samples:
            about = " · ".join(part for part in (_cut(kept.title), kept.side, kept.id) if part)
            folded.append(_sample(about, kept.text, findings))
        if number < _OPEN:
            folded.set("open", "")
        yield folded


def _sample(about: str, text: str, findings: Findings) -> Node:
    lang = findings.language if findings.language.isalpha() and findings.language != "any" else ""
    return tag("div", tag("small", about), tag("div", text or "(no text)", dir="auto", lang=lang), class_="sample")


def _table(head: Sequence[str], rows: Sequence[Sequence[Node | str]], *, left_out: int = 0) -> Node:
    heads = (tag("th", name, class_="name", title=name) if len(name) > 12 else tag("th", name) for name in head)
    body = [
        tag("tr", *(tag("td", cell, class_="bar") if _is_stack(cell) else tag("td", cell) for cell in row))
        for row in rows
    ]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body))
    more = tag("p", f"and {left_out:,} more", class_="soft") if left_out > 0 else None
    return tag("div", table, more, class_="sheet")


def _stack(shares: dict[str, float]) -> Node:
    """A bar of parts; their shares of the whole width add up to 1 at most."""
    parts = (tag("i", class_=name, style=f"width:{100 * share:.2f}%") for name, share in shares.items() if share > 0)
    return tag("div", *parts, class_="stack")


def _is_stack(cell: Node | str) -> bool:
    return not isinstance(cell, str) and cell.get("class") == "stack"


def _key(words: dict[str, str]) -> Node:
    return tag("div", *(tag("span", tag("i", class_=name), text) for name, text in words.items()), class_="key")


def _by_size(findings: Findings) -> list[SourceFound]:
    return sorted(findings.sources, key=lambda one: (-one.bytes, one.name))


def _anchor(reason: str, findings: Findings) -> str:
    return f"reason-{list(findings.dropped).index(reason)}"


def _cut(text: str, most: int = _NAME_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _bytes(size: int) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1e3:,.1f} kB"
