"""Data sets of the Hub: streamed at one commit, columns and splits named when they are not there; no network here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mothertongue.corpus.address import ask, places
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers import Reading, hub, read_file
from mothertongue.errors import ConfigError, SourceError
from mothertongue.run import plan
from mothertongue.run.machine import Machine

datasets = pytest.importorskip("datasets")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Read = Callable[..., list[Document]]


@pytest.fixture
def calls() -> list[dict[str, Any]]:
    """What the library was asked for."""
    return []


@pytest.fixture
def read(
    tmp_path: Path, reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch, calls: list[dict[str, Any]]
) -> Read:
    """`read(**settings)`: the documents of hf:owner/name, which is a folder of this test."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [{"text": f"text {n}", "obsah": f"obsah {n}", "title": "T", "picture": "x"} for n in range(4)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    load = datasets.load_dataset

    def local(name: str, *args: Any, revision: str, **options: Any) -> Any:
        calls.append({"name": name, "revision": revision, "torch": datasets.config.TORCH_AVAILABLE, **options})
        return load(str(folder), *args, cache_dir=str(tmp_path / "cache"), **options)

    monkeypatch.setattr(datasets, "load_dataset", local)

    def documents(**settings: Any) -> list[Document]:
        source = Source("hf:owner/name", **{"revision": COMMIT, **settings})
        told = reading(source)
        return [document for place in places(source, told.config) for document in read_file(place, told)]

    return documents


def test_a_data_set_is_streamed_at_its_commit(read: Read, calls: list[dict[str, Any]]) -> None:
    found = read()
    assert [(d.text, d.id, d.meta) for d in found][:2] == [
        ("text 0", "owner/name#1", {"title": "T"}),
        ("text 1", "owner/name#2", {"title": "T"}),
    ]
    assert calls == [{"name": "owner/name", "revision": COMMIT, "torch": False, "split": "train", "streaming": True}]
    assert [d.text for d in read(text_key="obsah", reader="text")] == [f"obsah {n}" for n in range(4)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"text_key": "content"}, r'no column "content".*It has: text, obsah, title, picture'),
        ({"split": "valid"}, r"cannot be streamed.*\['train'\]"),
        ({"subset": "cs"}, r"cannot be streamed.*'cs' not found"),
    ],
)
def test_what_is_not_there_is_named_beside_what_is(read: Read, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read(**settings)
    assert not isinstance(caught.value, OutageError)  # another setting is needed, and not another attempt


def test_a_network_that_is_away_is_no_wrong_setting(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(OutageError, match="no route to host"):
        read()


def test_a_stream_that_breaks_off_says_how_far_it_came(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    class Rows:
        column_names = ("text",)

        def select_columns(self, columns: list[str]) -> Rows:
            return self

        def __iter__(self) -> Iterator[dict[str, str]]:
            yield {"text": "jedna"}
            raise ConnectionError("cut")

    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **options: Rows())
    with pytest.raises(OutageError, match=r"broke off after 1 rows: cut.*hf download"):
        read()


def test_the_commit_stands_for_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    class Info:
        sha = COMMIT

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda self, name, **options: Info())
    hub._commit_of.cache_clear()
    assert ask("hf:owner/name").contents == {"hf:owner/name": COMMIT}
    hub._commit_of.cache_clear()
    pinned = CorpusConfig(sources=(Source("hf:owner/name", revision="f" * 40),))
    assert ask("hf:owner/name", pinned).contents == {"hf:owner/name": "f" * 40}


def test_a_plan_asks_the_hub_how_much_there_is_or_says_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    names = {"cs/train-00000-of-00001.parquet": 700, "cs/test-00000-of-00001.parquet": 50, "sk/train.jsonl": 30}
    files = [SimpleNamespace(rfilename=name, size=size) for name, size in {**names, "README.md": 9, "a.png": 9}.items()]
    told = SimpleNamespace(sha=COMMIT, siblings=files)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda self, name, **options: told)
    hub._commit_of.cache_clear()
    assert hub.file_sizes(Source("hf:owner/name")) == [("cs/train-00000-of-00001.parquet", 700), ("sk/train.jsonl", 30)]
    assert hub.file_sizes(Source("hf:owner/name", subset="cs", split="test"))[0][1] == 50
    assert ask("hf:owner/name").text_bytes
    told.siblings = None
    found = ask("hf:owner/name")
    assert (found.text_bytes, found.words) == (None, "hf:owner/name, of unknown size")
    monkeypatch.setattr(plan, "measure_machine", lambda seconds: Machine({"products": 1e-11, "parameters": 4e-9}))
    text = plan.write_plan("cs", hours=0.1, sources=["hf:owner/name"], base="hub:gpt2")
    assert "How much text is in hf:owner/name is unknown; 20 MB are assumed for each." in text
    assert "about 20 MB" in text


def test_a_data_set_that_cannot_be_found_says_what_to_do() -> None:
    hub._commit_of.cache_clear()
    with pytest.raises(SourceError, match=r"hf:owner/gone cannot be found.*hf auth login.*hf download owner/gone"):
        ask("hf:owner/gone")  # the tests are offline


@pytest.mark.parametrize("path", ["hf:", "hf:a/b/c", "hf:../x", "hf:a b"])
def test_a_name_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="is no data set"):
        ask(path)


def test_a_folder_that_datasets_saved_is_read(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    folder = tmp_path / "saved"
    datasets.Dataset.from_dict({"text": ["jedna", "dva"]}).save_to_disk(str(folder))
    told = reading(Source(str(folder)))
    found = [d.text for file in sorted(folder.iterdir()) for d in read_file(file, told)]
    assert found == ["jedna", "dva"]
