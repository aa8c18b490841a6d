"""The reading of a corpus on many machines: a step of a datatrove pipeline that does every `world_size`th part.

    step = corpus_parts("big.toml", "runs/big")
    SlurmPipelineExecutor([step], tasks=200, time="12:00:00", partition="cpu").run()

Parts are done by the functions that do them on one machine (parts.py, work.py), into the folder where `mothertongue run
big.toml --out runs/big` looks for them, so that command puts them together into the shards that it would have made
alone, and does what is missing. How many machines, for how long and in which queue is datatrove's to say, in its own
words: no setting of ours repeats them. To datatrove a step is whatever is called with (data, rank, world_size), so
nothing of it is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from mothertongue.corpus.address import STDIN
from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.gather import PLAN, input_files, is_prepared, prepare
from mothertongue.corpus.parts import parts_of
from mothertongue.corpus.stage import check
from mothertongue.corpus.work import work
from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.run.build import unfinished
from mothertongue.run.disk import locked, plain_disk_errors
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.recipe import Step, read_recipe
from mothertongue.run.request import refuse, request_of, save_request, saved_request


@dataclass(frozen=True)
class CorpusParts:
    """A step of a pipeline: rank r of w does the parts of files and spans r, r+w, r+2w ... of the input.

    A part is a file once it is finished: what a lost rank has finished is kept, the rest is done by whoever comes next,
    with as many ranks as there are then.
    """

    config: CorpusConfig
    folder: Path  # that every rank sees, with the plan in it
    home: Path = field(default_factory=Path.cwd)  # what relative paths of sources are relative to

    def __call__(self, data: object = None, rank: int = 0, world_size: int = 1) -> None:
        """Do the parts of one rank. ArtifactError if it does not see the input that the plan is of."""
        os.environ.setdefault("RAYON_NUM_THREADS", "1")  # a rank is one process on one core
        with chdir(self.home), plain_disk_errors(self.folder):
            files = input_files(self.config)
            if not is_prepared(self.folder, files, self.config):
                raise ArtifactError(
                    f"{self.folder / PLAN} is not of the {len(files)} files that rank {rank} sees, its settings or its "
                    "version of mothertongue. Sources, cache_folder and the run must be in folders that all machines "
                    "share, unchanged, and the same version installed; then begin again with corpus_parts."
                )
            for part in parts_of(files, self.config, self.folder, rank=rank, ranks=world_size):
                work(part, self.config, self.folder)


def corpus_parts(
    recipe: Path | str, out: Path | str, *, step: str = "", changes: Mapping[str, str] | None = None
) -> CorpusParts:
    """The step for the corpus of a `recipe` whose run is to be in `out`; its `step`, where it has several.

    What must be fetched is fetched, the sources are hashed and the plan is written, as `mothertongue run` does with
    `changes` as its --set, like {"corpus.min_characters": "300"}. ConfigError, SourceError, and ArtifactError if `out`
    has a corpus of other settings or a finished one.
    """
    chosen = _choose(read_recipe(Path(recipe), changes=changes).steps, step)
    config = chosen.config
    assert isinstance(config, CorpusConfig)
    check(config)
    if any(source.path == STDIN for source in config.sources):
        raise ConfigError("What comes through stdin (-) cannot be read by many machines. Write it to a file first.")
    place = Path(out).absolute() / chosen.name
    partial = unfinished(place)
    with plain_disk_errors(partial), locked(place):
        if place.exists():
            raise ArtifactError(f"{place} is finished: there is nothing left to do. Choose another folder for the run.")
        request, begun = request_of(chosen, {}), saved_request(partial)
        if begun and begun.fingerprint != request.fingerprint:
            refuse(partial, begun, request)
        partial.mkdir(parents=True, exist_ok=True)
        save_request(partial, request)
        prepare(partial / PROGRESS, input_files(config), config)
    return CorpusParts(config, partial / PROGRESS)


def _choose(steps: tuple[Step, ...], name: str) -> Step:
    corpora = {step.name: step for step in steps if step.stage.name == "corpus"}
    if name not in corpora and (name or len(corpora) != 1):
        raise ConfigError(
            f"step = {name!r}: the recipe has {len(corpora)} steps that make a corpus: {', '.join(corpora)}. Name one."
        )
    return corpora[name] if name else next(iter(corpora.values()))
