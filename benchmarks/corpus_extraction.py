"""Running text from wiki exports and from wikitext: speed beside the peers', on one core and on two, and quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from corpus_bench import Bench, Result, ratio
from corpus_peers import TEXT, rows
from corpus_probes import TEMPLATES, measure
from corpus_sentences import recall


def extraction(bench: Bench) -> dict[str, float]:
    """From an export of plain XML, and from bz2, against wikiextractor; each with its start, which counts for little in
    an export of this size.
    """
    dump, packed, made = bench.export("many.xml"), bench.export("many.xml.bz2"), bench.place
    size, figures = dump.stat().st_size / 1e6, dict[str, float]()
    ours = {"ours-pure": partial(bench.ours, "export", dump, made("pure.jsonl"), source=bench.pure)}
    if bench.compiled:
        ours["ours"] = partial(bench.ours, "export", dump, made("ours.jsonl"))
    jobs = {"wikiextractor": partial(bench.peer, "wikiextractor", dump, made("unused.jsonl")), **ours}
    found = bench.turns("extraction from XML", jobs, megabytes=size)
    figures["extraction_pure_vs_wikiextractor"] = ratio(found, "wikiextractor", "ours-pure")
    if bench.compiled:
        figures["extraction_vs_wikiextractor"] = ratio(found, "wikiextractor", "ours")
        same = made("ours.jsonl").read_bytes() == made("pure.jsonl").read_bytes()
        figures["compiled_gives_the_same_bytes"] = float(same)
    from_bz2 = {
        "wikiextractor": partial(bench.peer, "wikiextractor", packed, made("unused.jsonl")),
        "ours": partial(bench.ours, "export", packed, made("unused.jsonl")),
        "bz2 alone": partial(bench.ours, "unpack", packed),
    }
    found = bench.turns("extraction from bz2", from_bz2, megabytes=size)
    figures["bz2_vs_wikiextractor"] = ratio(found, "wikiextractor", "ours")
    figures["share_of_bz2_limit"] = ratio(found, "bz2 alone", "ours")
    bench.notes.append(
        f"exports hold {bench.asked.copies} copies of each real page with titles, numbers and an order of paragraphs "
        "of their own: too much for the start of either side to count"
    )
    return figures


def two_cores(bench: Bench) -> dict[str, float]:
    """A dump in streams, as Wikimedia writes them: wall time of one and of two processes."""
    streams, plain = bench.export("many-multistream.xml.bz2"), bench.export("many.xml")
    jobs: dict[str, Callable[[], Result]] = {}
    for number in (1, 2):
        jobs[f"wikiextractor {number}"] = partial(
            bench.peer, "wikiextractor", streams, bench.place("unused.jsonl"), str(number)
        )
        jobs[f"ours {number}"] = partial(bench.ours, "cores", streams, bench.place(f"cores-{number}"), str(number))
    found = bench.turns("two cores", jobs, megabytes=plain.stat().st_size / 1e6)
    wall = partial(ratio, found, key="wall_seconds")
    bench.notes.append("two cores: wall time, so of a quiet machine only; wikiextractor has a process more that reads")
    return {
        "bz2_2_cores_vs_wikiextractor": wall("wikiextractor 1", "ours 2"),
        "bz2_2_cores_vs_wikiextractor_2_processes": wall("wikiextractor 2", "ours 2"),
        "bz2_2_cores_vs_1_core": wall("ours 1", "ours 2"),
    }


def wikitext(bench: Bench) -> dict[str, float]:
    """From wikitext, against libraries that take it."""
    pages, taken = bench.pages(), bench.place("pages.jsonl")
    jobs = {name: partial(bench.peer, name, taken, bench.place(f"{name}.jsonl")) for name in TEXT}
    jobs["ours"] = partial(bench.ours, "text", taken, bench.place("ours-text.jsonl"))
    size = sum(len(text.encode("utf-8")) for text in pages.values()) / 1e6
    found = bench.turns("wikitext to text", jobs, megabytes=size)
    return {f"extraction_vs_{name}": ratio(found, name, "ours") for name in TEXT}


def quality(bench: Bench) -> dict[str, float]:
    """What each keeps of the text inside sentences, what it leaves of mark-up, and sentence recall."""
    pages, found = bench.pages(), dict[str, Result]()
    bench.texts()
    for name in TEXT:
        if not bench.place(f"{name}.jsonl").exists():
            bench.peer(name, bench.place("pages.jsonl"), bench.place(f"{name}.jsonl"))
    bench.peer("wikiextractor", bench.export("once.xml"), bench.place("wikiextractor.jsonl"))
    for name in ("ours", "wikiextractor", *TEXT):
        file = "ours-text" if name == "ours" else name  # of every page that the libraries were given
        texts = {row["title"]: row["text"] for row in rows(str(bench.place(f"{file}.jsonl"))) if row["title"] in pages}
        numbers = measure(pages, texts) | {"sentence_recall": recall(texts, pages), "pages": float(len(texts))}
        found[name] = bench.row("quality", who=name, **numbers)
    ours, others = found["ours"], [numbers for name, numbers in found.items() if name != "ours"]
    return {
        "template_text_kept": share_kept(ours, TEMPLATES),
        "math_kept": share_kept(ours, ("math",)),
        "list_items_kept": share_kept(ours, ("list",)),
        "leftovers_per_100_pages": ours["leftovers_per_100_pages"],
        "best_peer_leftovers_per_100_pages": min(one["leftovers_per_100_pages"] for one in others),
        "sentence_recall": ours["sentence_recall"],
        "best_peer_sentence_recall": max(one["sentence_recall"] for one in others),
        "best_peer_template_text_kept": max(share_kept(one, TEMPLATES) for one in others),
    }


def share_kept(numbers: Mapping[str, float], kinds: Sequence[str]) -> float:
    """Of the probes of these kinds."""
    asked = sum(numbers[f"{kind}_asked"] for kind in kinds)
    return round(sum(numbers[f"{kind}_kept"] for kind in kinds) / max(1, asked), 4)
