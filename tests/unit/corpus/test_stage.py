"""The whole corpus stage on small texts: sides, drops, shares, metrics, determinism, leftovers, and clear errors."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mothertongue.corpus import gather
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.split import SPLITS, side_of, text_digest
from mothertongue.corpus.stage import corpus
from mothertongue.errors import ConfigError, MothertongueError, SourceError
from mothertongue.run.build import run_recipe
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.progress import be_quiet
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.settings import parse_settings

from .conftest import TEXTS

Many = Callable[..., list[str]]
Jsonl = Callable[..., Path]


def run(out: Path, *sources: Source | Path, language: str = "cs", **settings: Any) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    made = tuple(source if isinstance(source, Source) else Source(str(source)) for source in sources)
    metrics = corpus(CorpusConfig(language=language, sources=made, **settings), out)
    shutil.rmtree(out / PROGRESS)  # as a run does when it has written the manifest
    return metrics


def texts_of(out: Path, *splits: str) -> list[str]:
    return [document.text for split in splits or SPLITS for document in read_documents(out, split)]  # type: ignore[arg-type]


def bytes_of(out: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(out.iterdir())}


@pytest.mark.parametrize(("language", "noted"), [("cz", True), ("cs", False), ("any", False)])
def test_a_language_that_cannot_be_recognised_is_noted(
    tmp_path: Path, many: Many, jsonl: Jsonl, language: str, noted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    be_quiet(False)
    run(tmp_path / "out", jsonl(many(40)), language=language)
    assert ("no language that can be recognised" in capsys.readouterr().err) is noted


def test_a_corpus_has_three_sides_samples_and_a_story(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    out, path = tmp_path / "out", jsonl([*many(300), "krátké", TEXTS["sk"], TEXTS["en"]], "cs.knihy.jsonl")
    metrics = run(out, Source(str(path), licence="CC0"), heldout_share=0.1, dev_share=0.05)
    names = {"README.md", "dropped.jsonl", *(f"{split}-00000.jsonl.zst" for split in SPLITS)}
    assert {file.name for file in out.iterdir()} == names
    assert metrics["documents"] == 300 == sum(part["documents"] for part in metrics["splits"].values())
    assert metrics["bytes"] == sum(len(text.encode()) for text in texts_of(out))
    assert metrics["dropped"] == {"language:en": 1, "language:sk": 1, "too-short": 1}
    assert metrics["dropped_documents"] == 3
    (source,) = metrics["sources"]
    assert (source["name"], source["licence"], source["documents"], source["bytes"]) == (
        "cs.knihy",
        "CC0",
        300,
        metrics["bytes"],
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert source["files"] == [{"name": path.name, "bytes": path.stat().st_size, "sha256": digest}]
    assert "| cs.knihy | CC0 | 300 |" in (out / "README.md").read_text("utf-8")
    json.dumps(metrics)


def test_rights_that_nobody_has_stated_are_told(
    tmp_path: Path, many: Many, jsonl: Jsonl, capsys: pytest.CaptureFixture[str]
) -> None:
    be_quiet(False)
    free, unknown = jsonl(many(40), "free.jsonl"), jsonl(many(40, seed=1), "found.jsonl")
    run(tmp_path / "a", Source(str(free), licence="CC0"), Source(str(unknown)), heldout_share=0.1, dev_share=0.1)
    words = "Nobody has said under which licence the text of found is."
    assert words in capsys.readouterr().err
    assert f"**Rights.** {words}" in (tmp_path / "a" / "README.md").read_text("utf-8")
    run(tmp_path / "b", Source(str(free), licence="CC0"), heldout_share=0.1, dev_share=0.1)
    assert "licence the text" not in capsys.readouterr().err + (tmp_path / "b" / "README.md").read_text("utf-8")


def test_the_side_of_a_document_depends_on_its_text_alone(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    texts = many(120)
    shares = {"heldout_share": 0.2, "dev_share": 0.1}
    run(tmp_path / "a", jsonl(texts, "a.jsonl"), seed=1, **shares)
    run(tmp_path / "b", jsonl(many(80, seed=5) + texts[::-1], "b.jsonl"), seed=2, **shares)
    for split in SPLITS:
        own = set(texts_of(tmp_path / "a", split))
        assert own == set(texts_of(tmp_path / "b", split)) & set(texts)
        assert all(side_of(text_digest(text), **shares) == split for text in own)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    path = jsonl(many(100) + many(3, seed=9) * 2 + ["x"])
    first, second = run(tmp_path / "a", path), run(tmp_path / "b", path)
    assert first == second
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_what_a_killed_attempt_left_behind_does_no_harm(
    tmp_path: Path, many: Many, jsonl: Jsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = jsonl(many(60)), tmp_path / "out"

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("mothertongue.corpus.stage.settle", killed)
        run(out, path)
    assert (out / "progress" / gather.SIGNATURES).exists()
    (out / "train-00007.jsonl.zst").write_bytes(b"left over")
    (out / "note.txt").write_text("not ours")
    run(out, path)
    run(tmp_path / "clean", path)
    assert bytes_of(out).pop("note.txt")
    assert {name: value for name, value in bytes_of(out).items() if name != "note.txt"} == bytes_of(tmp_path / "clean")


@pytest.mark.parametrize(
    ("where", "error", "kept"),
    [
        ("settle", OutageError("the network is away"), True),
        ("corpus_readme", OSError("the disk is full"), True),
        ("settle", SourceError("too little text"), False),
        ("settle", ConfigError("a wrong setting"), False),
    ],
)
def test_finished_parts_go_only_if_other_settings_are_needed(
    tmp_path: Path, many: Many, jsonl: Jsonl, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception, kept: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(f"mothertongue.corpus.stage.{where}", fail)
    with pytest.raises(type(error)):
        run(tmp_path / "out", jsonl(many(60)))
    assert any(tmp_path.glob("out/progress/part-*.json")) == kept


def test_names_that_are_no_utf8_are_written_as_json_has_them(tmp_path: Path, many: Many) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "\udce8esky.txt").write_text("\n\n".join(many(40)), "utf-8")
    with tarfile.open(folder / "a.tar", "w", encoding="iso-8859-2", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("český.txt")
        info.size = 6
        archive.addfile(info, io.BytesIO("krátké".encode("cp1250")))
    recipe = f"[corpus]\nsources = [{{ path = '{folder}', unit = 'blank-line' }}]\nheldout_share = 0.1\ndev_share = 0.1"
    made = run_recipe(parse_recipe(recipe), tmp_path / "run")["corpus"]
    assert sorted(Path(entry["path"]).name for entry in made["inputs"]) == ["a.tar", "\udce8esky.txt"]
    (sample,) = map(json.loads, (tmp_path / "run" / "corpus" / "dropped.jsonl").read_text("utf-8").splitlines())
    assert sample["id"] == "a.tar/\udce8esk\udcfd.txt#1"
    assert run_recipe(parse_recipe(recipe), tmp_path / "run")["corpus"] == made


def test_copies_are_dropped_and_heldout_text_never_stands_in_training(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    texts = many(150, sentences=14)
    edited = [text.replace("mlynář", "mlynářka", 1) + " Konec." for text in texts]
    novel = "\n\n".join(texts[:30])  # a whole book of what also stands alone
    run(tmp_path / "out", jsonl([*texts, *texts, *edited, novel]), heldout_share=0.2, dev_share=0.1)
    train, held = texts_of(tmp_path / "out", "train"), texts_of(tmp_path / "out", "dev", "heldout")
    assert held
    assert not any(text in document for text in held for document in train)
    assert len([text for text in texts if text in train or text + " Konec." in train]) < 150
    kept = train + held
    assert len(kept) == len(set(kept)) < 160
    metrics = run(tmp_path / "again", jsonl([*texts, *texts, *edited, novel]), heldout_share=0.2, dev_share=0.1)
    assert metrics["dropped"]["duplicate"] == 150
    assert metrics["dropped"]["near-duplicate-of-train"] > 0


def test_a_capped_source_has_its_share_of_what_is_left(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    law, rest = jsonl(many(300, seed=1), "law.jsonl"), jsonl(many(100, seed=2), "rest.jsonl")
    metrics = run(tmp_path / "out", Source(str(law), max_share=1 / 3), Source(str(rest)))
    sizes = {source["name"]: source["bytes"] for source in metrics["sources"]}
    assert 0.31 < sizes["law"] / sum(sizes.values()) <= 0.334
    assert metrics["dropped_by_source"]["law"]["share"] > 200
    assert metrics["dropped_by_source"].keys() == {"law"}


def test_a_source_may_have_its_own_length_and_rules(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    short = [f"Vložit řádek číslo {number} do tabulky." for number in range(30)]
    own = Source(str(jsonl(short, "ui.jsonl")), min_characters=10, skip_rules=("all",))
    metrics = run(tmp_path / "out", own, jsonl([*many(30), "krátké"], "rest.jsonl"), near_duplicate_threshold=1.0)
    assert metrics["dropped_by_source"] == {"rest": {"too-short": 1}}


def test_ten_lines_still_give_three_sides(tmp_path: Path, many: Many) -> None:
    path = tmp_path / "ten.txt"
    path.write_text("\n".join(many(10)), "utf-8")
    metrics = run(tmp_path / "out", Source(str(path), unit="line"))
    counts = [metrics["splits"][split]["documents"] for split in SPLITS]
    assert counts[1:] == [1, 1] and sum(counts) == 10


def test_a_side_that_is_not_asked_for_may_stay_empty(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    metrics = run(tmp_path / "out", jsonl(many(2)), dev_share=0.0)
    assert metrics["splits"]["dev"]["documents"] == 0
    assert metrics["splits"]["heldout"]["documents"] == 1
    assert texts_of(tmp_path / "out", "dev") == []


def test_large_text_goes_into_several_shards(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    texts = many(200, sentences=80)
    run(
        tmp_path / "out",
        jsonl(texts),
        language="any",
        shard_megabytes=1,
        near_duplicate_threshold=1.0,
        contained_share=1.0,
    )
    assert len(list((tmp_path / "out").glob("train-*.zst"))) == 2
    assert Counter(texts_of(tmp_path / "out")) == Counter(texts)


def test_bad_records_are_counted_and_the_rest_is_kept(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    path = jsonl(many(40))
    path.write_bytes(
        path.read_bytes() + b'{"title": "x"}\n{"text": "\xff"}\n{"text\n' + json.dumps({"text": "\0"}).encode()
    )
    metrics = run(tmp_path / "out", path)
    assert metrics["documents"] == 40
    assert metrics["dropped"] == {"empty": 1, "invalid-json": 1, "invalid-utf8": 1, "no-text": 1}
    reasons = [
        json.loads(line)["reason"] for line in (tmp_path / "out" / "dropped.jsonl").read_text("utf-8").splitlines()
    ]
    assert reasons == ["empty", "invalid-json", "invalid-utf8", "no-text"]


def fails(out: Path, *sources: Source | Path, error: type[MothertongueError] = SourceError, **settings: Any) -> str:
    with pytest.raises(error) as caught:
        run(out, *sources, **settings)
    return str(caught.value)


def test_a_corpus_of_another_language_says_what_it_found(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    message = fails(tmp_path / "out", jsonl([TEXTS["sk"], TEXTS["en"], *many(20, language="bg")]))
    assert "wrong-alphabet: 20" in message and "language:sk: 1" in message and "Check the language" in message


@pytest.mark.parametrize("content", ["", "\n\n \n"])
def test_an_empty_corpus_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    assert "nothing was read" in fails(tmp_path / "out", tmp_path / "a.txt")


def test_too_few_documents_say_how_many_are_needed(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    message = fails(tmp_path / "out", jsonl([*many(1), "krátké"]))
    assert "Only 1 different documents" in message and "at least 3 documents" in message and "too-short: 1" in message


def test_ten_short_lines_say_what_to_lower(tmp_path: Path, jsonl: Jsonl) -> None:
    message = fails(tmp_path / "out", jsonl([f"Řádek {number}." for number in range(10)]))
    assert "too-short: 10" in message and "min_characters" in message


def test_one_text_again_and_again_is_too_little(tmp_path: Path, jsonl: Jsonl) -> None:
    assert "duplicate: 49" in fails(tmp_path / "out", jsonl([TEXTS["cs"]] * 50))


def test_text_that_cannot_be_told_apart_cannot_be_held_out(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    sentences = many(12, sentences=2)
    texts = [" ".join(sentences[:n] + sentences[n + 1 :]) for n in range(12)]
    message = fails(tmp_path / "out", jsonl(texts), near_duplicate_threshold=1.0)
    assert "No document can be held out" in message or "too few for" in message


def test_missing_files_and_variables_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_FOLDER", raising=False)
    assert "NO_SUCH_FOLDER" in fails(tmp_path / "out", Source("${NO_SUCH_FOLDER}/a.txt"), error=ConfigError)
    assert "nowhere*.txt" in fails(tmp_path / "out", tmp_path / "nowhere*.txt")
    assert "nowhere.txt" in fails(tmp_path / "out", tmp_path / "nowhere.txt")


def test_variables_folders_and_globs_mean_their_files(
    tmp_path: Path, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, text in enumerate(many(12)):
        (tmp_path / f"t{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"t{number % 3}" / f"{number}.txt").write_text(text, "utf-8")
    (tmp_path / "t1" / ".hidden.txt").write_text("x")
    monkeypatch.setenv("TEXTS", str(tmp_path))
    metrics = run(tmp_path / "out", Source("${TEXTS}/t1"), Source("${TEXTS}/t[02]/*.txt", name="rest"))
    assert [(source["name"], source["documents"]) for source in metrics["sources"]] == [("t1", 4), ("rest", 8)]
    assert metrics["sources"][0]["path"] == "${TEXTS}/t1"


def test_settings_that_cannot_be_met_are_refused(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    path = str(jsonl(many(5)))
    assert "at least one source" in fails(tmp_path / "out", error=ConfigError)
    assert "no rule 'few-letter'" in fails(
        tmp_path / "out", Source(path, skip_rules=("few-letter",)), error=ConfigError
    )
    assert "2 sources are called" in fails(tmp_path / "out", Source(path), Source(path), error=ConfigError)
    with pytest.raises(ConfigError, match="add up to"):
        CorpusConfig(sources=(Source(path, max_share=0.3),))
    assert CorpusConfig(sources=tuple(Source(str(share), max_share=share) for share in (0.7, 0.2, 0.1)))
    with pytest.raises(ConfigError, match="too little to train on"):
        CorpusConfig(heldout_share=0.5, dev_share=0.5)


def test_a_recipe_may_name_sources_by_path_alone() -> None:
    config = parse_settings(CorpusConfig, {"sources": ["a.txt", {"path": "b.jsonl", "max_share": 0.5}]})
    assert config.sources == (Source("a.txt"), Source("b.jsonl", max_share=0.5))
