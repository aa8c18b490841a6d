from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from mothertongue.errors import ConfigError
from mothertongue.run.settings import parse_settings
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.mean import mean
from mothertongue.transfer.methods import METHODS


@pytest.mark.parametrize("name", sorted(METHODS.own))
def test_every_method_of_the_table_is_there(name: str) -> None:
    assert METHODS.load(name).__name__ == name


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'no transfer method "mena".*Did you mean "mean"'):
        TransferConfig(method="mena")


def test_method_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("theirs", "mothertongue.transfer.mean:mean", METHODS.group)

    def found(*, group: str, **wanted: str) -> EntryPoints:
        return EntryPoints([point]).select(group=group, **wanted)

    monkeypatch.setattr("importlib.metadata.entry_points", found)
    assert TransferConfig(method="theirs").method == "theirs"
    assert METHODS.load("theirs") is mean


def test_source_text_may_be_a_bare_path() -> None:
    config = parse_settings(TransferConfig, {"source_text": ["english/*.txt", {"path": "more.dat", "reader": "text"}]})
    assert [source.path for source in config.source_text] == ["english/*.txt", "more.dat"]


def test_settings_load_no_torch() -> None:
    code = "import sys, mothertongue.transfer.config; assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
