from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from mothertongue.compress import stage, theseus
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.theseus import make_successor
from mothertongue.corpus.shards import read_documents
from mothertongue.errors import ConfigError
from mothertongue.export.config import ExportConfig
from mothertongue.export.stage import export
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.settings import parse_settings
from mothertongue.use.load import load

SHORT = {"batch_size": 4, "sequence_length": 16, "dev_kilobytes": 0.5, "dev_scores": 2, "learning_rate": 5e-3}


def compress(out: Path, checkpoint: Path, corpus: Path, **settings: Any) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    config = parse_settings(CompressConfig, {**SHORT, **settings})
    return stage.compress(config, out, checkpoint=checkpoint, corpus=corpus)


def dev_bits_per_byte(model: torch.nn.Module, opened: Checkpoint, corpus: Path) -> float:
    texts = [document.text for document in read_documents(corpus, "dev")]
    return score_documents(model, opened.tokenizer, texts).bits_per_byte


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return open_checkpoint(folder).model.state_dict()


@pytest.mark.parametrize("method", ["theseus", "distill", "truncate"])
def test_the_stage_halves_a_model_and_betters_its_own_start(
    predecessor: Path, corpus: Path, tmp_path: Path, method: str
) -> None:
    metrics = compress(tmp_path / "out", predecessor, corpus, method=method, steps=30, batch_size=8)
    old, new = open_checkpoint(predecessor), open_checkpoint(tmp_path / "out")
    start = dev_bits_per_byte(make_successor(old.model, metrics["begun_from_layers"]), old, corpus)
    assert dev_bits_per_byte(new.model, new, corpus) < start - 0.1
    assert (metrics["predecessor_layers"], metrics["layers"], metrics["begun_from_layers"]) == (6, 3, [0, 2, 5])
    assert metrics["phases"].get("replacing", 0) == (9 if method == "theseus" else 0)
    assert metrics["parameters"] == new.model.num_parameters() < metrics["predecessor_parameters"]
    assert metrics["tflop"] > 0
    assert (metrics["steps"], metrics["tokens"]) == (30, 30 * 8 * 16)
    json.dumps(metrics)
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text("utf-8").splitlines()]
    names = ["replacing", "successor", "long"] if method == "theseus" else ["successor", "long"]
    assert list(dict.fromkeys(line["phase"] for line in log if "phase" in line)) == names
    assert {file.name for file in (tmp_path / "out").iterdir()} - {PROGRESS} == {
        *("config.json", "generation_config.json", "model.safetensors", "log.jsonl", "training.png", "tokenizer.json"),
        *("tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"),
    }


@pytest.mark.parametrize(("family", "tied"), [("llama", False), ("qwen3", True), ("gpt2", False)])
def test_every_family_is_compressed_exported_and_writes(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path, family: str, tied: bool
) -> None:
    metrics = compress(tmp_path / "out", save_predecessor(family, tied=tied), corpus, steps=4, layers=2)
    assert metrics["layers"] == 2
    (tmp_path / "export").mkdir()
    export(ExportConfig(), tmp_path / "export", checkpoint=tmp_path / "out")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "export")
    ids = torch.arange(4, 24)[None]
    with torch.no_grad():
        torch.testing.assert_close(plain(ids).logits, open_checkpoint(tmp_path / "out").model(ids).logits)
    texts = load(tmp_path / "export").generate("Mlynář viděl", max_new_tokens=5, seed=1)
    assert texts == load(tmp_path / "out").generate("Mlynář viděl", max_new_tokens=5, seed=1)


@pytest.mark.parametrize("dtype", ["float32", "float16", "q8_0", "q4_0", "q4_0_pure"])
def test_a_successor_with_fewer_tokens_and_bits_loses_nothing_more_in_a_gguf_file(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path, dtype: str
) -> None:
    pytest.importorskip("gguf")
    settings = {"steps": 3, "layers": 2, "vocab_size": 290, "dtype": dtype}
    compress(tmp_path / "out", save_predecessor("gpt2", tied=True), corpus, **settings)
    (tmp_path / "export").mkdir()
    metrics = export(ExportConfig(format="gguf", dtype=dtype), tmp_path / "export", checkpoint=tmp_path / "out")
    assert metrics["logit_difference"] < {"float32": 1e-3, "float16": 2e-3}.get(dtype, 0.05)
    assert abs(metrics["bits_per_byte_loss"]) < 1e-3


def test_embeddings_are_frozen_while_replacing_and_learn_afterwards(
    predecessor: Path, corpus: Path, tmp_path: Path
) -> None:
    before = weights(predecessor)
    shared = ["transformer.wte.weight", "transformer.wpe.weight", "transformer.ln_f.weight", "transformer.ln_f.bias"]
    compress(tmp_path / "replacing", predecessor, corpus, steps=4, replacing_share=1.0, unfreeze="successor")
    after = weights(tmp_path / "replacing")
    assert all(torch.equal(after[name], before[name]) for name in shared)
    assert not torch.equal(after["transformer.h.0.mlp.c_fc.weight"], before["transformer.h.0.mlp.c_fc.weight"])
    compress(tmp_path / "both", predecessor, corpus, steps=4, replacing_share=0.5, unfreeze="successor")
    after = weights(tmp_path / "both")
    assert not any(torch.equal(after[name], before[name]) for name in shared)


class Killed(BaseException):
    pass


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> None:
    fit = stage.fit

    def fit_or_die(*arguments: Any, before_step: Callable[[int], None], **options: Any) -> Any:
        def before(number: int) -> None:
            if number == step:
                raise Killed
            before_step(number)

        return fit(*arguments, before_step=before, **options)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "fit", fit_or_die)
        with pytest.raises(Killed):
            run()


EVERYTHING = {
    **{"draw": "sequence", "scheduler": "loss", "initial": "bridge", "groups": "influence", "layers": 4},
    **{"hidden": 0.5, "local_share": 0.2, "micro_batch": 3, "probe_tokens": 64},
}


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["plain", "everything"])
def test_killed_in_both_phases_and_resumed_gives_the_same_bits(
    more: dict[str, Any],
    save_predecessor: Callable[..., Path],
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predecessor = save_predecessor(dropout=0.3)
    settings = {"steps": 10, "replacing_share": 0.5, "dropout": 0.2, "save_minutes": 0.0, "seed": 3, **more}

    def run(name: str) -> dict[str, Any]:
        return compress(tmp_path / name, predecessor, corpus, **settings)

    whole = run("whole")
    steps = (3,) if more else (2, 3, 8)  # while modules are replaced, and after the embeddings have begun to learn
    for step in steps:
        killed_at(step, monkeypatch, lambda: run("killed"))
        assert sorted((tmp_path / "killed" / PROGRESS).glob("*.safetensors"))[-1].name == f"step-{step:08d}.safetensors"
    resumed = run("killed")
    for name in ("model.safetensors", "log.jsonl", "config.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    clock = {"seconds", "tokens_per_second"}
    assert {k: v for k, v in resumed.items() if k not in clock} == {k: v for k, v in whole.items() if k not in clock}


def test_killed_after_the_last_step_nothing_is_trained_again(
    predecessor: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(stage, "save_checkpoint", die)
        with pytest.raises(Killed):
            compress(tmp_path / "out", predecessor, corpus, steps=4)
        patch.undo()
        patch.setattr(theseus, "replace_modules", die)
        assert compress(tmp_path / "out", predecessor, corpus, steps=4)["steps"] == 4
    assert open_checkpoint(tmp_path / "out").model.config.num_hidden_layers == 3


def test_the_predecessor_is_neither_changed_nor_trained_nor_saved(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_predecessor(dropout=0.3)
    before = weights(folder)
    held: list[Any] = []
    install = stage.install_modules

    def install_and_hold(model: Any, predecessor: Any, groups: Any) -> Any:
        held.append(predecessor)
        return install(model, predecessor, groups)

    monkeypatch.setattr(stage, "install_modules", install_and_hold)
    settings = {"steps": 6, "save_minutes": 0.0, "dropout": 0.1, "replacing_share": 0.5}
    killed_at(5, monkeypatch, lambda: compress(tmp_path / "out", folder, corpus, **settings))
    [predecessor] = held
    assert all(torch.equal(tensor, before[name]) for name, tensor in predecessor.state_dict().items())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in predecessor.parameters())
    assert not any(module.training for module in predecessor.modules())
    assert {m.p for m in predecessor.modules() if isinstance(m, torch.nn.Dropout)} == {0.3}
    state = sorted((tmp_path / "out" / PROGRESS).glob("*.safetensors"))[-1]
    with safe_open(state, framework="pt") as saved:
        names = list(saved.keys())
    per_block = len([name for name in before if name.startswith("transformer.h.0.")])
    in_blocks = [name for name in names if name.startswith("model.transformer.h.")]
    assert len(in_blocks) == 3 * per_block
    assert all(".successor." in name for name in in_blocks)
    learnt = {name.split(".")[1] for name in names if name.startswith("optimizer.")}
    assert len(learnt) == 3 * per_block + 4  # wte (the head too), wpe, and the two of ln_f


def test_the_predecessor_reads_once_more_only_where_it_teaches(predecessor: Path, corpus: Path, tmp_path: Path) -> None:
    costs = {}
    for name, settings in {
        "truncate": {"method": "truncate"},
        "alone": {"replacing_share": 0.0, "distillation": 0.0, "hidden": 0.0},
        "taught": {"replacing_share": 0.0},
    }.items():
        costs[name] = compress(tmp_path / name, predecessor, corpus, steps=2, **settings)["tflop"]
    assert costs["truncate"] == costs["alone"] < costs["taught"]
    # replacing without steps and without a teacher is truncation, to the bit
    same = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("truncate", "alone", "taught")]
    assert same[0] == same[1] != same[2]


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("gpt2", {"method": "paper", "learning_rate": 1e-3}),
        ("llama", {"draw": "sequence", "micro_batch": 3, "redraw": False, "replacing_rate": 0.1}),
        ("gpt2", {"scheduler": "loss", "initial": "merged", "one_schedule": True, "unfreeze": "never"}),
        ("llama", {"groups": "influence", "initial": "bridge", "layers": 4, "local_share": 0.5, "hidden": 1.0}),
    ],
    ids=str,
)
def test_every_setting_makes_a_plain_checkpoint_and_a_finite_loss(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path, family: str, settings: dict[str, Any]
) -> None:
    share = {} if settings.get("method") == "paper" else {"replacing_share": 0.5}
    given = {"steps": 6, "probe_tokens": 64, "dev_kilobytes": 0.0, **share, **settings}
    metrics = compress(tmp_path / "out", save_predecessor(family), corpus, **given)
    assert metrics["loss"] == metrics["loss"]
    assert sum(metrics["groups"]) == 6
    assert sum(metrics["phases"].values()) == 6
    assert metrics["layers"] == len(metrics["groups"])
    assert open_checkpoint(tmp_path / "out").model.config.num_hidden_layers == metrics["layers"]


def test_a_bridge_needs_no_training_and_betters_what_it_begins_with(
    predecessor: Path, corpus: Path, tmp_path: Path
) -> None:
    metrics = compress(tmp_path / "out", predecessor, corpus, method="bridge", probe_tokens=2000)
    assert (metrics["phases"], metrics["layers"]) == ({}, 3)
    assert 0 < metrics["tflop"] == metrics["prepared_tflop"]
    old, new = open_checkpoint(predecessor), open_checkpoint(tmp_path / "out")
    start = dev_bits_per_byte(make_successor(old.model, metrics["begun_from_layers"]), old, corpus)
    assert metrics["dev_bits_per_byte"] < start
    assert dev_bits_per_byte(new.model, new, corpus) < start


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"layers": 4, "groups": "even"},
            "layers = 4 must divide the model's 6 layers. Possible for 6 layers: 1",
        ),
        ({"layers": 6}, "layers = 6 has to be fewer than 6"),
        ({"sequence_length": 128}, "sequence_length = 128 is more than the model's context of 64"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_training(
    predecessor: Path, corpus: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        compress(tmp_path / "out", predecessor, corpus, **settings)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draw": "sequence"}, 'method = "theseus" with draw = "sequence" does not go with distributed = "fsdp"'),
        ({"redraw": False}, 'with redraw = false does not go with distributed = "fsdp".* Set distributed = "ddp"'),
        ({"method": "paper"}, 'method = "paper" with redraw = false does not go'),
        ({"dtype": "q4_0"}, 'dtype = "q4_0" with rounded_share = 0.3 does not go with .* Set rounded_share = 0 or'),
    ],
)
def test_draws_that_leave_a_process_without_gradients_are_refused_with_fsdp(
    predecessor: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    opened = open_checkpoint(predecessor)
    monkeypatch.setattr(stage, "world", lambda: 2)
    with pytest.raises(ConfigError, match=message):
        stage._refuse(CompressConfig(distributed="fsdp", **settings), opened)
    for fine in (settings, {"distributed": "fsdp"}, {"distributed": "fsdp", "method": "distill", "redraw": False}):
        stage._refuse(CompressConfig(**fine), opened)
    monkeypatch.setattr(stage, "world", lambda: 1)
    stage._refuse(CompressConfig(distributed="fsdp", **settings), opened)


@pytest.mark.parametrize("deciding", [{"target_mb": 0.05}, {"speedup": 2.0}, {"control": True}])
def test_nothing_is_decided_without_development_text(
    predecessor: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deciding: dict[str, Any]
) -> None:
    monkeypatch.setattr(stage, "dev_texts", lambda config, corpus: [])  # as of a corpus with dev_share = 0
    with pytest.raises(ConfigError, match=r"compare on development text, and .* has none"):
        compress(tmp_path / "out", predecessor, corpus, steps=2, **deciding)


def test_the_result_can_be_compressed_again_down_to_one_layer_and_no_further(
    predecessor: Path, corpus: Path, tmp_path: Path
) -> None:
    compress(tmp_path / "three", predecessor, corpus, steps=2)
    compress(tmp_path / "one", tmp_path / "three", corpus, steps=2, layers=1)
    with pytest.raises(ConfigError, match="The model has 1 layer: none can go"):
        compress(tmp_path / "none", tmp_path / "one", corpus, steps=2)
