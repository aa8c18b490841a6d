"""A finished folder says what it is, and notices when it is not that any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mothertongue.errors import ArtifactError
from mothertongue.run.artifact import open_artifact, read_manifest, verify
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import Recipe
from mothertongue.run.story import check_folder


@pytest.fixture
def corpus(recipe: Recipe, tmp_path: Path) -> Path:
    run_recipe(recipe, tmp_path / "run")
    return tmp_path / "run" / "letters"


def test_an_intact_folder_verifies(corpus: Path) -> None:
    assert verify(corpus) == []
    assert check_folder(corpus)["files"] == 2
    assert check_folder(corpus.parent)["files"] == 4  # a run: all its steps


def test_a_flipped_byte_is_found(corpus: Path) -> None:
    content = bytearray((corpus / "first.txt").read_bytes())
    content[3] ^= 1
    (corpus / "first.txt").write_bytes(content)
    assert verify(corpus) == [f"first.txt: {len(content)} bytes, content differs from the manifest"]
    with pytest.raises(ArtifactError, match="is not what was made"):
        check_folder(corpus.parent)


def test_a_step_that_has_lost_its_manifest_is_found(corpus: Path) -> None:
    (corpus / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match="letters"):
        check_folder(corpus.parent)


def test_a_missing_and_an_extra_file_are_found(corpus: Path) -> None:
    (corpus / "second.txt").rename(corpus / "third.txt")
    assert verify(corpus) == ["second.txt: missing", "third.txt: not in the manifest"]


def test_a_link_that_leads_outside_is_refused(corpus: Path) -> None:
    (corpus / "first.txt").unlink()
    (corpus / "first.txt").symlink_to("/etc/hostname")
    with pytest.raises(ArtifactError, match="leads outside"):
        verify(corpus)


def test_a_foreign_checkpoint_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    first = open_artifact(tmp_path, "checkpoint")
    (tmp_path / "config.json").write_text("{ }")
    assert first.kind == "checkpoint"
    assert first.manifest is None
    assert first.fingerprint != open_artifact(tmp_path, "checkpoint").fingerprint
    with pytest.raises(ArtifactError, match=r"no manifest.json to verify"):
        verify(tmp_path)


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactError, match=r"so it is no corpus\. Name a folder that `mothertongue corpus` has finished"
    ):
        open_artifact(tmp_path, "corpus")


def test_another_kind_is_refused_by_name(corpus: Path) -> None:
    with pytest.raises(ArtifactError, match="is a corpus, but a checkpoint is needed"):
        open_artifact(corpus, "checkpoint")


def test_an_unfinished_folder_is_told_with_the_way_to_continue(tmp_path: Path) -> None:
    (tmp_path / "train.partial").mkdir()
    with pytest.raises(ArtifactError, match=r"train\.partial is unfinished; run the same command again"):
        open_artifact(tmp_path / "train")
    for opener in (open_artifact, read_manifest):
        with pytest.raises(ArtifactError, match=r"is not a folder. Check the path"):
            opener(tmp_path / "nothing")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"kind": "corpus"}',
        '{"kind": "planet", "stage": "a", "fingerprint": "b", "config": {}, "outputs": {}, "metrics": {}}',
        '{"kind": "corpus", "stage": "a", "fingerprint": "b", "config": [], "outputs": {}, "metrics": {}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match="cannot be read as a manifest"):
        read_manifest(tmp_path)


def test_the_manifest_is_plain_json_without_nan(corpus: Path) -> None:
    text = (corpus.parent / "count" / "manifest.json").read_text("utf-8")
    assert "NaN" not in text
    assert json.loads(text)["metrics"] == {"letters": 1, "nothing": None}


def test_an_export_stands_for_a_checkpoint_and_both_bring_a_tokenizer(tmp_path: Path) -> None:
    manifest = {"kind": "export", "stage": "export", "fingerprint": "f", "config": {}, "outputs": {}, "metrics": {}}
    for name in ("manifest.json", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text(json.dumps(manifest), "utf-8")
    assert open_artifact(tmp_path, "checkpoint").kind == "export"
    assert open_artifact(tmp_path, "tokenizer").kind == "export"
    with pytest.raises(ArtifactError, match="a corpus is needed"):
        open_artifact(tmp_path, "corpus")
