"""Thresholds of the rules: what they drop of clean text, what of noise, on documents that they were not fitted on.

Each set is split in halves by a digest of the text. On the first half each threshold is set anew, as strict as may be
while at most `FALSE` of the documents of any clean set fall to it. The second half tells what the thresholds that we
ship drop, and what the fitted ones do. Noise is real (raw OCR, machine translation) or made from the clean texts: lists
without sentences, menus, passages said again and again, code.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus_bench import Bench
from corpus_filters import texts_of

CLEAN = {
    "cs": ("fiction_mkp", "novels_eltec_corrected", "poetry_ccv", "tatoeba_sentences", "ud_text", "docs_debian",
           "docs_djangogirls", "debian_descriptions"),
    "bg": ("wikipedia_exams_paragraphs", "docs_tech", "law_parliament", "bible_nt", "tatoeba_sentences"),
    "en": ("books_pd", "wikitext2_valid_test", "docs_edgeai", "debian_descriptions"),
}  # fmt: skip
NOISE = {"cs": ("novels_eltec_ocr_noisy", "docs_edgeai_machine_translated"), "bg": ("docs_edgeai_machine_translated",)}
FALSE = 0.005
_PIECE = 8_000
_LEAST = 200
_MOST = 400  # documents of a set


def rules(bench: Bench) -> dict[str, float]:
    """Share of documents dropped in each set of the second half, and by which rule."""
    figures, false = dict[str, float](), dict[str, list[float]]()
    for code, clean in CLEAN.items():
        noise = NOISE.get(code, ())
        place = bench.place(f"rules-{code}.jsonl")
        rows = [row for name in (*clean, *noise) for row in _halves(name, texts_of(f"{code}.{name}"))]
        rows += [
            ("noise " + kind, half, made) for name, half, text in rows if name in clean for kind, made in _made(text)
        ]
        rows = _few(rows)
        place.write_text("".join(json.dumps({"set": s, "half": h, "text": t}) + "\n" for s, h, t in rows), "utf-8")
        made = bench.place(f"rules-{code}.json")
        bench.ours("rules", place, made, code, ",".join(clean), str(FALSE))
        result = json.loads(made.read_text("utf-8"))
        for name in dict.fromkeys(name for name, *_ in rows):
            own = [one for one in result["documents"] if one["set"] == name and one["half"] == 1]
            if not own:
                continue
            shipped, fitted = (Counter(one[which] for one in own if one[which]) for which in ("shipped", "fitted"))
            kind = "clean" if name in clean else "noise"
            bench.row(
                "rules", who="ours", set=f"{code}.{name}", kind=kind, documents=len(own),
                dropped=shipped.total() / len(own), by_rule=dict(shipped.most_common()),
                dropped_by_fitted=fitted.total() / len(own),
            )  # fmt: skip
            false.setdefault(f"rules_{kind}_dropped_{code}", []).append(shipped.total() / len(own))
        bench.row("rules", who="thresholds", set=code, shipped=result["thresholds"], fitted=result["fitted"])
    for name, shares in false.items():
        figures[name] = round(sum(shares) / len(shares), 4)
    return figures


def _halves(name: str, texts: Sequence[str]) -> list[tuple[str, int, str]]:
    """The beginning of each text, with the half that it is in."""
    cut = [text[:_PIECE] for text in texts if len(text) >= _LEAST]
    return [(name, hashlib.blake2b(one.encode("utf-8")).digest()[0] % 2, one) for one in cut]


def _few(rows: Sequence[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    seen, result = Counter[str](), list[tuple[str, int, str]]()
    for name, half, text in rows:
        seen[name] += 1
        if seen[name] <= _MOST:
            result.append((name, half, text))
    return result


def _made(text: str) -> list[tuple[str, str]]:
    """Noise of known kinds out of a clean text: a list without sentences, a menu, boilerplate, code."""
    words = [found for word in text.split() if (found := word.strip('.,;:!?…„“”"()»«'))][:240]
    if len(words) < 120:
        return []
    groups = [" ".join(words[at : at + 4]) for at in range(0, 120, 4)]
    return [
        ("lists", "\n".join(f"- {one}" for one in groups)),
        ("menus", "\n".join(" ".join(words[at : at + 2])[:28] for at in range(0, 120, 2))),
        ("repeated", "\n".join(" ".join(words[at : at + 20]) + "." for _ in range(4) for at in (0, 20, 40))),
        (
            "code",
            "\n".join(f"if ({one.split()[0]} == {at}) {{ {one.split()[-1]}(); }}" for at, one in enumerate(groups)),
        ),
    ]


def judged(texts: Path, out: str, code: str, clean: str, share: str) -> dict[str, float]:
    """The job of ours: which rule drops each text, by the thresholds that we ship and by fitted ones."""
    from mothertongue.corpus.quality import RULES, profile
    from mothertongue.corpus.rule import Rule, first_failed
    from mothertongue.corpus.shape import SHAPE_RULES, shape
    from mothertongue.languages import open_language

    language = open_language(code)
    rows = [json.loads(line) for line in Path(texts).read_text("utf-8").splitlines()]
    figures = [(profile(row["text"], language), shape(row["text"])) for row in rows]
    fitted = dict(language.quality)
    tables: tuple[Mapping[str, Rule[Any]], ...] = (RULES, SHAPE_RULES)
    for which, table in enumerate(tables):
        for name, rule in table.items():
            if name not in fitted:
                continue
            own: dict[str, list[float]] = {}
            for row, both in zip(rows, figures, strict=True):
                value = rule.figure(both[which])
                if row["half"] == 0 and row["set"] in clean.split(",") and value is not None:
                    own.setdefault(row["set"], []).append(value)
            if bounds := [_bound(values, float(share), least=rule.least) for values in own.values()]:
                fitted[name] = min(bounds) if rule.least else max(bounds)
    documents = []
    for row, (one, other) in zip(rows, figures, strict=True):
        reasons = {
            kind: first_failed(RULES, one, limits, ()) or first_failed(SHAPE_RULES, other, limits, ())
            for kind, limits in (("shipped", language.quality), ("fitted", fitted))
        }
        documents.append({"set": row["set"], "half": row["half"], **reasons})
    result: Mapping[str, object] = {
        "documents": documents,
        "thresholds": dict(language.quality),
        "fitted": {name: round(value, 5) for name, value in fitted.items()},
    }
    Path(out).write_text(json.dumps(result), "utf-8")
    return {"documents": len(documents)}


def _bound(values: Sequence[float], share: float, *, least: bool) -> float:
    """The value beyond which at most this share of a clean set lies."""
    ordered = sorted(values, reverse=not least)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
