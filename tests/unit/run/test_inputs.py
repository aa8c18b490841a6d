"""Paths, bases and files, as recipes name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mothertongue.errors import ArtifactError, ConfigError, SourceError
from mothertongue.run import inputs
from mothertongue.run.files import files_of
from mothertongue.run.inputs import locate


def test_a_path_is_a_file_a_folder_or_a_glob_in_a_fixed_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.txt", "a.txt", "deep/c.txt", ".hidden", "deep/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setenv("TEXTS", str(tmp_path))
    names = ["a.txt", "b.txt", "deep/c.txt"]
    assert files_of("${TEXTS}") == [tmp_path / name for name in names]
    assert files_of("${TEXTS}/*.txt") == [tmp_path / name for name in names[:2]]
    for pattern in ("**/*.txt", "**", "**/*"):
        assert sorted(files_of(f"{tmp_path}/{pattern}")) == [tmp_path / name for name in names]
    assert files_of(str(tmp_path / "a.txt")) == [tmp_path / "a.txt"]


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(ConfigError, match=r"uses the variable NOT_SET_ANYWHERE, which is not set. Set it: export"):
        files_of("${NOT_SET_ANYWHERE}/a.txt")


@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_does_not_mean_the_folder_one_is_in(path: str) -> None:
    with pytest.raises(ConfigError, match=f'"{path}" is no path'):
        files_of(path)


def test_no_file_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "no*", tmp_path / "empty", tmp_path / "gone.txt"):
        with pytest.raises(SourceError, match="there is no such file"):
            files_of(str(path))


def test_an_input_is_a_folder_a_shipped_base_or_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny-base").mkdir()
    monkeypatch.setattr(inputs, "BASES", tmp_path)
    assert locate(str(tmp_path)) == tmp_path
    assert locate("tiny-base") == tmp_path / "tiny-base"
    with pytest.raises(ArtifactError, match=r"neither a folder nor a shipped base \(tiny-base\).*hub:owner/name"):
        locate("tiny-bas")
    with pytest.raises(ArtifactError, match="neither a folder"):
        locate("hub:../../etc")
    with pytest.raises(
        ArtifactError, match=r"^c10 is not a folder\. A corpus is needed here: `mothertongue corpus --out c10`"
    ):
        locate("c10", "corpus")


def test_an_unreachable_hub_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(*args: object, **options: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ArtifactError, match=r"nobody/nothing cannot be had .* no route to host. Check the name"):
        locate("hub:nobody/nothing")
