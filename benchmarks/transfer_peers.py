"""Our `focus` and `wechsel` rows beside those of their authors' packages, from the same static vectors.

Called by transfer_rows.py --peers. The packages bring old pins along, so they live in an environment of their own:

    python -m venv peers && peers/bin/pip install torch transformers datasets gensim scikit-learn nltk regex rich numba
    peers/bin/pip install fasttext-numpy2-wheel entmax && peers/bin/pip install --no-deps wechsel deepfocus fastdist \\
        print-on-steroids
    MOTHERTONGUE_TRANSFER_PEERS=peers/bin/python python benchmarks/transfer_rows.py --peers

The case is the demo's: the shipped English base, the demo's Czech vocabulary of 2,048; all that both vocabularies have
is the dictionary. Half letters are given no vector: deepfocus compares decoded tokens and takes them all for one.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

VARIABLE = "MOTHERTONGUE_TRANSFER_PEERS"


def peers(folder: Path) -> list[dict[str, Any]]:
    """Largest difference and share of equal of rows, for each package, over the tokens that have a vector."""
    import torch

    from mothertongue.demo import demo_recipe
    from mothertongue.model.checkpoint import open_checkpoint
    from mothertongue.run.build import run_recipe
    from mothertongue.run.inputs import locate
    from mothertongue.tokenizer.bytelevel import open_tokenizer
    from mothertongue.transfer.config import TransferConfig
    from mothertongue.transfer.focus import focus
    from mothertongue.transfer.gather import corpus_streams, gather
    from mothertongue.transfer.methods import Translations
    from mothertongue.transfer.wechsel import wechsel

    run_recipe(demo_recipe("cs"), folder, until="tokenizer")
    config, tokenizer = TransferConfig(), open_tokenizer(folder / "tokenizer")
    source = open_checkpoint(locate("english-base"))
    material = gather(config, source, tokenizer, corpus_streams(config, tokenizer, folder / "corpus"))
    pair = material.vectors()
    whole = [_is_text(material.target_keys[token]) for token in range(material.target_size)]
    pair = replace(pair, target=replace(pair.target, vectors=pair.target.vectors * torch.tensor(whole)[:, None]))
    known_V, known_S = pair.target.vectors.any(dim=1), pair.source.vectors.any(dim=1)
    words = [(target, own) for target, own in material.matches.items() if known_V[target] and known_S[own]]
    given = replace(
        material, vectors=lambda: pair, target_vectors=lambda: pair.target, translations=lambda: Translations(words)
    )
    np.savez(
        folder / "case.npz", rows=material.source_rows.numpy(), source=pair.source.vectors.numpy(),
        target=pair.target.vectors.numpy(), words=np.array(words),
    )  # fmt: skip
    places = {"FOLDER": str(folder), "SOURCE": str(source.path)}
    subprocess.run([os.environ[VARIABLE], __file__], check=True, env={**os.environ, **places, "PYTHONPATH": ""})
    theirs = np.load(folder / "theirs.npz")
    found = []
    for name, rows in (("deepfocus", focus(given)), ("wechsel", wechsel(given))):
        difference = np.abs(rows.numpy() - theirs[name]).max(axis=1)[known_V.numpy()]
        found.append({
            "question": name, "tokens": len(difference), "dictionary": len(words), "shared": len(material.matches),
            "same_to_1e-4": round(float((difference < 1e-4).mean()), 4), "largest_difference": float(difference.max()),
            "deviation_of_rows": round(float(material.source_rows.std()), 4),
        })  # fmt: skip
    return found


def _is_text(key: bytes | str) -> bool:
    if isinstance(key, str):
        return False
    try:
        return bool(key.decode())
    except UnicodeDecodeError:
        return False


def in_their_environment() -> None:
    """Rows by the packages, into theirs.npz."""
    import deepfocus.focus as theirs  # type: ignore[import-not-found]
    import torch
    from transformers import PreTrainedTokenizerFast
    from wechsel import WECHSEL, create_target_embeddings  # type: ignore[import-not-found]

    folder = Path(os.environ["FOLDER"])
    case = np.load(folder / "case.npz")
    source, target = (
        PreTrainedTokenizerFast.from_pretrained(place) for place in (os.environ["SOURCE"], folder / "tokenizer")
    )
    vectors = {token: case["target"][i] for token, i in target.get_vocab().items()}
    theirs.load_target_token_embedding = lambda *given, **more: vectors
    focused = theirs.FOCUS(target, source, torch.from_numpy(case["rows"]), fasttext_model_path="given")

    class Words:
        def __init__(self, table: Any, ids: Any) -> None:
            self.table, self.ids = table, ids

        def get_word_id(self, word: str) -> int:
            return int(word) if word.isdigit() else -1

        def get_word_vector(self, word: str) -> Any:
            return self.table[self.ids[int(word)]]

    numbers = [(str(i), str(i)) for i in range(len(case["words"]))]
    known = Words(case["source"], case["words"][:, 1]), Words(case["target"], case["words"][:, 0])
    turn = WECHSEL._compute_align_matrix_from_dictionary(None, *known, numbers)
    rows, _, _ = create_target_embeddings(case["source"] @ turn, case["target"], source, target, case["rows"])
    np.savez(folder / "theirs.npz", deepfocus=focused.numpy(), wechsel=rows)


if __name__ == "__main__":
    in_their_environment()
