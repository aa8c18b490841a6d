"""Two examples of every command, for its `--help` and for docs/reference; the tests run them through the parser."""

from __future__ import annotations

_RUN = "runs/czech"

EXAMPLES: dict[str, tuple[str, str]] = {
    "": ("demo cs", f"run recipes/any-language-tiny.toml --out {_RUN}"),
    "corpus": (
        f"corpus --language cs --source 'texts/*.txt' --out {_RUN}/corpus",
        """corpus --source '{path = "wiki.xml.bz2", licence = "CC BY-SA 4.0"}' --out runs/wiki/corpus""",
    ),
    "tokenizer": (
        f"tokenizer --corpus {_RUN}/corpus --out {_RUN}/tokenizer",
        f"tokenizer --corpus {_RUN}/corpus --vocab-size 16000 --out {_RUN}/bigger",
    ),
    "model": (
        f"model --tokenizer {_RUN}/tokenizer --out {_RUN}/model",
        f"model --tokenizer {_RUN}/tokenizer --num-hidden-layers 12 --hidden-size 512 --out {_RUN}/bigger",
    ),
    "transfer": (
        f"transfer --checkpoint english-base --tokenizer {_RUN}/tokenizer --corpus {_RUN}/corpus --out {_RUN}/transfer",
        f"transfer --checkpoint hub:openai-community/gpt2 --tokenizer {_RUN}/tokenizer --corpus {_RUN}/corpus "
        f"--method mean --out {_RUN}/mean",
    ),
    "train": (
        f"train --checkpoint {_RUN}/transfer --corpus {_RUN}/corpus --out {_RUN}/train",
        f"train --checkpoint {_RUN}/transfer --corpus {_RUN}/corpus --steps 200 --learning-rate 0 --out {_RUN}/short",
    ),
    "compress": (
        f"compress --checkpoint {_RUN}/train --corpus {_RUN}/corpus --out {_RUN}/compress",
        f"compress --checkpoint {_RUN}/train --corpus {_RUN}/corpus --layers 2 --steps 500 --out {_RUN}/two-layers",
    ),
    "evaluate": (
        f"evaluate --checkpoint {_RUN}/train --corpus {_RUN}/corpus --out {_RUN}/evaluate",
        f"evaluate --checkpoint english-base --corpus {_RUN}/corpus --task bits_per_byte --out {_RUN}/before",
    ),
    "compare": (
        f"compare --checkpoint english-base --tokenizer {_RUN}/tokenizer --corpus {_RUN}/corpus --out {_RUN}/compare",
        f"compare --checkpoint english-base --tokenizer {_RUN}/tokenizer --corpus {_RUN}/corpus --arms scratch "
        f"--arms align --budgets 0.2 --budgets 1 --seeds 1 --max-hours 0.5 --out {_RUN}/short-compare",
    ),
    "export": (
        f"export --checkpoint {_RUN}/train --report {_RUN}/evaluate --out {_RUN}/export",
        f"export --checkpoint {_RUN}/train --dtype float16 --out {_RUN}/half",
    ),
    "run": (
        f"run recipes/czech-small.toml --out {_RUN}",
        "run recipes/czech-small.toml --out runs/trial --set train.steps=100 --until train",
    ),
    "plan": (
        "plan cs --hours 8 --source 'texts/*.jsonl.xz' > czech.toml",
        "plan bg --hours 0.5 --source bgwiki.xml.bz2 --source books --base hub:openai-community/gpt2 > bulgarian.toml",
    ),
    "show": (f"show {_RUN}/train", f"show {_RUN} --json"),
    "verify": (f"verify {_RUN}/train", f"verify {_RUN}/corpus"),
    "diff": (f"diff {_RUN}/train {_RUN}/short", "diff runs/czech runs/trial --json"),
    "corpus inspect": (
        f"corpus inspect {_RUN}/corpus",
        f"corpus inspect {_RUN}/corpus --html czech-corpus.html --json",
    ),
    "tokenizer show": (
        f'tokenizer show {_RUN}/tokenizer "Ráno svítilo slunce."',
        "tokenizer show english-base --first 4000 --count 20",
    ),
    "tokenizer sweep": (
        f"tokenizer sweep --corpus {_RUN}/corpus --out {_RUN}/sizes",
        f"tokenizer sweep --corpus {_RUN}/corpus --sizes 2000,8000,32000 --seeds 3 --out runs/sizes",
    ),
    "demo": ("demo cs", "demo bg --out runs/bulgarian-demo"),
    "generate": (
        f'generate {_RUN}/export "Ráno jsem"',
        f"generate {_RUN}/export - --no-do-sample --max-new-tokens 20 < beginning.txt",
    ),
    "complete": ('complete cs "Dobrý den, ja"', f"complete {_RUN}/export --interactive --confidence 0.2"),
    "lsp": ("lsp cs", f"lsp {_RUN}/export --until clause --confidence 0.2"),
    "next": (f'next {_RUN}/export "Ráno jsem"', f'next {_RUN}/export "Ráno jsem" --k 3 --json'),
}
