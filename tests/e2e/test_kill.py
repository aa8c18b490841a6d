"""kill -9 in every stage: the same command again ends with the same bytes as a run that nobody touched, weights too."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mothertongue.run.artifact import read_manifest, verify
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.stages import STAGES

pytestmark = pytest.mark.slow
WORDS = {
    "who": [
        "the miller",
        "an old ferry",
        "our neighbour",
        "the blue tram",
        "a grey heron",
        "the night watch",
        "her brother",
    ],
    "does": ["waits for", "never forgets", "slowly follows", "has painted", "would rather see", "quietly repairs"],
    "what": [
        "the first snow",
        "a broken clock",
        "two silver spoons",
        "the harbour bell",
        "last year's letters",
        "a field of rye",
    ],
    "when": [
        "before breakfast",
        "in the rain",
        "when nobody looks",
        "on Thursdays",
        "at the edge of town",
        "after the fair",
    ],
}
RECIPE = """
title = "Killed"
[corpus]
sources = [{ path = "TEXT", licence = "CC0" }]
min_characters = 50
heldout_share = 0.1
dev_share = 0.05
near_duplicate_threshold = 1.0
template_made = "keep"
repeated_paragraphs = "keep"
[tokenizer]
vocab_size = 400
model_max_length = 64
[model]
num_hidden_layers = 2
hidden_size = 32
num_attention_heads = 2
context = 64
[transfer]
method = "align"
source_text = ["TEXT"]
dimensions = 8
[train]
steps = 40
batch_size = 4
save_minutes = 0
dev_kilobytes = 2
dropout = 0.1
[compress]
layers = 1
steps = 24
batch_size = 4
save_minutes = 0
dev_kilobytes = 2
[evaluate]
tasks = ["bits_per_byte", "next_word", "baselines"]
next_word_positions = 20
[compare]
arms = ["scratch"]
budgets = [0.05, 0.1]
seeds = 1
probes = 0
batch_size = 4
sequence_length = 32
max_megabytes = 0.002
[export]
"""
STEPS = [step.name for step in parse_recipe(RECIPE).steps]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Killed:
    """Two runs of one recipe."""

    recipe: Path
    whole: Path
    killed: Path
    hits: dict[str, int]


def sentences(count: int, chance: random.Random) -> str:
    return " ".join(
        f"{' '.join(chance.choice(words) for words in WORDS.values())}, {chance.randint(1, 99)} times.".capitalize()
        for _ in range(count)
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    folder = tmp_path_factory.mktemp("kill")
    chance = random.Random(1)
    texts = [json.dumps({"text": sentences(chance.randint(6, 18), chance)}) for _ in range(70)]
    (folder / "text.jsonl").write_text("\n".join(texts), "utf-8")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.replace("TEXT", str(folder / "text.jsonl")), "utf-8")
    seed = random.randrange(10_000)  # another moment each time; it is shown when a test fails
    script = Path(__file__).with_name("kill_stages.py")
    order = [sys.executable, str(script), str(recipe), str(folder), str(seed)]
    done = subprocess.run(order, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    print(f"seed {seed}: {done.stdout}")
    return Killed(recipe, folder / "whole", folder / "killed", json.loads(done.stdout))


def test_the_recipe_has_every_stage() -> None:
    assert set(STEPS) == set(STAGES)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_killed_at_random_moments_ends_with_the_same_bytes(runs: Killed, step: str) -> None:
    whole, killed = read_manifest(runs.whole / step), read_manifest(runs.killed / step)
    assert runs.hits[step] >= 1
    assert killed["outputs"] == whole["outputs"]
    assert killed["fingerprint"] == whole["fingerprint"]
    assert verify(runs.killed / step) == []


def test_nothing_half_written_is_left(runs: Killed) -> None:
    left = [
        file for file in runs.killed.rglob("*") if file.name.endswith((".partial", ".writing")) or file.name == "work"
    ]
    assert left == []


def test_the_installed_command_killed_in_training_is_refused_a_second_run_and_then_continues(runs: Killed) -> None:
    """The console script in a process of its own, as people start it."""
    out = runs.whole.with_name("command")
    start = [sys.executable, "-m", "mothertongue", "run", str(runs.recipe), "--out", str(out), "--until", "train"]
    first = subprocess.Popen(start, env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while first.poll() is None and not list(out.glob("train.partial/progress/step-*")):
        time.sleep(0.005)
    first.send_signal(signal.SIGSTOP)  # it holds its lock, and cannot end before it is killed
    second = subprocess.run(start, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert first.poll() is None, "the training ended before it could be stopped"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert second.returncode == 1
    assert "Another run is working on" in second.stderr and "Traceback" not in second.stderr
    third = subprocess.run(start, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "continuing" in third.stderr
    assert read_manifest(out / "train")["outputs"] == read_manifest(runs.whole / "train")["outputs"]
