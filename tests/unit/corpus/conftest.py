"""Small texts in five languages, written for these tests, and a generator of many different documents."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.readers import Reading
from mothertongue.languages import open_language

TEXTS = {
    "cs": (
        "Na nádraží bylo v neděli ráno ticho, protože první vlak odjížděl až v sedm hodin. Výpravčí si uvařil "
        "čaj, otevřel okno a poslouchal, "
        "jak v zahradě za kolejemi zpívají kosi. Když přišel pan učitel s velkým kufrem, chvíli si spolu "
        "povídali o počasí a o tom, že "
        "letos bude zase málo jablek. Potom se ozval zvonek a oba vyšli na nástupiště, aby se podívali směrem k řece."
    ),
    "sk": (
        "Na stanici bolo v nedeľu ráno ticho, pretože prvý vlak odchádzal až o siedmej hodine. Výpravca si "
        "uvaril čaj, otvoril okno a počúval, "
        "ako v záhrade za koľajami spievajú drozdy. Keď prišiel pán učiteľ s veľkým kufrom, chvíľu sa spolu "
        "rozprávali o počasí a o tom, že "
        "tento rok bude opäť málo jabĺk. Potom sa ozval zvonček a obaja vyšli na nástupište, aby sa pozreli "
        "smerom k rieke."
    ),
    "bg": (
        "В неделя сутринта на гарата беше тихо, защото първият влак тръгваше чак в седем часа. Дежурният си "
        "свари чай, отвори прозореца и "
        "слушаше как косовете пеят в градината зад релсите. Когато дойде учителят с големия куфар, двамата "
        "поговориха малко за времето и за "
        "това, че тази година пак ще има малко ябълки. После се чу звънецът и те излязоха на перона, за да "
        "погледнат към реката."
    ),
    "mk": (
        "Во неделата наутро на станицата беше тивко, бидејќи првиот воз тргнуваше дури во седум часот. Дежурниот "
        "си свари чај, го отвори "
        "прозорецот и слушаше како косовите пеат во градината зад шините. Кога дојде учителот со големиот куфер, "
        "тие малку зборуваа за времето "
        "и за тоа дека оваа година пак ќе има малку јаболка. Потоа се слушна ѕвончето и двајцата излегоа на "
        "перонот за да погледнат кон реката."
    ),
    "en": (
        "The station was quiet on Sunday morning, because the first train did not leave before seven. The clerk "
        "made himself some tea, opened "
        "the window and listened to the blackbirds in the garden behind the tracks. When the teacher came with a "
        "large suitcase, they talked "
        "for a while about the weather and about the apples, which would be few again this year. Then the bell "
        "rang and both went out."
    ),
}

_PARTS = {
    "cs": (
        ["starý", "malý", "velký", "tichý", "bílý", "dlouhý", "nový", "klidný", "veselý", "modrý"],
        [
            "mlynář",
            "sedlák",
            "učitel",
            "kovář",
            "pes",
            "vlak",
            "soused",
            "rybník",
            "potok",
            "kocour",
            "hodinář",
            "lékař",
        ],
        ["hledal", "viděl", "potkal", "ztratil", "našel", "opravil", "pozoroval", "slyšel", "maloval", "nesl"],
        ["klíč", "chleba", "košík", "strom", "kámen", "dopis", "obraz", "stroj", "most", "dům", "klobouk", "talíř"],
        [
            "v lese",
            "na mostě",
            "u řeky",
            "za městem",
            "pod horou",
            "ve škole",
            "před domem",
            "na poli",
            "o žních",
            "po večeři",
        ],
        [
            "a potom se vrátil domů",
            "ale nikdo mu to nevěřil",
            "protože začalo pršet",
            "když svítil měsíc",
            "a všichni se tomu smáli",
            "že by se mu to hodilo",
        ],
    ),
    "bg": (
        ["старият", "малкият", "големият", "тихият", "белият", "новият", "спокойният", "веселият", "синият", "дългият"],
        [
            "воденичар",
            "селянин",
            "учител",
            "ковач",
            "пес",
            "влак",
            "съсед",
            "рибар",
            "поток",
            "котарак",
            "часовникар",
            "лекар",
        ],
        ["търсеше", "видя", "срещна", "изгуби", "намери", "поправи", "гледаше", "чу", "рисуваше", "носеше"],
        [
            "ключа",
            "хляба",
            "кошницата",
            "дървото",
            "камъка",
            "писмото",
            "картината",
            "машината",
            "моста",
            "къщата",
            "шапката",
            "чинията",
        ],
        [
            "в гората",
            "на моста",
            "при реката",
            "зад града",
            "под планината",
            "в училището",
            "пред къщата",
            "на полето",
            "по жътва",
            "след вечеря",
        ],
        [
            "и после се върна у дома",
            "но никой не му повярва",
            "защото започна да вали",
            "когато луната грееше",
            "и всички се смяха на това",
            "за да му е от полза",
        ],
    ),
}


@pytest.fixture
def many() -> Callable[..., list[str]]:
    """`many(n, language="cs", seed=0, sentences=6)`: n documents that share words but hardly any run of five words."""

    def make(number: int, *, language: str = "cs", seed: int = 0, sentences: int = 6) -> list[str]:
        draw = random.Random(f"{language}{seed}")
        kinds = _PARTS[language]

        def sentence() -> str:
            adjective, noun, verb, thing, place, end = (draw.choice(kind) for kind in kinds)
            words = [place, adjective, noun, str(draw.randint(1, 999)), verb, draw.choice(kinds[0]), thing, end]
            return " ".join(words).capitalize() + "."

        return [" ".join(sentence() for _ in range(sentences)) for _ in range(number)]

    return make


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    """`jsonl(texts, name="a.jsonl")`: the path of a new file of JSON lines."""

    def write(texts: Iterable[str], name: str = "texts.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
        return path

    return write


@pytest.fixture
def drops() -> list[tuple[str, str, str]]:
    """What a reading made by `reading` has dropped: (reason, id, text)."""
    return []


@pytest.fixture
def reading(drops: list[tuple[str, str, str]]) -> Callable[..., Reading]:
    """`reading(source="x", language="any", **config)`: what a reader is told; its drops land in `drops`."""

    def make(source: Source | None = None, *, language: str = "any", **config: object) -> Reading:
        return Reading(
            source or Source("x", name="x"),
            CorpusConfig(language=language, **config),  # type: ignore[arg-type]
            open_language(language),
            drop=lambda reason, id, text: drops.append((reason, id, text)),
        )

    return make
