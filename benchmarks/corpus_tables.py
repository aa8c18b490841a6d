"""The tables of docs/why/cleaning.md and wikitext.md, from results/corpus.json: `docs_tables.py` writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from results_file import Row, table

KINDS = ("convert", "lang", "number", "date", "math", "list")
EDITIONS = ("records", "chapters", "paragraphs")
WRAPPED = ("number", "unit", "date", "lang", "quote", "small", "flag", "list")


def decisions(rows: Sequence[Row]) -> str:
    """Identical decisions per filter and language."""
    own = [row for row in rows if row["question"] == "filter decisions"]
    kinds = [("cs", "own tokenizer"), ("bg", "own tokenizer"), ("en", "own tokenizer"), ("articles", "own tokenizer"),
             ("cs", "default"), ("bg", "default")]  # fmt: skip
    heads = ["identical to datatrove", *(text if how != "default" else f"{text}, by default" for text, how in kinds)]
    found = {(row["who"], row["texts"], row["tokenizer"]): row for row in own}
    names = dict.fromkeys(row["who"] for row in own)
    return table(heads, ([name, *(_of(found.get((name, *kind)), "identical") for kind in kinds)] for name in names))


def dropped_by_others(rows: Sequence[Row]) -> str:
    """What the filters of others drop of each set."""
    own = [row for row in rows if row["question"] == "filter decisions" and row["tokenizer"] == "own tokenizer"]
    names = list(dict.fromkeys(row["who"] for row in own))
    found = {
        (f"{row['texts']}.{name}", row["who"]): share
        for row in own
        for name, share in row["dropped_by_datatrove_by_set"].items()
    }
    sets = dict.fromkeys(name for name, _ in found)
    return table(["set", *names], ([name, *(found.get((name, who), "") for who in names)] for name in sets))


def rules(rows: Sequence[Row]) -> str:
    """What our rules drop of each set."""
    own = [row for row in rows if row["question"] == "rules" and "kind" in row]
    lines = (
        [
            row["set"],
            row["kind"],
            row["documents"],
            row["dropped"],
            ", ".join(f"{k} {v}" for k, v in row["by_rule"].items()),
        ]
        for row in own
    )
    return table(["set, second half", "kind", "documents", "dropped", "by"], lines)


def near(rows: Sequence[Row]) -> str:
    """Near-duplicates, planted and in two editions."""
    speed = {row["who"]: row for row in rows if row["question"] == "near-duplicates: planted"}
    planted = {row["who"]: row for row in rows if row["question"] == "planted near-duplicates"}
    editions = {(row["who"], row["kind"]): row for row in rows if row["question"] == "editions"}
    lines = (
        [who, _of(speed.get(who), "megabytes_per_second"), _of(row, "recall_at_0.7"), _of(row, "recall_at_5%_edited"),
         _of(row, "precision"), *(_of(editions.get((who, kind)), "recall") for kind in EDITIONS),
         _of(editions.get((who, "paragraphs")), "precision")]
        for who, row in planted.items()
    )  # fmt: skip
    heads = ["tool, threshold", "MB/s", "planted: recall from 0.7", "at 5 % edits", "precision", "editions: records",
             "chapters", "paragraphs", "precision"]  # fmt: skip
    return table(heads, lines)


def identifier(rows: Sequence[Row]) -> str:
    """Accuracy by pair and length."""
    own = [row for row in rows if row["question"] == "identifier"]
    kinds = [(who, length) for length in ("short", "paragraph", "document") for who in ("ours", "lingua")]
    found = {(row["pair"], row["who"], row["length"]): row for row in own}
    pairs = dict.fromkeys(row["pair"] for row in own)
    lines: list[list[object]] = [
        [pair, *(_of(found.get((pair, *kind)), "accuracy") for kind in kinds)] for pair in pairs
    ]
    times = [[row["microseconds_per_text"] for row in own if (row["who"], row["length"]) == kind] for kind in kinds]
    lines.append(["microseconds a text", *(round(sum(many) / max(1, len(many))) for many in times)])
    return table(["pair", *(f"{who}, {length}" for who, length in kinds)], lines)


def quality(rows: Sequence[Row]) -> str:
    """What each keeps on the real pages."""
    own = [row for row in rows if row["question"] == "quality"]
    lines = (
        [row["who"], *(f"{row[f'{kind}_kept']:g}/{row[f'{kind}_asked']:g}" for kind in KINDS),
         row["leftovers_per_100_pages"], row["sentence_recall"]]
        for row in own
    )  # fmt: skip
    return table(["real English pages", *KINDS, "left-overs/100 pages", "sentence recall"], lines)


def wrapped(rows: Sequence[Row]) -> str:
    """What each keeps on wrapped Czech and Bulgarian pages."""
    own = [row for row in rows if row["question"] == "wrapped pages"]
    lines = (
        [f"{row['who']}, {row['language']}", *(f"{row[f'{kind}_kept']}/{row[f'{kind}_asked']}" for kind in WRAPPED),
         row["leftovers_per_100_pages"], row["sentence_recall"]]
        for row in own
    )  # fmt: skip
    return table(["made pages", *WRAPPED, "left-overs/100 pages", "sentence recall"], lines)


def extraction(rows: Sequence[Row]) -> str:
    """Speed of each way."""
    questions = ("extraction from XML", "extraction from bz2", "two cores", "wikitext to text")
    own = [row for row in rows if row["question"] in questions]
    lines = (
        [row["question"], row["who"], row["megabytes"], row["seconds"], row.get("megabytes_per_second", "")]
        for row in own
    )
    return table(["question", "who", "MB", "processor seconds", "MB/s"], lines)


def _of(row: Row | None, key: str) -> object:
    return row.get(key, "") if row else ""


TABLES: dict[str, Callable[[Sequence[Row]], str]] = {
    one.__name__: one for one in (decisions, dropped_by_others, rules, near, identifier, quality, wrapped, extraction)
}
