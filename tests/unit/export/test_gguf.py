from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from mothertongue.errors import CheckpointError, ConfigError, MissingExtraError
from mothertongue.export.config import ExportConfig
from mothertongue.export.proof import prove_engine, sample_ids
from mothertongue.export.stage import export
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.tokenizer.bytelevel import decode_ids, train_bytelevel
from mothertongue.use import llama_engine, llama_library
from mothertongue.use.engine import Floats
from mothertongue.use.load import load, open_engine
from mothertongue.use.torch_engine import TorchEngine, TorchSession

pytest.importorskip("xllamacpp", exc_type=ImportError)
pytest.importorskip("gguf")
SIZES = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64,
}  # fmt: skip
GPT2_SIZES = {"n_positions": 64, "n_embd": 64, "n_layer": 2, "n_head": 4}
TEXT = [0, *range(20, 60)]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    return folder


def save(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> Path:
    folder.mkdir()
    save_checkpoint(model, tokenizer, folder)
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_tokenizer: Tokenizer) -> Path:
    torch.manual_seed(0)
    size = tiny_tokenizer.get_vocab_size()
    model = GPT2LMHeadModel(GPT2Config(**GPT2_SIZES, vocab_size=size))
    return save(model, tiny_tokenizer, tmp_path / "checkpoint")


def test_a_tokenizer_that_gguf_cannot_hold_stands_beside_the_file(tmp_path: Path, out: Path) -> None:
    tokenizer = train_bytelevel(["हिन्दी भाषा में एक छोटा वाक्य है।"] * 9, vocab_size=320, split="script")
    model = GPT2LMHeadModel(GPT2Config(**GPT2_SIZES, vocab_size=tokenizer.get_vocab_size()))
    export(ExportConfig(format="gguf"), out, checkpoint=save(model, tokenizer, tmp_path / "hindi"))
    assert load(out, engine="llama").next_words("हिन्दी")


class Worse(TorchEngine):
    """Gives every token a tenth of a nat less."""

    def session(self) -> TorchSession:
        class Session(TorchSession):
            def extend(self, ids: Sequence[int]) -> Floats:
                return np.asarray(super().extend(ids) - 0.1)

        return Session(self)


@pytest.mark.parametrize("context", [16, 512])
def test_a_loss_is_told_by_the_bytes_that_were_read(tiny_tokenizer: Tokenizer, context: int) -> None:
    shape = {**GPT2_SIZES, "n_positions": context, "vocab_size": tiny_tokenizer.get_vocab_size()}
    model = GPT2LMHeadModel(GPT2Config(**shape)).eval()
    proof = prove_engine(model, tiny_tokenizer, Worse(model, tiny_tokenizer), tolerance=1.0, kind="worse")
    texts = [ids[1:] for ids in sample_ids(tiny_tokenizer, context)[:-1]]
    size = sum(len(decode_ids(tiny_tokenizer, ids).encode()) for ids in texts)
    assert proof.bits_per_byte_loss == pytest.approx(0.1 / math.log(2) * sum(map(len, texts)) / size, rel=0.03)


@pytest.mark.parametrize(
    ("dtype", "difference", "bits"),
    [("float32", 1e-3, 32), ("float16", 2e-3, 16), ("q8_0", 0.1, 8.5), ("q4_0", 0.5, 8.5), ("q4_0_pure", 0.6, 4.5)],
)
def test_the_loss_of_every_type_is_told(
    checkpoint: Path, out: Path, dtype: str, difference: float, bits: float
) -> None:
    metrics = export(ExportConfig(format="gguf", dtype=dtype), out, checkpoint=checkpoint)
    assert {file.name for file in out.iterdir()} == {"model.gguf", "tokenizer.json", "README.md"}
    assert 0 < metrics["logit_difference"] < difference
    assert abs(metrics["bits_per_byte_loss"]) < difference
    assert metrics["same_top_token"] > 0.95
    assert metrics["bytes"] < metrics["parameters"] * bits / 8 + 60_000  # positions, norms and the vocabulary


@pytest.mark.parametrize(
    ("config", "kind", "more"),
    [
        (LlamaConfig, LlamaForCausalLM, {}),
        (LlamaConfig, LlamaForCausalLM, {"attention_bias": True}),
        (Qwen2Config, Qwen2ForCausalLM, {}),
        (Qwen3Config, Qwen3ForCausalLM, {}),
    ],
)
def test_other_families_answer_as_the_checkpoint(
    tmp_path: Path, tiny_tokenizer: Tokenizer, out: Path, config: type, kind: type, more: dict[str, bool]
) -> None:
    torch.manual_seed(0)
    sizes = {**SIZES, "vocab_size": tiny_tokenizer.get_vocab_size()}
    model = kind(config(**sizes, tie_word_embeddings=False, **more)).eval()
    for name, bias in model.named_parameters():
        if name.endswith("bias"):  # they begin as zeros
            torch.nn.init.normal_(bias)
    folder = save(model, tiny_tokenizer, tmp_path / "other")
    metrics = export(ExportConfig(format="gguf", tolerance=1e-5), out, checkpoint=folder)
    assert metrics["same_top_token"] == 1
    exact = open_engine(folder, engine="torch").next_tokens(TEXT)
    assert open_engine(out).next_tokens(TEXT) == pytest.approx(exact, abs=1e-5)


def test_an_export_writes_without_torch(checkpoint: Path, out: Path) -> None:
    export(ExportConfig(format="gguf", dtype="q8_0"), out, checkpoint=checkpoint)
    code = (
        "import sys; from mothertongue.use.load import load; "
        f"print(len(load({str(out)!r}).generate('Vlak', seed=1, max_new_tokens=90))); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_an_export_offers_next_words_and_streams(checkpoint: Path, out: Path) -> None:
    export(ExportConfig(format="gguf", dtype="float32"), out, checkpoint=checkpoint)
    writer, exact = load(out), load(checkpoint)
    options = {"do_sample": False, "max_new_tokens": 40, "no_repeat_ngram_size": 2}
    assert writer.generate("Vlak", **options) == exact.generate("Vlak", **options)
    assert "".join(writer.stream("Vlak", **options)) == exact.generate("Vlak", **options)[0]
    assert [word.word for word in writer.next_words("Vl", k=3)] == [word.word for word in exact.next_words("Vl", k=3)]
    texts = writer.generate("Vlak", num_return_sequences=3, seed=1)
    assert texts == exact.generate("Vlak", num_return_sequences=3, seed=1)


def test_a_file_that_answers_differently_is_refused(checkpoint: Path, out: Path) -> None:
    with pytest.raises(CheckpointError, match=r"differ from the checkpoint's.*for q4_0"):
        export(ExportConfig(format="gguf", dtype="q4_0", tolerance=1e-3), out, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "huggingface", "dtype": "q8_0"}, 'needs format = "gguf"'),
        ({"format": "gguf", "dtype": "bfloat16"}, 'does not write dtype = "bfloat16"'),
    ],
)
def test_types_that_a_format_lacks_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExportConfig(**options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation_function": "relu"}, "no GPT-2 with activation_function relu"),
        ({"scale_attn_by_inverse_layer_idx": True}, "no GPT-2 with scale_attn"),
    ],
)
def test_variants_that_llama_cpp_would_ignore_are_refused(
    tmp_path: Path, tiny_tokenizer: Tokenizer, out: Path, change: dict[str, object], message: str
) -> None:
    size = tiny_tokenizer.get_vocab_size()
    config = GPT2Config(vocab_size=size, n_positions=64, n_embd=32, n_layer=1, n_head=2, **change)
    folder = save(GPT2LMHeadModel(config), tiny_tokenizer, tmp_path / "variant")
    with pytest.raises(CheckpointError, match=message):
        export(ExportConfig(format="gguf"), out, checkpoint=folder)


def test_another_activation_of_llama_is_refused(tmp_path: Path, tiny_tokenizer: Tokenizer, out: Path) -> None:
    config = LlamaConfig(**{**SIZES, "vocab_size": tiny_tokenizer.get_vocab_size()}, hidden_act="gelu")
    folder = save(LlamaForCausalLM(config), tiny_tokenizer, tmp_path / "variant")
    with pytest.raises(CheckpointError, match="no llama with hidden_act gelu"):
        export(ExportConfig(format="gguf", dtype="q8_0"), out, checkpoint=folder)


def test_a_session_grows_beyond_its_first_memory(checkpoint: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(ExportConfig(format="gguf", dtype="float32"), out, checkpoint=checkpoint)
    engine = open_engine(out)
    whole = engine.next_tokens(TEXT)
    monkeypatch.setattr(llama_engine, "SESSION_CELLS", 8)
    session = engine.session()
    for token in TEXT[:-1]:
        session.extend([token])
    assert session.extend(TEXT[-1:]) == pytest.approx(whole, abs=1e-5)
    session.crop(10)
    assert session.extend(TEXT[10:]) == pytest.approx(whole, abs=1e-5)
    session.close()


def test_a_folder_that_only_llama_cpp_can_open_says_what_is_wrong(
    checkpoint: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(ExportConfig(format="gguf", dtype="q8_0"), out, checkpoint=checkpoint)
    other = train_bytelevel(["Ráno svítilo slunce."], vocab_size=290)
    other.save(str(out / "tokenizer.json"))
    with pytest.raises(CheckpointError, match="320 embedding rows but its tokenizer has 277 tokens"):
        load(out)
    with monkeypatch.context() as patch:
        patch.setattr(llama_library, "find_spec", lambda name: None)
        llama_library._open.cache_clear()
        with pytest.raises(MissingExtraError, match=r'pip install "mothertongue\[gguf\]"'):
            load(out)
    (out / "second.gguf").write_bytes(b"GGUF")
    with pytest.raises(CheckpointError, match=r"Keep one of model\.gguf, second\.gguf"):
        load(out)


def test_damaged_files_and_strange_tokenizers_are_refused(checkpoint: Path, out: Path) -> None:
    export(ExportConfig(format="gguf", dtype="q8_0"), out, checkpoint=checkpoint)
    file = out / "model.gguf"
    whole = file.read_bytes()
    for damaged in (b"", b"GGUF", whole[: len(whole) // 2], b"\x00" * 64 + whole[64:]):
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"llama\.cpp cannot open"):
            load(out)
    file.unlink()
    with pytest.raises(CheckpointError, match=r"one \.gguf file"):
        load(out, engine="llama")


def test_weights_that_are_no_numbers_are_named_as_the_cause(checkpoint: Path, out: Path) -> None:
    from mothertongue.export.gguf import write_model
    from mothertongue.model.checkpoint import open_checkpoint

    opened = open_checkpoint(checkpoint)
    with torch.no_grad():
        opened.model.transformer.ln_f.weight.fill_(np.nan)
    write_model(opened.model, opened.tokenizer, out / "model.gguf", dtype="float32")
    opened.tokenizer.save(str(out / "tokenizer.json"))
    with pytest.raises(CheckpointError, match="no numbers"):
        load(out).generate("Vlak")


def test_a_tokenizer_that_llama_cpp_does_not_know_stays_beside_the_file(tmp_path: Path, out: Path) -> None:
    torch.manual_seed(0)
    tokenizer = train_bytelevel(["ab"], vocab_size=260)  # no merges
    model = GPT2LMHeadModel(GPT2Config(vocab_size=260, n_positions=64, n_embd=32, n_layer=1, n_head=2))
    folder = save(model, tokenizer, tmp_path / "bytes")
    assert export(ExportConfig(format="gguf"), out, checkpoint=folder)["same_top_token"] == 1
    texts = load(out).generate("Vlak", do_sample=False, max_new_tokens=8)
    assert texts == load(folder).generate("Vlak", do_sample=False, max_new_tokens=8)
