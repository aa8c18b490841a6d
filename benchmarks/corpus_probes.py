"""Is the text of templates, formulas and list items that stands inside sentences kept? Probes made from wikitext alone.

A probe is a few words before a template and the first word that it must show; it holds if they follow one another in
the extracted text. No extractor is asked what is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corpus_sentences import words

_CUT = re.compile(r"<!--.*?-->|<ref[^>]*/>|<ref[^>/]*>.*?</ref>|'{2,5}", re.DOTALL)
_LINK = re.compile(r"\[\[(?:[^\[\]|:]*\|)?([^\[\]|:]*)\]\]")
_END = re.compile(
    r"^==+ *(?:see also|references|notes|external links|further reading|bibliography|sources)\b.*", re.I | re.M | re.S
)
_TEMPLATE = {
    "convert": re.compile(r"\{\{(?:convert|cvt)\|([\d.,]+)\|[^{}]*\}\}", re.I),
    "lang": re.compile(r"\{\{(?:lang|transl)\|[\w-]+\|([^{}|=]+)\}\}", re.I),
    "number": re.compile(r"\{\{(?:formatnum:|val\||nowrap\|(?!1=)|gaps\|)([\d.,]+)[^{}]*\}\}", re.I),
    "date": re.compile(r"\{\{(?:as of|start date|birth date|date)\|(?:[a-z]+=\w+\|)*(\d{4})[^{}]*\}\}", re.I),
}
_MATH = re.compile(r"<math[^>]*>.*?</math>", re.DOTALL)
_BEFORE, _AFTER = re.compile(r"(\w+ \w+)[ (]*$"), re.compile(r"^[ ,.)]*(\w+ \w+)\b")
_PLAIN = re.compile(r"[^{}\[\]<>|&=]+")
_NEAR = 4
_REACH = 40  # words that a formula may have
LEFT_OVER = re.compile(
    r"\[\[|\]\]|\{\{|\}\}|\{\||\|\}|'{3}|</?(?:ref|math|br|div|span|sup|sub|small|table)\b"
    r"|thumb\||^\||={2,}|&[a-z]{2,8};|\\[a-z]+\{",
    re.M,
)
TEMPLATES = tuple(_TEMPLATE)


@dataclass(frozen=True)
class Probe:
    """What must be found: `before`, then `shown` at once, or for a formula something, then `after`."""

    kind: str
    before: str
    shown: str = ""
    after: str = ""


def probes(wikitext: str) -> Iterator[Probe]:
    """Every probe of a page."""
    text = _LINK.sub(r"\1", _CUT.sub("", _END.sub("", wikitext)))
    depth = 0
    for line in text.split("\n"):
        inside, depth = depth > 0, max(0, depth + line.count("{{") - line.count("}}"))
        if inside:
            continue  # a list in an infobox stands inside no sentence
        if line[:1] in ("*", "#") and _PLAIN.fullmatch(item := line.lstrip("*#: ")) and len(found := words(item)) >= 6:
            yield Probe("list", " ".join(found[:5]))
        if line[:1] in ("|", "!", "{", "*", "#", ":", ";", "=", "<", " ", ""):
            continue
        for kind, pattern in _TEMPLATE.items():
            for match in pattern.finditer(line):
                before, shown = _BEFORE.search(line[: match.start()]), words(match[1])
                if before and shown:
                    yield Probe(kind, " ".join(words(before[1])), shown=shown[0])
        for match in _MATH.finditer(line):
            before, after = _BEFORE.search(line[: match.start()]), _AFTER.match(line[match.end() :])
            if before and after:
                yield Probe("math", " ".join(words(before[1])), after=" ".join(words(after[1])))


def holds(probe: Probe, joined: str) -> bool:
    """Whether the text, its words joined by spaces, shows what the probe asks for."""
    if probe.kind == "list":
        return f" {probe.before} " in joined
    for found in re.finditer(f" {re.escape(probe.before)} ", joined):
        if probe.shown:  # a date may begin with words of its own: "as of 2014", "June 30, 2015"
            if probe.shown in joined[found.end() :].split(" ", _NEAR)[:_NEAR]:
                return True
            continue
        rest = joined[found.end() - 1 :].split(" ", _REACH + 4)[: _REACH + 4]
        at = f" {' '.join(rest)} ".find(f" {probe.after} ")
        if at > 1:
            return True
    return False


def measure(pages: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, float]:
    """Kept and asked of each kind, and left-over mark-up per 100 pages."""
    asked, kept = Counter[str](), Counter[str]()
    for title, wikitext in pages.items():
        joined = f" {' '.join(words(texts.get(title, '')))} "
        for probe in probes(wikitext):
            asked[probe.kind] += 1
            kept[probe.kind] += holds(probe, joined)
    left = sum(len(LEFT_OVER.findall(text)) for text in texts.values())
    numbers = {
        f"{kind}_{what}": float(count[kind])
        for what, count in (("asked", asked), ("kept", kept))
        for kind in (*TEMPLATES, "math", "list")
    }
    return numbers | {"leftovers_per_100_pages": round(100 * left / len(pages), 2)}
