"""The language identifier asked about many texts at once gives the answers of the library."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mothertongue.corpus import bayes, build, identify
from mothertongue.languages import open_language

from .conftest import TEXTS

SIGNS = "abcdeěščřžýáíéůäößñ абвгдежъыэіќѓ 0123456789 .,-\n\u0301\U0001f600"


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def mixtures(count: int) -> list[str]:
    """Texts that begin in one language and end in another, of all lengths; some are rubbish."""
    chance, texts = random.Random(7), ["", "x", " " * 200]
    for number in range(count):
        one, other = chance.choice(list(TEXTS.values())), chance.choice(list(TEXTS.values()))
        cut = chance.randrange(len(one))
        texts.append(one[:cut] + other[: chance.randrange(len(other))])
        texts.append("".join(chance.choices(SIGNS, k=number)))
        texts.append(one.upper())
    return texts


@pytest.mark.parametrize("code", ["cs", "bg", "en", "ltg"])
def test_many_texts_at_once_get_the_answers_that_the_library_gives_one_by_one(code: str) -> None:
    language, texts = open_language(code), mixtures(60)
    for sure in (0.5, 0.95):
        expected = [identify._asked(identify._sample(text), language, sure) for text in texts]
        assert identify.other_languages(texts, language, sure=sure) == expected


def test_probabilities_are_those_of_the_library() -> None:
    language = open_language("cs")
    model = bayes.open_model(identify._choice("cs", language.confusables))
    library = identify._identifier("cs", language.confusables)
    assert model is not None
    texts = [text.replace("\u0301", "") for text in mixtures(20)]
    found = bayes.probabilities([text.encode() for text in texts], model)
    for text, shares in zip(texts, found, strict=True):
        if not text.isupper():
            expected = dict(library.rank(text))
            assert {name: share for name, share in zip(model.languages, shares, strict=True) if share} == pytest.approx(
                {name: share for name, share in expected.items() if share}, abs=3e-4
            )


def test_the_compiled_walk_is_that_of_numpy() -> None:
    """As plain Python, or as compiled: the scores are the same but for the order of the sums."""
    model = bayes.open_model(("cs", "en", "sk"))
    assert model is not None
    texts = [text.encode() for text in mixtures(8)]
    data, ends = b"".join(texts), np.cumsum([len(text) for text in texts])
    scores = [np.zeros((len(texts), len(model.languages))) for _ in range(2)]
    bayes.walk_together(data, ends, model, scores[0])
    bayes._walk_compiled(data, ends, model, scores[1])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-9, atol=1e-9)


def test_the_unpacked_model_is_kept_and_what_is_broken_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = bayes._unpacked()
    kept = bayes._cached()
    assert first is not None and kept is not None
    assert all(np.array_equal(first[name], kept[name]) for name in first)
    (bayes._folder() / "rows.npy").write_bytes(b"no array")
    assert bayes._cached() is None


def test_where_nothing_can_be_kept_it_works_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert bayes._unpacked() is not None
    assert bayes._cached() is None


def test_a_library_that_is_built_differently_is_asked_text_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "open_model", lambda languages: None)
    assert identify.other_languages([TEXTS["sk"], TEXTS["cs"]], open_language("cs"), sure=0.5) == ["sk", None]


@pytest.mark.skipif(
    not (find_spec("Cython") and find_spec("setuptools") and (shutil.which("cc") or shutil.which("cl"))),
    reason="Cython or a C compiler is not here",
)
@pytest.mark.slow
def test_what_is_compiled_now_counts_as_plain_python_does(tmp_path: Path) -> None:
    code = """
import random, sys
import numpy as np
from mothertongue.corpus import walk
chance = np.random.default_rng(3)
rows = np.arange(50, dtype=np.uint32) * 256
moves = chance.integers(0, 50, 50 * 256).astype(np.uint32)
moves[chance.random(len(moves)) < 0.7] = 0
outputs = chance.integers(-1, 9, 50).astype(np.int32)
weights = chance.random((9, 3)).astype(np.float32)
data = chance.integers(0, 256, 900).astype(np.uint8).tobytes()
ends, scores = np.array([0, 3, 40, 900]), np.zeros((4, 3))
walk.walk(data, ends, moves, rows, outputs, weights, np.log1p(np.arange(901.0)), np.zeros(9, np.int32),
          np.zeros(900, np.int32), scores)
assert walk.__file__.endswith(sys.argv[1])
print(scores.tobytes().hex())
"""
    found = []
    for ending in (".py", (".so", ".pyd")[os.name == "nt"]):
        folder = tmp_path / ending.strip(".")
        build.stage(folder)
        if ending != ".py":
            assert len(build.compile_in(folder, build.FILES)) == len(build.FILES)
        command, env = [sys.executable, "-c", code, ending], {**os.environ, "PYTHONPATH": str(folder)}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1]
