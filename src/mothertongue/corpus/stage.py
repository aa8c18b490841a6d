"""The corpus stage: gather, remove duplicates, obey shares, settle the sides, write the shards."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mothertongue.corpus.alike import BETWEEN_RULES
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.gather import Census, gather, spool_files
from mothertongue.corpus.identify import can_identify
from mothertongue.corpus.ledger import Ledger, documents_in
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.quality import RULES
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readme import corpus_readme, without_licence
from mothertongue.corpus.repair import REPAIRS
from mothertongue.corpus.settle import settle
from mothertongue.corpus.shape import SHAPE_RULES
from mothertongue.corpus.shards import ShardWriter, read_lines
from mothertongue.corpus.sources import file_entry, licence_of, source_files, source_name
from mothertongue.corpus.split import SPLITS
from mothertongue.errors import ConfigError, SourceError
from mothertongue.languages import ANY, language_codes, open_language
from mothertongue.run.artifact import Metrics
from mothertongue.run.disk import write_text
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.progress import say, track
from mothertongue.run.settings import suggest

_OURS = ("*.jsonl.zst", "dropped.jsonl", "README.md")
_WORK = PROGRESS  # removed when the manifest has been written: until then a kill loses nothing


def corpus(config: CorpusConfig, out: Path) -> Metrics:
    """Turn `config.sources` into shards of clean documents in `out`. SourceError if nothing, or too little, is left."""
    check(config)
    if config.language not in (ANY, *language_codes()) and not can_identify(config.language):
        say(
            f'note: "{config.language}" is no language that can be recognised, so text of other languages is kept '
            f"({', '.join(language_codes())} are known best). Codes are those of Wikipedia: Czech is cs."
        )
    files = {source_name(source): source_files(source, config) for source in config.sources}
    work, ledger = _sweep(out), Ledger()
    try:
        census = gather(config, work, ledger)
        sides = settle(census, config, work, ledger)
    except (SourceError, ConfigError) as error:
        if not isinstance(error, OutageError):
            shutil.rmtree(work, ignore_errors=True)  # it must not stand in the way of corrected settings
        raise
    _write_shards(work, out, sides, census, shard_bytes=config.shard_megabytes * 1_000_000)
    ledger.write_samples(out / "dropped.jsonl")
    metrics = _metrics(config, census, sides, ledger, files)
    write_text(out / "README.md", corpus_readme(metrics))
    if words := without_licence(metrics["sources"]):
        say(f"  {words}")
    return metrics


def check(config: CorpusConfig) -> None:
    """ConfigError if the sources cannot be told apart, or a rule is not known."""
    if not config.sources:
        raise ConfigError("A corpus needs at least one source. Give sources a path, like 'texts/*.txt'.")
    names = [source_name(source) for source in config.sources]
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"{count} sources are called {name!r}. Give each a name of its own.")
    for rule in {rule for source in config.sources for rule in source.skip_rules}:
        if rule not in (known := ["all", *RULES, *SHAPE_RULES, *BETWEEN_RULES, *REPAIRS]):
            raise ConfigError(f"skip_rules: there is no rule {rule!r}. {suggest(rule, known)}")


def _sweep(out: Path) -> Path:
    """The working folder inside `out`; what a killed attempt has left of the result is removed, finished parts stay."""
    for pattern in _OURS:
        for file in out.glob(pattern):
            file.unlink()
    return out / _WORK


def _write_shards(work: Path, out: Path, sides: list[str], census: Census, *, shard_bytes: int) -> None:
    writers: dict[str, ShardWriter] = {split: ShardWriter(out, split, max_bytes=shard_bytes) for split in SPLITS}
    with track("writing", total=len(sides), unit="documents") as bar:
        lines = (line for place in spool_files(work) for line in read_lines(place))
        for side, line, size in zip(sides, lines, census.bytes, strict=True):
            if side:
                writers[side].write_line(line, size=size)
            bar.advance()
    for writer in writers.values():
        writer.close()


def _metrics(
    config: CorpusConfig, census: Census, sides: list[str], ledger: Ledger, files: dict[str, Sequence[Readable]]
) -> Metrics:
    kept = [index for index, side in enumerate(sides) if side]
    metrics: Metrics = {
        "language": config.language,
        "language_name": open_language(config.language).name,
        "documents": len(kept),
        "bytes": sum(census.bytes[index] for index in kept),
        "splits": {split: _totals([i for i in kept if sides[i] == split], census) for split in SPLITS},
        "sources": [],
        "dropped": ledger.by_reason(),
        "dropped_documents": documents_in(ledger.by_reason()),
        "dropped_by_source": ledger.by_source(),
        "dropped_templates": ledger.templates.heaviest(),
    }
    for source in config.sources:
        own = [index for index in kept if census.sources[index] == source_name(source)]
        metrics["sources"].append(_source_entry(source, files[source_name(source)]) | _totals(own, census))
    return metrics


def _totals(indices: list[int], census: Census) -> dict[str, int]:
    return {"documents": len(indices), "bytes": sum(census.bytes[index] for index in indices)}


def _source_entry(source: Source, files: Sequence[Readable]) -> dict[str, Any]:
    entries = [file_entry(file) for file in files]
    return {"name": source_name(source), "path": source.path, "licence": licence_of(source), "files": entries}
