"""The snippets that users of the two published models have in their programs run on our exports, unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from mothertongue.export.config import ExportConfig
from mothertongue.export.stage import export
from mothertongue.model.checkpoint import save_checkpoint

SNIPPETS = Path(__file__).parent / "snippets"
RunSnippet = Callable[[str, Path], tuple[dict[str, Any], str]]
PROMPT = "Umělá inteligence pomůže lidstvu překonat budoucí"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Tokenizer) -> Path:
    """The export of a GPT-2 with context 1,024 and a byte-level vocabulary whose ids 0..3 are special."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tiny_tokenizer.get_vocab_size(), n_positions=1024, n_embd=16, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    root = tmp_path_factory.mktemp("runs")
    for name in ("train", "export"):
        (root / name).mkdir()
    save_checkpoint(GPT2LMHeadModel(config), tiny_tokenizer, root / "train")
    export(ExportConfig(dtype="float16"), root / "export", checkpoint=root / "train")
    return root / "export"


def test_czech_snippet_gives_a_word_and_three_texts(exported: Path, run_snippet: RunSnippet) -> None:
    names, printed = run_snippet((SNIPPETS / "czech_card.py").read_text("utf-8"), exported)
    assert type(names["model"]) is GPT2LMHeadModel
    assert names["tokenizer"].eos_token_id == 0
    assert names["model"].config.pad_token_id == 0
    assert torch.isfinite(names["loss"])
    assert names["logits"].shape == (1, names["inputs"].input_ids.shape[1], 320)
    assert len(names["sample_outputs"]) == 3
    lines = printed.splitlines()
    assert lines[0] == f"input text: {PROMPT}"
    assert f"1: {PROMPT}" in printed and f"3: {PROMPT}" in printed


def test_bulgarian_snippet_gives_a_text(exported: Path, run_snippet: RunSnippet, trusted_code: Path) -> None:
    names, printed = run_snippet((SNIPPETS / "bulgarian_card.py").read_text("utf-8"), exported)
    assert type(names["model"]).__name__ == "GPT2LMHeadModel"
    assert isinstance(names["model"], GPT2LMHeadModel)
    assert names["output_ids"].shape[1] <= 50
    assert printed.startswith("Здравей,")
    assert "<|" not in names["output"]
    assert list(trusted_code.rglob("modeling_lm.py")), "the class came from the folder"


def test_both_snippets_see_the_same_weights(exported: Path, run_snippet: RunSnippet, trusted_code: Path) -> None:
    czech, _ = run_snippet((SNIPPETS / "czech_card.py").read_text("utf-8"), exported)
    bulgarian, _ = run_snippet((SNIPPETS / "bulgarian_card.py").read_text("utf-8"), exported)
    ids = bulgarian["input_ids"]
    assert czech["tokenizer"].encode("Здравей,") == ids[0].tolist()
    assert torch.equal(czech["model"](ids).logits, bulgarian["model"].eval()(ids).logits)


def test_model_saved_again_from_trusted_code_keeps_the_name_others_look_for(
    exported: Path, run_snippet: RunSnippet, tmp_path: Path
) -> None:
    names, _ = run_snippet((SNIPPETS / "bulgarian_card.py").read_text("utf-8"), exported)
    names["model"].save_pretrained(tmp_path / "again")
    assert GPT2LMHeadModel.from_pretrained(tmp_path / "again").config.architectures == ["GPT2LMHeadModel"]


def test_every_code_block_of_the_exported_card_runs(
    exported: Path, run_snippet: RunSnippet, trusted_code: Path
) -> None:
    card = (exported / "README.md").read_text("utf-8")
    blocks = [part.split("```")[0] for part in card.split("```python\n")[1:]]
    assert len(blocks) == 3
    for block in blocks:
        _, printed = run_snippet(block.replace("path/to/this/folder", str(exported)), exported)
        assert printed.strip()


def test_every_code_block_of_a_gguf_card_runs(exported: Path, tmp_path: Path, run_snippet: RunSnippet) -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    export(ExportConfig(format="gguf", dtype="q8_0"), tmp_path, checkpoint=exported)
    (block,) = (part.split("```")[0] for part in (tmp_path / "README.md").read_text("utf-8").split("```python\n")[1:])
    names, printed = run_snippet(block.replace("path/to/this/folder", str(tmp_path)), tmp_path)
    assert type(names["writer"].engine).__name__ == "LlamaEngine"
    assert printed.strip()


def test_snippets_run_without_a_word_of_warning_from_transformers(
    exported: Path, run_snippet: RunSnippet, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("czech_card.py", "bulgarian_card.py"):
        run_snippet((SNIPPETS / name).read_text("utf-8"), exported)
    assert capfd.readouterr().err == ""
