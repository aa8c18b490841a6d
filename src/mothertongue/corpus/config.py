"""The settings of the corpus stage: which sources, how much is held out, what is refused."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, setting

KINDS = (
    "arrow",
    "csv",
    "epub",
    "fb2",
    "html",
    "hub",
    "jsonl",
    "markdown",
    "oscar",
    "parquet",
    "sfb",
    "text",
    "tsv",
    "wikipedia",
)


@dataclass(frozen=True)
class Source(Settings):
    """One source of text. In a recipe: `sources = ["books/*.txt"]`, or tables with these keys."""

    path: str = setting(
        help="file, folder or glob (${VAR}, ~ are expanded); or wikipedia:cs, hf:owner/name, https://..., s3://..., -",
        path=True,
    )
    name: str = setting("", "what it is called in reports; empty: from the path")
    reader: str = setting(
        "auto", "how it is read; auto goes by the file's name, then by what is in it", choices=("auto", *KINDS)
    )
    licence: str = setting("unknown", "licence of its text, for the model card")
    max_share: float = setting(1.0, "at most this share of the corpus' bytes, 0-1", least=0.0, most=1.0)
    text_key: str = setting("text", "jsonl, tables, hf: the key or column that holds the text")
    encoding: str = setting("utf-8", "text, tables: character encoding, like utf-8 or cp1251; a byte order mark wins")
    unit: str = setting("file", "text: what is one document", choices=("file", "line", "blank-line"))
    delimiter: str = setting("", "csv: what stands between columns; empty: found in the first line; tsv: a tab")
    subset: str = setting("", "hf: the configuration of the data set, where it has several")
    split: str = setting("train", "hf: the split of the data set")
    revision: str = setting("", "hf: commit, tag or branch of the data set; empty: the newest")
    drop_warnings: tuple[str, ...] = setting(
        ("noisy", "header", "footer", "adult"), "oscar: a document with one of these quality warnings is dropped"
    )
    drop_categories: tuple[str, ...] = setting(
        (
            "adult",
            "mixed_adult",
            "agressif",
            "cryptojacking",
            "dangerous_material",
            "ddos",
            "hacking",
            "malware",
            "phishing",
            "sect",
            "warez",
        ),
        "oscar: a document from a site in one of these categories is dropped",
    )
    least_harmful_pp: float = setting(
        25.0,
        "oscar: a document with a lower harmful_pp is dropped (low: much like harmful text; the bound is that of the "
        "project llm-datasets, not measured here); 0: off",
        least=0.0,
    )
    foreign_lines: str = setting("drop", "oscar: lines in another language", choices=("drop", "keep", "drop-unsure"))
    translations: str = setting(
        "keep", "epub, fb2, sfb: books that were translated from another language", choices=("keep", "drop")
    )
    namespaces: tuple[int, ...] = setting(
        (), "wikipedia: numbers of the namespaces to read; empty: those that the wiki itself counts as content"
    )
    tables: str = setting(
        "drop", "wikipedia: keep has a row of a table on a line, flatten a cell", choices=("drop", "keep", "flatten")
    )
    formulas: str = setting(
        "text", "wikipedia: text reads like the formula (a/b²), latex is its source", choices=("text", "latex", "drop")
    )
    min_characters: int = setting(-1, "shorter documents are dropped; -1: the corpus' own min_characters", least=-1)
    skip_rules: tuple[str, ...] = setting((), "quality rules and repairs that are not applied to this source, or all")


@dataclass(frozen=True)
class CorpusConfig(Settings):
    """Settings of `mothertongue corpus`."""

    language: str = setting("any", "code of the language to keep, like cs; any: no checks of language")
    sources: tuple[Source, ...] = setting((), "where the text comes from")
    heldout_share: float = setting(0.02, "share of documents kept for evaluation, 0-0.5", least=0.0, most=0.5)
    dev_share: float = setting(0.01, "share of documents kept for watching training, 0-0.5", least=0.0, most=0.5)
    split_draw: int = setting(
        0, "another number draws other held-out and development documents, when these were looked at to choose", least=0
    )
    min_characters: int = setting(200, "shorter documents are dropped", least=1)
    max_document_characters: int = setting(
        100_000, "text files are cut into documents of at most this length", least=1_000
    )
    language_confidence: float = setting(
        0.6, "a document is dropped as another language from this confidence on, 0-1", least=0.0, most=1.0
    )
    foreign_paragraphs: str = setting(
        "drop", "long paragraphs that are surely in another language", choices=("drop", "keep")
    )
    personal_data: str = setting(
        "keep", "e-mail addresses, phone numbers, IBANs; replace: by <EMAIL> and its like", choices=("keep", "replace")
    )
    profanity_words: str = setting(
        "", "file of offensive words, one a line: how many a document has is noted in its meta; empty: off", path=True
    )
    tasks: str = setting("", "folder of task sets: a document that shares a run of words with them goes", path=True)
    task_words: int = setting(13, "words of a run that is in a document and in the tasks", least=5, most=100)
    near_duplicate_threshold: float = setting(
        0.6, "share of common 5-word shingles (Jaccard) that makes two documents one; 1: off", least=0.3, most=1.0
    )
    repeated_paragraphs: str = setting(
        "drop", "paragraphs that another document keeps: long ones, short ones of many", choices=("drop", "keep")
    )
    template_made: str = setting(
        "drop",
        "short articles made from a template, like many others, but for the first of each pattern",
        choices=("drop", "keep"),
    )
    contained_share: float = setting(
        0.25,
        "a held-out document with this share of its 8-word shingles in training text is dropped",
        least=0.05,
        most=1.0,
    )
    max_line_megabytes: int = setting(
        64, "longer lines (jsonl, tables, oscar) are skipped and counted", least=1, most=1024
    )
    max_page_megabytes: int = setting(
        16, "larger pages (wikipedia, html, markdown) are skipped and counted", least=1, most=1024
    )
    max_book_megabytes: int = setting(
        64, "larger books (epub, fb2, sfb; unpacked, without pictures) are skipped and counted", least=1, most=1024
    )
    max_copy_megabytes: int = setting(
        4096, "what must be copied to disk to be read (an archive in an archive, stdin) is skipped above this", least=1
    )
    shard_megabytes: int = setting(64, "text per shard, in MB before compression", least=1, most=4096)
    processes: int = setting(0, "how many work at once; 0: one for each core", least=0, most=512, decides=False)
    cache: str = setting(
        "",
        "zstd: keep a copy of .bz2 dumps that is read much faster",
        choices=("", "zstd"),
        decides=False,
    )
    cache_folder: str = setting(
        "", "where downloads and copies are kept; empty: the user's cache folder", decides=False
    )
    mirrors: tuple[str, ...] = setting(
        ("https://dumps.wikimedia.org",), "sites of Wikimedia dumps; the first that answers counts", decides=False
    )
    contact: str = setting("", "your address or page, told to the dump site: its rules ask for one", decides=False)
    seed: int = setting(0, "which documents go when a source is above its max_share", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.heldout_share + self.dev_share >= 0.9:
            raise ConfigError(
                f"heldout_share {self.heldout_share} + dev_share {self.dev_share} leave too little to train on. "
                "Lower them."
            )
        total = math.fsum(source.max_share for source in self.sources)
        if self.sources and total < 1 - 1e-9:  # 0.7 + 0.2 + 0.1 is a little less than 1
            raise ConfigError(
                f"The max_share of all sources add up to {total:g}, so no mix can obey them. Raise one so that "
                "they reach 1."
            )


def cache_folder(config: CorpusConfig) -> Path:
    """Where downloads and copies are kept: the setting, else the user's cache."""
    if config.cache_folder:
        return Path(config.cache_folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "mothertongue"
