"""A paragraph of several documents stays in the first; articles made from a template are told from others."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

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


def test_a_paragraph_of_several_documents_stays_in_the_first(tmp_path: Path) -> None:
    texts = [f"Zpráva číslo {n} je jiná než ostatní.\n\n{NOTICE}\n\nKonec zprávy {n}." for n in range(3)]
    paragraphs = common.Paragraphs(first_of(texts, tmp_path).repeated)
    found = [paragraphs.without(text) for text in texts]
    assert found[0] == (texts[0], [])
    assert found[2] == ("Zpráva číslo 2 je jiná než ostatní.\n\nKonec zprávy 2.", [NOTICE])


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
    found = common.template_made([common.likeness(text, first) for text in [*made, *written]], least=0.3)
    assert found == [True] * 60 + [False] * 80


def test_nothing_at_all_works(tmp_path: Path) -> None:
    first = first_of([], tmp_path)
    assert common.Paragraphs(first.repeated).without("x\n\n\n\ny") == ("x\n\n\n\ny", [])
    assert common.likeness("", first).share == 0
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
    assert dropped["template-made"] == 40
    dropped, texts = run(tmp_path / "b", path, repeated_paragraphs="keep", template_made="keep")
    assert not {"paragraph:repeated", "template-made"} & dropped.keys()
    assert sum(NOTICE in text for text in texts) == 40
