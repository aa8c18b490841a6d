"""A paragraph of several documents stays in the first; articles made from a template are told from others."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mothertongue.corpus import common
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.split import SPLITS
from mothertongue.corpus.stage import corpus

Many = Callable[..., list[str]]
Jsonl = Callable[..., Path]
NOTICE = "Všechna práva vyhrazena. Přebírání obsahu těchto stránek je možné jen s písemným souhlasem jejich majitele."


def stubs(number: int) -> list[str]:
    draw = random.Random(1)
    names = ["".join(draw.choices("abdeiklmnorstuv", k=7)).capitalize() for _ in range(number + 9)]
    return [
        f"{name} je obec v okrese {draw.choice(names[:9])} v kraji na jihu země. Žije zde {draw.randint(90, 900)} "
        f"obyvatel. První písemná zmínka o obci pochází z roku {draw.randint(1200, 1500)}. Obec leží v nadmořské výšce "
        f"{draw.randint(100, 700)} metrů a rozkládá se na ploše {draw.randint(3, 30)} kilometrů čtverečních."
        for name in names[9:]
    ]


def first_of(texts: list[str], tmp_path: Path) -> common.First:
    documents = [Document(text, str(n), "x") for n, text in enumerate(texts)]
    return common.first_pass(documents, tmp_path / "p", total_bytes=sum(map(len, texts)))


def take_out(texts: list[str], tmp_path: Path, order: list[int]) -> list[tuple[str, list[str]]]:
    first = first_of(texts, tmp_path)
    paragraphs = common.Paragraphs(first.repeated, common.keepers(first, np.array(order)))
    return [paragraphs.without(text, number) for text, number in zip(texts, order, strict=True) if number >= 0]


@pytest.mark.parametrize(("order", "keeps"), [([0, 1, 2], 0), ([3, 4, 2], 2), ([-1, 1, 2], 0), ([-1, 7, 5], 1)])
def test_a_paragraph_of_several_documents_stays_in_the_first_that_stays(
    tmp_path: Path, order: list[int], keeps: int
) -> None:
    texts = [f"Zpráva číslo {n} je jiná než ostatní.\n\n{NOTICE}\n\nKonec zprávy {n}." for n in range(3)]
    found = take_out(texts, tmp_path, order)
    assert [away for _, away in found] == [[] if n == keeps else [NOTICE] for n in range(len(found))]
    text, _ = found[1 if keeps == 0 else 0]
    assert "jiná než ostatní.\n\nKonec zprávy" in text


def test_what_a_document_would_have_kept_is_kept_by_the_next_if_it_goes(tmp_path: Path) -> None:
    texts = [f"Zpráva {n}.\n{NOTICE}" for n in range(3)]
    first = first_of(texts, tmp_path)
    paragraphs = common.Paragraphs(first.repeated, common.keepers(first, np.arange(3)))
    assert paragraphs.without(texts[0], 0)[1] == []
    paragraphs.release()
    assert [paragraphs.without(texts[n], n)[1] for n in (1, 2)] == [[], [NOTICE]]


def test_a_short_line_may_stand_in_some_documents_but_not_in_many(tmp_path: Path) -> None:
    texts = [f"Začátek textu {n}\nSdílet na sociálních sítích" for n in range(9)]
    assert len(first_of(texts, tmp_path).repeated) == 0
    assert len(first_of([*texts, texts[0]], tmp_path).repeated) == 2 - 1


def test_paragraphs_sorted_in_parts_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{NOTICE}{n % 7}\n{NOTICE * 2}{n}" for n in range(40)]
    whole = first_of(texts, tmp_path).repeated.tolist()
    assert len(whole) == 7
    monkeypatch.setattr(common, "_IN_MEMORY", 8)
    assert first_of(texts, tmp_path).repeated.tolist() == whole


def test_articles_made_from_a_template_are_told_from_others(tmp_path: Path, many: Many) -> None:
    made, written = stubs(60), many(80)
    first = first_of([*made, *written], tmp_path)
    patterns = common.Patterns(first, least=0.3)
    found = common.template_made([patterns.likeness(text) for text in [*made, *written]], least=0.3)
    assert found == [False] + [True] * 59 + [False] * 80


def test_the_first_of_each_pattern_stays(tmp_path: Path, many: Many) -> None:
    others = [text.replace("obec", "řeka").replace("obyvatel", "ryb").replace("Žije", "Plave") for text in stubs(40)]
    others = [" ".join(text.split()[::-1]) for text in others]
    texts = [*stubs(40), *many(40), *others]
    patterns = common.Patterns(first_of(texts, tmp_path), least=0.3)
    found = common.template_made([patterns.likeness(text) for text in texts], least=0.3)
    assert [number for number, made in enumerate(found) if not made] == [0, *range(40, 81)]


def test_nothing_at_all_works(tmp_path: Path) -> None:
    first = first_of([], tmp_path)
    assert take_out(["x\n\n\n\ny"], tmp_path, [0]) == [("x\n\n\n\ny", [])]
    assert common.Patterns(first, least=0.3).likeness("").share == 0
    assert common.template_made([], least=0.3) == []


def run(out: Path, path: Path, **settings: str) -> tuple[dict[str, int], set[str]]:
    out.mkdir()
    source = Source(str(path))
    metrics = corpus(CorpusConfig(language="cs", sources=(source,), **settings), out)  # type: ignore[arg-type]
    texts = {document.text for split in SPLITS for document in read_documents(out, split)}
    assert metrics["bytes"] == sum(len(text.encode()) for text in texts)
    return metrics["dropped"], texts


def test_the_stage_drops_both_with_a_reason(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    path = jsonl([text + "\n\n" + NOTICE for text in many(40)] + stubs(40))
    dropped, texts = run(tmp_path / "a", path)
    assert dropped["paragraph:repeated"] == 39
    assert sum(NOTICE in text for text in texts) == 1
    assert dropped["template-made"] == 39
    dropped, texts = run(tmp_path / "b", path, repeated_paragraphs="keep", template_made="keep")
    assert not {"paragraph:repeated", "template-made"} & dropped.keys()
    assert sum(NOTICE in text for text in texts) == 40


def test_a_paragraph_is_not_lost_with_a_document_that_goes_later(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    made = [text + "\n\n" + (NOTICE if n % 7 == 3 else "") for n, text in enumerate(stubs(40))]
    path = jsonl([*made, *many(60), f"{many(1, seed=5)[0]}\n\n{NOTICE}", f"{many(1, seed=6)[0]}\n\n{NOTICE}"])
    dropped, texts = run(tmp_path / "a", path)
    assert dropped["template-made"] >= 38
    assert sum(NOTICE in text for text in texts) == 1


def test_training_text_keeps_a_paragraph_rather_than_held_out_text(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    path = jsonl([f"{text}\n\n{NOTICE}" for text in many(60)])
    out = tmp_path / "a"
    out.mkdir()
    corpus(CorpusConfig(language="cs", sources=(Source(str(path)),), heldout_share=0.3, dev_share=0.3), out)
    sides = {split: sum(NOTICE in d.text for d in read_documents(out, split)) for split in SPLITS}
    assert sides == {"train": 1, "dev": 0, "heldout": 0}
