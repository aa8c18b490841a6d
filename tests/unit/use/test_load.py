from __future__ import annotations

from pathlib import Path

import pytest

import mothertongue
from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.use.config import GenerateConfig, GenerateOptions
from mothertongue.use.load import load


def test_load_is_a_public_name() -> None:
    assert mothertongue.load is load


def test_a_folder_may_be_given_as_text(tiny_checkpoint: Path) -> None:
    assert load(str(tiny_checkpoint), device="cpu").context == 64


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        load(tmp_path)


@pytest.mark.parametrize("device", ["cuda:7", "tpu9"])
def test_an_absent_device_is_an_error_with_the_cure(tiny_checkpoint: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f'"{device}" cannot be used.*Give "auto" or "cpu"'):
        load(tiny_checkpoint, device=device)


def test_options_in_python_are_the_fields_of_the_settings() -> None:
    assert set(GenerateOptions.__annotations__) == set(GenerateConfig.__dataclass_fields__)
