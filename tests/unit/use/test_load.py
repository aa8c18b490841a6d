from __future__ import annotations

from pathlib import Path

import pytest

import mothertongue
from mothertongue.errors import CheckpointError, ConfigError, MissingExtraError
from mothertongue.use.config import GenerateConfig, GenerateOptions
from mothertongue.use.load import load, open_engine
from mothertongue.use.writer import Writer


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


def test_an_unknown_engine_is_an_error_with_the_known_ones(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="auto, torch, torch-int8, llama"):
        load(tiny_checkpoint, engine="fast")


def test_without_a_gguf_file_the_reference_computes(tiny_checkpoint: Path) -> None:
    assert type(load(tiny_checkpoint).engine).__name__ == "TorchEngine"


def test_a_gguf_file_without_llama_cpp_names_what_to_install(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mothertongue.use import llama_library

    (tiny_checkpoint / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(llama_library, "find_spec", lambda name: None)
    llama_library._open.cache_clear()
    assert type(load(tiny_checkpoint).engine).__name__ == "TorchEngine"
    with pytest.raises(MissingExtraError, match=r'pip install "mothertongue\[gguf\]"'):
        load(tiny_checkpoint, engine="llama")


def test_llama_cpp_is_not_asked_for_another_device(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match='device = "cuda" is for torch'):
        load(tiny_checkpoint, engine="llama", device="cuda")


def test_what_llama_cpp_complains_of_is_told(tiny_checkpoint: Path) -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    (tiny_checkpoint / "model.gguf").write_bytes(b"GGUF of another kind")
    with pytest.raises(CheckpointError, match=r"cannot open .*model\.gguf: .*failed to read header; .*failed to load"):
        load(tiny_checkpoint, engine="llama")


def test_a_llama_cpp_of_another_layout_is_refused() -> None:
    from mothertongue.use.llama_library import _check_layout

    with pytest.raises(MissingExtraError, match="settings look different"):
        _check_layout(bytes(512))


def test_what_an_engine_does_not_honour_goes_to_one_that_does(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, exact = open_engine(tiny_checkpoint), open_engine(tiny_checkpoint)
    monkeypatch.setattr(fast, "honours", lambda options: options.num_return_sequences < 3)
    monkeypatch.setattr(fast, "rows", lambda prompts, room: exact.rows(prompts[:0]))  # fails where it is asked
    texts = Writer(fast, tiny_checkpoint, otherwise=lambda: exact).generate("Vlak", num_return_sequences=3)
    assert len(texts) == 3
    with pytest.raises(ConfigError, match="may be num_return_sequences"):
        Writer(fast, tiny_checkpoint).generate("Vlak", num_return_sequences=3)
