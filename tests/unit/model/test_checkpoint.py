from __future__ import annotations

import json
import resource
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, GPT2LMHeadModel, PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.checkpoint import check_safetensors, open_checkpoint, save_checkpoint
from mothertongue.tokenizer.bytelevel import encode_text, end_of_text_id, save_tokenizer, train_bytelevel

Maker = Callable[..., PreTrainedModel]
IDS = torch.arange(4, 44).reshape(2, 20)


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS).logits


def edit_json(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3", "smollm3"])
def test_a_saved_checkpoint_opens_with_the_same_logits_bit_for_bit(
    make_model: Maker, tiny_tokenizer: Tokenizer, tmp_path: Path, family: str, tied: bool
) -> None:
    model = make_model(family, tied=tied)
    save_checkpoint(model, tiny_tokenizer, tmp_path)
    opened = open_checkpoint(tmp_path)
    assert not opened.model.training
    assert torch.equal(logits(opened.model), logits(model))
    assert encode_text(opened.tokenizer, "mlha") == encode_text(tiny_tokenizer, "mlha")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(logits(theirs), logits(model))


def test_half_precision_halves_the_file_and_leaves_the_model_alone(
    tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    expected = logits(tiny_model)
    for name, dtype in (("full", None), ("half", torch.float16)):
        (tmp_path / name).mkdir()
        save_checkpoint(tiny_model, tiny_tokenizer, tmp_path / name, dtype=dtype)
    assert tiny_model.dtype == torch.float32
    assert torch.equal(logits(tiny_model), expected)
    saved = load_file(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float16}
    assert "lm_head.weight" not in saved
    opened = open_checkpoint(tmp_path / "half").model
    assert opened.dtype == torch.float32
    assert torch.equal(opened.transformer.wte.weight, tiny_model.transformer.wte.weight.half().float())
    assert open_checkpoint(tmp_path / "half", dtype=torch.float16).model.dtype == torch.float16


def test_what_another_owner_left_in_the_configuration_is_not_passed_on(tiny_checkpoint: Path, tmp_path: Path) -> None:
    # auto_map names a file of code that the new folder does not have
    edit_json(tiny_checkpoint / "config.json", auto_map={"AutoModelForCausalLM": "modeling_lm.GPT2LMHeadModel"})
    edit_json(tiny_checkpoint / "generation_config.json", do_sample=False, temperature=0.3)
    opened = open_checkpoint(tiny_checkpoint)
    out = tmp_path / "out"
    out.mkdir()
    save_checkpoint(opened.model, opened.tokenizer, out)
    assert "auto_map" not in json.loads((out / "config.json").read_text())
    assert open_checkpoint(out).model.config.model_type == "gpt2"


def test_habits_of_generation_are_not_passed_on(tiny_checkpoint: Path, tmp_path: Path) -> None:
    # a temperature without do_sample is what Llama 2 has, and what transformers refuses to save
    (tiny_checkpoint / "generation_config.json").write_text('{"temperature": 0.9, "top_p": 0.6, "eos_token_id": 0}')
    opened = open_checkpoint(tiny_checkpoint)
    save_checkpoint(opened.model, opened.tokenizer, tmp_path / "again")
    kept = json.loads((tmp_path / "again" / "generation_config.json").read_text())
    assert not {"temperature", "top_p"} & set(kept)
    assert kept["eos_token_id"] == 0


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(tiny_checkpoint: Path, name: str) -> None:
    (tiny_checkpoint / name).unlink()
    for file in (tiny_checkpoint / "vocab.json", tiny_checkpoint / "merges.txt"):
        file.unlink()
    with pytest.raises(CheckpointError, match=name.partition(".")[0]):
        open_checkpoint(tiny_checkpoint)


def test_no_folder_at_all_is_a_checkpoint_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere has no config\.json"):
        open_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model_type": "gpt2", "n_layer": "six"}', '{"model_type": "no"}']
)
def test_a_broken_configuration_is_a_checkpoint_error(tiny_checkpoint: Path, content: str) -> None:
    (tiny_checkpoint / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match="cannot be opened"):
        open_checkpoint(tiny_checkpoint)


def test_pickled_weights_are_refused(tiny_checkpoint: Path, tiny_model: GPT2LMHeadModel) -> None:
    (tiny_checkpoint / "model.safetensors").unlink()
    torch.save(tiny_model.state_dict(), tiny_checkpoint / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="Only safetensors are opened"):
        open_checkpoint(tiny_checkpoint)


def test_pickled_weights_beside_safetensors_are_not_read(tiny_checkpoint: Path) -> None:
    expected = logits(open_checkpoint(tiny_checkpoint).model)
    (tiny_checkpoint / "pytorch_model.bin").write_bytes(b"no pickle at all")
    assert torch.equal(logits(open_checkpoint(tiny_checkpoint).model), expected)


@pytest.mark.parametrize("names", ["AutoConfig AutoModelForCausalLM AutoTokenizer", "AutoModelForCausalLM"])
@pytest.mark.parametrize("kind", ["gpt2", "something_new"])
def test_code_in_the_folder_is_never_run(tiny_checkpoint: Path, names: str, kind: str) -> None:
    witness = tiny_checkpoint / "witness"
    code = f"open({str(witness)!r}, 'w').write('run')\nclass Evil: pass\n"
    (tiny_checkpoint / "evil.py").write_text(code)
    auto_map = {name: "evil.Evil" for name in names.split()}
    edit_json(tiny_checkpoint / "config.json", auto_map=auto_map, model_type=kind)
    edit_json(tiny_checkpoint / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})
    if kind == "gpt2":
        open_checkpoint(tiny_checkpoint)
    else:
        with pytest.raises(CheckpointError, match="cannot be opened"):
            open_checkpoint(tiny_checkpoint)
    assert not witness.exists()


def test_a_model_in_several_files_opens(make_model: Maker, tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = make_model("llama", tied=False)
    model.save_pretrained(tmp_path, max_shard_size="20kB")
    save_tokenizer(tiny_tokenizer, tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert torch.equal(logits(open_checkpoint(tmp_path).model), logits(model))
    shards[0].unlink()
    with pytest.raises(CheckpointError, match=shards[0].name):
        open_checkpoint(tmp_path)


def test_weights_of_fewer_layers_than_the_configuration_has_are_refused(tiny_checkpoint: Path) -> None:
    edit_json(tiny_checkpoint / "config.json", n_layer=3)
    with pytest.raises(CheckpointError, match=r"lacks 12 of the model's weights"):
        open_checkpoint(tiny_checkpoint)


def test_weights_of_more_layers_than_the_configuration_has_are_refused(tiny_checkpoint: Path) -> None:
    edit_json(tiny_checkpoint / "config.json", n_layer=1)
    with pytest.raises(CheckpointError, match=r"6 weights that its config\.json has no place for"):
        open_checkpoint(tiny_checkpoint)


def test_weights_of_another_width_are_refused(tiny_checkpoint: Path) -> None:
    edit_json(tiny_checkpoint / "config.json", n_embd=32)
    with pytest.raises(CheckpointError, match="cannot be opened"):
        open_checkpoint(tiny_checkpoint)


def header_of(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        return dict(json.loads(stream.read(length)))


def write_safetensors(file: Path, header: Any, payload: bytes, *, length: int | None = None) -> None:
    raw = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + payload)


@pytest.mark.parametrize("kept", [0, 5, 8, 100, -1])
def test_truncated_weights_are_refused(tiny_checkpoint: Path, kept: int) -> None:
    file = tiny_checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"model\.safetensors .*truncated or forged"):
        open_checkpoint(tiny_checkpoint)


def test_weights_with_something_appended_are_refused(tiny_checkpoint: Path) -> None:
    file = tiny_checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(CheckpointError, match="truncated or forged"):
        open_checkpoint(tiny_checkpoint)


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_header_that_lies_about_its_length_is_refused(tmp_path: Path, length: int) -> None:
    file = tmp_path / "model.safetensors"
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    write_safetensors(file, {"a": entry}, bytes(8), length=length)
    with pytest.raises(CheckpointError, match=r"truncated or forged|not safetensors"):
        check_safetensors(file)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, -8]},
        {"dtype": "F32", "shape": [2], "data_offsets": ["0", "8"]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, None]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 1e400]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 1 << 70]},
        {"dtype": "F32", "shape": [2]},
        [0, 8],
        None,
    ],
)
def test_offsets_that_lead_nowhere_are_refused(tmp_path: Path, entry: object) -> None:
    file = tmp_path / "model.safetensors"
    write_safetensors(file, {"a": entry}, bytes(8))
    with pytest.raises(CheckpointError, match=r"truncated or forged|not safetensors"):
        check_safetensors(file)


@pytest.mark.parametrize("raw", [b"[]", b"null", b"7", b'"a"', b"\xff\xff", b"[" * 100_000, b"{" * 10])
def test_a_header_that_is_no_table_is_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(raw)) + raw)
    with pytest.raises(CheckpointError, match="not safetensors"):
        check_safetensors(file)


def test_offsets_that_overlap_are_a_checkpoint_error(tiny_checkpoint: Path) -> None:
    file = tiny_checkpoint / "model.safetensors"
    header = header_of(file)
    names = sorted(name for name in header if name != "__metadata__")
    header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]
    raw = file.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    write_safetensors(file, header, raw[8 + length :])
    with pytest.raises(CheckpointError, match="cannot be opened"):
        open_checkpoint(tiny_checkpoint)


def test_a_folder_or_a_dangling_link_in_place_of_weights_is_a_checkpoint_error(tiny_checkpoint: Path) -> None:
    file = tiny_checkpoint / "model.safetensors"
    file.unlink()
    file.symlink_to(tiny_checkpoint / "gone")
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be read"):
        open_checkpoint(tiny_checkpoint)


def test_sound_weights_pass(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(3), "b": torch.zeros(0)}, file, metadata={"format": "pt"})
    check_safetensors(file)
    save_file({}, file)
    check_safetensors(file)


@pytest.mark.parametrize(("rows", "tokens"), [(320, 300), (320, 256), (384, 320), (321, 320), (310, 320), (8192, 7900)])
def test_a_tokenizer_of_another_size_is_refused_with_both_sizes(
    make_model: Maker, tmp_path: Path, rows: int, tokens: int
) -> None:
    make_model("gpt2", size=rows).save_pretrained(tmp_path)
    vocabulary = {f"t{i}": i for i in range(tokens)}
    save_tokenizer(Tokenizer(models.BPE(vocabulary, [])), tmp_path)
    with pytest.raises(CheckpointError, match=rf"{rows} embedding rows but its tokenizer has {tokens} tokens"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(("rows", "tokens"), [(320, 320), (8192, 8065), (8192, 8000)])
def test_rows_rounded_up_to_a_multiple_of_64_are_no_mismatch(
    make_model: Maker, tmp_path: Path, rows: int, tokens: int
) -> None:
    make_model("gpt2", size=rows).save_pretrained(tmp_path)
    save_tokenizer(Tokenizer(models.BPE({f"t{i}": i for i in range(tokens)}, [])), tmp_path)
    assert open_checkpoint(tmp_path).model.config.vocab_size == rows


def test_saving_refuses_a_tokenizer_of_another_size(tiny_model: GPT2LMHeadModel, tmp_path: Path) -> None:
    other = train_bytelevel(["a"], vocab_size=260)
    with pytest.raises(CheckpointError, match=r"320 embedding rows but its tokenizer has 260 tokens"):
        save_checkpoint(tiny_model, other, tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_end_of_a_text_is_found_under_the_names_it_goes_by(tiny_tokenizer: Tokenizer) -> None:
    assert end_of_text_id(tiny_tokenizer) == 0
    assert end_of_text_id(Tokenizer(models.BPE({"a": 0, "</s>": 1}, []))) == 1
    with pytest.raises(CheckpointError, match=r"no end-of-text token"):
        end_of_text_id(Tokenizer(models.BPE({"a": 0}, [])))


@pytest.mark.parametrize(
    "forged",
    [
        {"n_layer": 10**9},
        {"num_hidden_layers": 1e12},
        {"num_labels": 10**9},
        {"text_config": {"num_hidden_layers": 10**9}},
        {"n_embd": 1 << 20, "n_head": 1},
        {"n_positions": 10**12},
        {"n_inner": 10**13},
        {"vocab_size": 10**12},
    ],
)
def test_a_forged_config_takes_neither_memory_nor_time(tiny_checkpoint: Path, forged: dict[str, Any]) -> None:
    edit_json(tiny_checkpoint / "config.json", **forged)
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="cannot be opened"):
        open_checkpoint(tiny_checkpoint)
    assert time.monotonic() - begun < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_config_that_is_no_table_is_a_checkpoint_error(tiny_checkpoint: Path) -> None:
    (tiny_checkpoint / "config.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(CheckpointError, match="cannot be opened"):
        open_checkpoint(tiny_checkpoint)
