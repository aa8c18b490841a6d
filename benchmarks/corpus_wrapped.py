"""Other languages: Czech and Bulgarian text wrapped into wiki pages with the templates of their own wikis.

What each tool keeps of the text that templates show inside sentences, per kind; sentence recall; left-over mark-up.
wikiextractor reads the pages from an export with the namespaces of the wiki.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from corpus_bench import Bench, Result
from corpus_filters import texts_of
from corpus_peers import TEXT, rows
from corpus_probes import LEFT_OVER, holds
from corpus_sentences import words
from corpus_wrap import WIKIS, Page, Wiki, make_pages

SETS = {"cs": "cs.fiction_mkp", "bg": "bg.wikipedia_exams_paragraphs"}
NUMBER = 100  # pages of each language


def wrapped(bench: Bench) -> dict[str, float]:
    """Kept and asked per kind, for ours and every peer."""
    figures = dict[str, float]()
    for code, name in SETS.items():
        wiki = WIKIS[code]
        pages = make_pages(wiki, texts_of(name), NUMBER)
        source = _write(bench, wiki, pages)
        for who in ("ours", "wikiextractor", *TEXT):
            made = source.with_suffix(f".{who}.jsonl")
            if who == "ours":
                bench.ours("wrapped", source, made, code)
            else:
                bench.peer(who, source.with_suffix(".xml") if who == "wikiextractor" else source, made)
            texts = {row["title"]: row["text"] for row in rows(str(made))}
            numbers = bench.row("wrapped pages", who=who, language=code, pages=len(pages), **_measure(pages, texts))
            prefix = "" if who == "ours" else "best_peer_"
            better = min if who != "ours" else max
            for key in ("template_text_kept", "list_items_kept", "sentence_recall", "leftovers_per_100_pages"):
                figure = f"{prefix}wrapped_{code}_{key}"
                choose = better if key.startswith("leftovers") else max
                figures[figure] = choose(figures.get(figure, numbers[key]), numbers[key])
    return figures


def _write(bench: Bench, wiki: Wiki, pages: Sequence[Page]) -> Path:
    """The pages as lines of JSON, and as an export."""
    place = bench.place(f"wrapped-{wiki.code}.jsonl")
    lines = (json.dumps({"title": page.title, "text": page.wikitext}) + "\n" for page in pages)
    place.write_text("".join(lines), "utf-8")
    place.with_suffix(".spaces.json").write_text(json.dumps(wiki.spaces), "utf-8")
    spaces = "".join(
        f'<namespace key="{key}" case="first-letter">{name}</namespace>\n' for key, name in wiki.spaces.items()
    )
    parts = [
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="{wiki.code}">\n'
        "<siteinfo>\n"
        f"<sitename>Wikipedia</sitename>\n<base>https://{wiki.code}.wikipedia.org/wiki/A</base>\n"
        f"<namespaces>\n{spaces}</namespaces>\n</siteinfo>\n"
    ]
    for number, page in enumerate(pages, start=1):
        parts.append(
            f"<page>\n<title>{page.title}</title>\n<ns>0</ns>\n<id>{number}</id>\n<revision>\n<id>{number}</id>\n"
            f'<text xml:space="preserve">{escape(page.wikitext)}</text>\n</revision>\n</page>\n'
        )
    place.with_suffix(".xml").write_text("".join([*parts, "</mediawiki>\n"]), "utf-8")
    return place


def _measure(pages: Sequence[Page], texts: Mapping[str, str]) -> Result:
    asked, kept, found, total = Counter[str](), Counter[str](), 0, 0
    for page in pages:
        joined = f" {' '.join(words(texts.get(page.title, '')))} "
        for probe in page.probes:
            asked[probe.kind] += 1
            kept[probe.kind] += holds(probe, joined)
        total += len(page.sentences)
        found += sum(f" {' '.join(sentence)} " in joined for sentence in page.sentences)
    templates = [kind for kind in asked if kind != "list"]
    left = sum(len(LEFT_OVER.findall(text)) for text in texts.values())
    return {
        **{f"{kind}_asked": asked[kind] for kind in asked},
        **{f"{kind}_kept": kept[kind] for kind in asked},
        "template_text_kept": sum(kept[kind] for kind in templates) / max(1, sum(asked[kind] for kind in templates)),
        "list_items_kept": kept["list"] / max(1, asked["list"]),
        "sentence_recall": found / max(1, total),
        "leftovers_per_100_pages": 100 * left / max(1, len(pages)),
    }
