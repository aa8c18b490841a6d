from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaForCausalLM,
)

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.export import huggingface, proof
from mothertongue.export.config import ExportConfig
from mothertongue.export.stage import export
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.run.artifact import Metrics, write_json
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.load import load

FILES = {
    "README.md",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "modeling_lm.py",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}


def read(folder: Path, name: str) -> dict[str, object]:
    return dict(json.loads((folder / name).read_text("utf-8")))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "export.partial"
    folder.mkdir()
    return folder


@pytest.fixture
def llama_checkpoint(tmp_path: Path, tiny_tokenizer: Tokenizer) -> Path:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tiny_tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=48,
    )  # fmt: skip
    folder = tmp_path / "llama"
    folder.mkdir()
    save_checkpoint(LlamaForCausalLM(config), tiny_tokenizer, folder)
    return folder


def test_folder_holds_what_both_cards_need(tiny_checkpoint: Path, out: Path) -> None:
    export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    assert {file.name for file in out.iterdir()} == FILES
    config = read(out, "config.json")
    assert config["model_type"] == "gpt2"
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert config["auto_map"] == {"AutoModel": "modeling_lm.GPT2LMHeadModel"}
    for file in (config, read(out, "generation_config.json")):
        assert (file["bos_token_id"], file["eos_token_id"], file["pad_token_id"]) == (0, 0, 2)


def test_nothing_of_this_machine_leaks_into_the_tokenizer_files(tiny_checkpoint: Path, out: Path) -> None:
    export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    assert read(out, "tokenizer_config.json") == {
        "tokenizer_class": "GPT2Tokenizer",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 64,
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|unknown|>",
        "pad_token": "<|pad|>",
    }
    assert list(read(out, "vocab.json"))[:4] == ["<|endoftext|>", "<|unknown|>", "<|pad|>", "<|n|>"]


@pytest.mark.parametrize(("dtype", "most"), [("float32", 0.0), ("float16", 1e-3), ("bfloat16", 1e-2)])
def test_plain_transformers_gives_the_checkpoints_logits(
    tiny_checkpoint: Path, out: Path, dtype: str, most: float
) -> None:
    metrics = export(ExportConfig(dtype=dtype), out, checkpoint=tiny_checkpoint)
    written = AutoModelForCausalLM.from_pretrained(out)
    assert type(written) is GPT2LMHeadModel
    assert written.dtype == getattr(torch, dtype)
    ids = torch.tensor([[0, 5, 77, 300]])
    expected = open_checkpoint(tiny_checkpoint).model(ids).logits
    torch.testing.assert_close(written.float()(ids).logits, expected, atol=most, rtol=0)
    assert metrics["logit_difference"] <= most
    assert metrics["same_top_token"] > 0.98
    assert metrics["bytes"] == (out / "model.safetensors").stat().st_size


@pytest.mark.parametrize("opener", [AutoTokenizer, GPT2Tokenizer])
def test_transformers_tokenizers_give_the_ids_of_tokenizers(
    tiny_checkpoint: Path, tiny_tokenizer: Tokenizer, out: Path, opener: type
) -> None:
    export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    written = opener.from_pretrained(out)
    for text in proof.SAMPLES:
        ids = encode_text(tiny_tokenizer, text)
        assert written.encode(text) == ids
        assert written.decode(ids) == text
    assert (written.eos_token_id, written.unk_token_id, written.pad_token_id) == (0, 1, 2)
    assert written.model_max_length == 64


def test_float16_halves_the_weights(tiny_checkpoint: Path, tmp_path: Path) -> None:
    sizes = {}
    for dtype in ("float32", "float16"):
        (tmp_path / dtype).mkdir()
        sizes[dtype] = export(ExportConfig(dtype=dtype), tmp_path / dtype, checkpoint=tiny_checkpoint)["bytes"]
    assert sizes["float16"] < 0.6 * sizes["float32"]


def test_metrics_are_those_of_the_written_folder(tiny_checkpoint: Path, out: Path) -> None:
    metrics = export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    assert metrics["format"] == "huggingface"
    assert metrics["context"] == 64
    assert metrics["tolerance"] == 1e-4
    assert metrics["parameters"] == open_checkpoint(tiny_checkpoint).model.num_parameters()
    json.dumps(metrics)


def test_llama_is_exported_without_the_gpt2_class(llama_checkpoint: Path, out: Path) -> None:
    export(ExportConfig(), out, checkpoint=llama_checkpoint)
    assert not (out / "modeling_lm.py").exists()
    assert "auto_map" not in read(out, "config.json")
    assert type(AutoModelForCausalLM.from_pretrained(out)) is LlamaForCausalLM
    assert AutoTokenizer.from_pretrained(out).encode("Ráno 🦄") == encode_text(load(out).tokenizer, "Ráno 🦄")
    assert "AutoModelForCausalLM" in (out / "README.md").read_text("utf-8")


def test_a_sentencepiece_vocabulary_is_kept(tmp_path: Path, out: Path) -> None:
    letters = "▁abdehijklmnorstuvyz"
    vocabulary = ["<s>", "</s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, "▁v", "la"]
    tokenizer = Tokenizer(
        models.BPE(
            {token: i for i, token in enumerate(vocabulary)},
            [("▁", "v"), ("l", "a")],
            byte_fallback=True,
            unk_token="<unk>",
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "</s>", "<unk>")])
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=48,
    )  # fmt: skip
    (tmp_path / "spm").mkdir()
    save_checkpoint(LlamaForCausalLM(config), tokenizer, tmp_path / "spm")
    export(ExportConfig(), out, checkpoint=tmp_path / "spm")
    assert read(out, "config.json")["eos_token_id"] == 1
    assert load(out).generate("v lese 🦄", seed=1) == load(tmp_path / "spm").generate("v lese 🦄", seed=1)


def test_export_can_be_loaded_and_exported_again(tiny_checkpoint: Path, out: Path, tmp_path: Path) -> None:
    export(ExportConfig(dtype="float16"), out, checkpoint=tiny_checkpoint)
    (tmp_path / "again").mkdir()
    export(ExportConfig(dtype="float16"), tmp_path / "again", checkpoint=out)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()
    assert load(out).generate("Vlak", seed=1) == load(tmp_path / "again").generate("Vlak", seed=1)


def test_what_a_killed_attempt_left_behind_does_not_stay(tiny_checkpoint: Path, out: Path) -> None:
    (out / "model-00001-of-00002.safetensors").write_bytes(b"half")
    (out / "model.safetensors.index.json").write_text("{}")
    (out / "config.json").write_text("half")
    export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    assert {file.name for file in out.iterdir()} == FILES


def test_card_tells_the_checkpoints_story_and_the_reports_figures(
    tiny_checkpoint: Path, out: Path, tmp_path: Path
) -> None:
    base: Metrics = {"kind": "checkpoint", "stage": "train", "step": "polish", "fingerprint": "f", "outputs": {}}
    write_json(tiny_checkpoint / "manifest.json", {**base, "config": {}, "metrics": {"steps": 77}})
    (tmp_path / "evaluate").mkdir()
    report = {**base, "kind": "report", "config": {}, "metrics": {"bits_per_byte": 2.125}}
    write_json(tmp_path / "evaluate" / "manifest.json", report)
    export(ExportConfig(), out, checkpoint=tiny_checkpoint, report=tmp_path / "evaluate")
    card = (out / "README.md").read_text("utf-8")
    assert "1. **polish** (train): 77 steps" in card
    assert "| bits per byte | 2.125 |" in card


def test_export_that_answers_otherwise_is_refused(
    tiny_checkpoint: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_another(model: GPT2LMHeadModel, *arguments: object, **options: object) -> None:
        with torch.no_grad():
            model.transformer.h[0].mlp.c_fc.weight.mul_(30)
        save_checkpoint(model, *arguments, **options)  # type: ignore[arg-type]
        with torch.no_grad():
            model.transformer.h[0].mlp.c_fc.weight.div_(30)

    monkeypatch.setattr(huggingface, "save_checkpoint", save_another)
    with pytest.raises(CheckpointError, match=r"logits differ .* by up to .* more than 0\.0001 for float32"):
        export(ExportConfig(), out, checkpoint=tiny_checkpoint)


def test_a_stated_tolerance_is_held(tiny_checkpoint: Path, out: Path) -> None:
    with pytest.raises(CheckpointError, match="more than 1e-09 for bfloat16"):
        export(ExportConfig(dtype="bfloat16", tolerance=1e-9), out, checkpoint=tiny_checkpoint)


def test_tokenizer_that_transformers_would_change_is_refused(
    tiny_checkpoint: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = huggingface.save_checkpoint

    def save_other_merges(*arguments: object, **options: object) -> None:
        saved(*arguments, **options)  # type: ignore[arg-type]
        file = read(out, "tokenizer.json")
        file["model"]["merges"] = []  # type: ignore[index]
        write_json(out / "tokenizer.json", file)

    monkeypatch.setattr(huggingface, "save_checkpoint", save_other_merges)
    with pytest.raises(CheckpointError, match="exported tokenizer reads"):
        export(ExportConfig(), out, checkpoint=tiny_checkpoint)


def test_weights_too_large_for_float16_are_refused(tiny_checkpoint: Path, out: Path) -> None:
    opened = open_checkpoint(tiny_checkpoint)
    with torch.no_grad():
        opened.model.transformer.h[1].mlp.c_proj.bias[3] = 1e5
    save_checkpoint(opened.model, opened.tokenizer, tiny_checkpoint)
    with pytest.raises(CheckpointError, match=r"c_proj\.bias has weights up to 1e\+05, which float16 cannot hold"):
        export(ExportConfig(dtype="float16"), out, checkpoint=tiny_checkpoint)
    assert not list(out.iterdir())


def test_logits_that_are_no_numbers_never_pass(tiny_model: GPT2LMHeadModel) -> None:
    with torch.no_grad():
        tiny_model.transformer.ln_f.bias[0] = float("nan")
    found = proof.compare_models(tiny_model, tiny_model, [[5, 6], [7]])
    assert found.logit_difference != found.logit_difference


def test_the_whole_context_is_compared(tiny_tokenizer: Tokenizer) -> None:
    assert [len(ids) for ids in proof.sample_ids(tiny_tokenizer, 500)][-1] == 500
    assert [len(ids) for ids in proof.sample_ids(tiny_tokenizer, 1 << 20)][-1] == proof.LONGEST
    assert max(len(ids) for ids in proof.sample_ids(tiny_tokenizer, 10)) == 10


def test_unknown_format_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r'no export format "hugingface"\. Did you mean "huggingface"'):
        ExportConfig(format="hugingface")
    with pytest.raises(ConfigError, match="is not one of float32, float16, bfloat16"):
        ExportConfig(dtype="int8")


def test_no_code_is_needed_or_run_to_open_an_export(tiny_checkpoint: Path, out: Path) -> None:
    export(ExportConfig(), out, checkpoint=tiny_checkpoint)
    (out / "modeling_lm.py").write_text("raise SystemExit('this code ran')")
    assert load(out).generate("Vlak", seed=1, max_new_tokens=3)
    assert AutoConfig.from_pretrained(out).model_type == "gpt2"
