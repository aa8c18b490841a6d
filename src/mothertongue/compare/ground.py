"""What all trainings of a comparison share: text as tokens, the text to measure on, and how a name becomes a folder."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from mothertongue.compare.config import CompareConfig
from mothertongue.corpus.split import Split
from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.evaluate.heldout import heldout_texts
from mothertongue.model.anatomy import set_dropout
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.model.stream import Ids, tokenize_corpus, vocabulary_of
from mothertongue.run.artifact import open_artifact
from mothertongue.run.disk import is_locked, locked
from mothertongue.run.settings import settings_dict
from mothertongue.tokenizer.bytelevel import PAD, end_of_text_id, open_tokenizer, start_of_text_id
from mothertongue.tokenizer.sample import sample_texts
from mothertongue.train.data import Windows

VERSION = 2  # rises when the same settings would give another training
# settings that say how many trainings there are, not what each of them is; a dictionary is the business of some arms
_NOT_OF_ALL = ("arms", "budgets", "seeds", "dictionary")


@dataclass(frozen=True)
class Ground:
    """Inputs and settings of a comparison, opened."""

    config: CompareConfig
    work: Path  # a folder for each training
    checkpoint: Path
    tokenizer: Path
    corpus: Path
    vocabulary: Tokenizer
    ids: Ids
    texts: tuple[str, ...]  # to measure on
    dev: tuple[str, ...]  # to choose rates on
    parameters: int  # of every arm: they have one shape
    made_of: dict[str, str]  # role -> fingerprint

    def windows(self, seed: int) -> Windows:
        """The text in the order of `seed`, the same for every arm."""
        return Windows(self.ids, self.config.sequence_length, seed)

    def score(self, model: PreTrainedModel, *, dev: bool = False) -> float:
        """Bits per byte of the text to measure on, or to choose rates on."""
        texts, context = self.dev if dev else self.texts, self.config.sequence_length
        return score_documents(model, self.vocabulary, texts, context=context).bits_per_byte

    def steps(self, budget: float) -> int:
        """Optimizer steps that read `budget` tokens per parameter; at least 5, for Guillou's five epochs."""
        return max(5, round(budget * self.parameters / (self.config.batch_size * self.config.sequence_length)))

    def folder(self, name: str, **more: Any) -> Path:
        """The folder of what `name` and `more` describe: other settings or inputs give another one."""
        settings = {key: value for key, value in settings_dict(self.config).items() if key not in _NOT_OF_ALL}
        told = json.dumps([VERSION, settings, self.made_of, more], sort_keys=True, ensure_ascii=False)
        return self.work / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def open_ground(config: CompareConfig, work: Path, *, checkpoint: Path, tokenizer: Path, corpus: Path) -> Ground:
    """Open and check the inputs; the corpus is tokenized into `work` on first use."""
    inputs = {"checkpoint": checkpoint, "tokenizer": tokenizer, "corpus": corpus}
    made_of = {role: open_artifact(path).fingerprint for role, path in inputs.items()}
    vocabulary = open_tokenizer(tokenizer)
    texts = heldout_texts(corpus, cast(Split, config.split), max_megabytes=config.max_megabytes)
    dev = probe_texts(config, corpus) if config.probes else ()
    model = fresh_like(checkpoint, vocabulary, seed=0)
    context = int(model.config.max_position_embeddings)
    if config.sequence_length > context:
        raise ConfigError(
            f"sequence_length = {config.sequence_length} is more than the base's context of {context}. "
            f"Give at most {context}."
        )
    place = work / f"text-{hashlib.sha256((made_of['tokenizer'] + made_of['corpus']).encode()).hexdigest()[:8]}"
    place.mkdir(parents=True, exist_ok=True)
    while is_locked(place):
        time.sleep(1)  # another process, of another part of the comparison, tokenizes the same text
    with locked(place):
        ids = tokenize_corpus(corpus, vocabulary, place / "tokens.bin")
    return Ground(
        config=config,
        work=work,
        **inputs,
        vocabulary=vocabulary,
        ids=ids,
        texts=tuple(texts),
        dev=dev,
        parameters=model.num_parameters(),
        made_of=made_of,
    )


def probe_texts(config: CompareConfig, corpus: Path) -> tuple[str, ...]:
    """Development text to choose rates on; ArtifactError if there is none: held-out text must not be chosen on."""
    texts = tuple(sample_texts(corpus, "dev", max_bytes=round(config.probe_kilobytes * 1e3)))
    if not texts:
        raise ArtifactError(
            f"{corpus} has no development text to choose rates on. Make the corpus again with a larger dev_share, or "
            "give probes = 0."
        )
    return texts


def fresh_like(checkpoint: Path, vocabulary: Tokenizer, *, seed: int) -> PreTrainedModel:
    """The base's shape for `vocabulary`, with random weights as its family begins, without dropout."""
    config = AutoConfig.from_pretrained(checkpoint, trust_remote_code=False, local_files_only=True)
    config.vocab_size = vocabulary_of(vocabulary)
    config.bos_token_id, config.eos_token_id = start_of_text_id(vocabulary), end_of_text_id(vocabulary)
    config.pad_token_id, config.dtype = vocabulary.token_to_id(PAD), torch.float32
    torch.manual_seed(seed)
    fresh = AutoModelForCausalLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    return on_device(fresh)


def opened_rows(folder: Path) -> PreTrainedModel:
    """A transferred model, ready to be trained."""
    return on_device(open_checkpoint(folder).model)


def on_device(model: PreTrainedModel) -> PreTrainedModel:
    """`model` without dropout where it is trained."""
    nn.Module.to(set_dropout(model, 0.0), "cuda" if torch.cuda.is_available() else "cpu")
    return model
