"""Steps become folders: lock, `X.partial`, the stage, manifest last, one rename.

Finished with the same fingerprint -> nothing to do. Killed -> the stage is called again in its folder and resumes.
Other settings -> refused, with the changed key named: days of work are never overwritten.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mothertongue.errors import ArtifactError, ConfigError, MothertongueError
from mothertongue.run.artifact import MANIFEST, Manifest, open_artifact, read_manifest
from mothertongue.run.disk import (
    check_unlocked,
    lock_of,
    locked,
    plain_disk_errors,
    share,
    sweep,
    sync,
    writable,
    write_json,
    write_text,
)
from mothertongue.run.inputs import locate
from mothertongue.run.manifest import PROGRESS, make_manifest
from mothertongue.run.progress import say
from mothertongue.run.recipe import Recipe, Step
from mothertongue.run.request import PLAN, Request, refuse, request_of, save_request, saved_request
from mothertongue.run.settings import suggest
from mothertongue.run.team import rank

RECIPE = "recipe.toml"
OVERRIDES = "overrides.json"  # beside it: what `--set` changed, if anything


@dataclass(frozen=True)
class _Job:
    """A step with all that is known before it runs."""

    step: Step
    out: Path
    inputs: Mapping[str, Path]
    request: Request


def run_recipe(recipe: Recipe, folder: Path, *, until: str = "") -> dict[str, Manifest]:
    """Make every step of `recipe` below `folder`, up to `until`; finished ones are kept. Gives step name -> manifest.

    Missing inputs and folders made with other settings are errors before anything runs.
    """
    folder = Path(folder)
    if (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder} is a finished step of a run, not the folder of one. Choose another --out.")
    jobs = _look_ahead(_steps(recipe, until), folder)
    with plain_disk_errors(folder):
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not rank():
            _keep_recipe(recipe, folder, jobs)
    finished = sum(job.out.exists() for job in jobs)
    say(f"{folder}: {len(jobs)} steps" + f", {finished} finished already" * bool(finished))
    done = {}
    for number, job in enumerate(jobs, 1):
        stage = "" if job.step.name == job.step.stage.name else f" ({job.step.stage.name})"
        say(f"[{number}/{len(jobs)}] {job.step.name}{stage}")
        done[job.step.name] = _make(job)
    return done


def build_step(step: Step, out: Path, inputs: Mapping[str, Path]) -> Manifest:
    """Make one artifact at `out` from the artifacts at `inputs`, or find that it is there already."""
    if Path(out).name in ("", ".."):
        raise ConfigError(
            f"--out {out} has no name of its own, and a finished folder is put in place by its name. "
            f"Give one, for instance --out {Path(out) / step.name}"
        )
    fingerprints = {role: open_artifact(path, step.stage.roles[role]).fingerprint for role, path in inputs.items()}
    return _make(_Job(step, Path(out), inputs, request_of(step, fingerprints)))


def unfinished(folder: Path) -> Path:
    """Where work on `folder` happens until it is finished."""
    return folder.parent / f"{folder.name}.partial"  # with_name knows no "."


def _steps(recipe: Recipe, until: str) -> list[Step]:
    names = [step.name for step in recipe.steps]
    if until and until not in names:
        raise ConfigError(f'There is no step "{until}" to stop after. {suggest(until, names)}')
    return list(recipe.steps[: names.index(until) + 1 if until else None])


def _look_ahead(steps: list[Step], folder: Path) -> list[_Job]:
    """All jobs of a run; fingerprints of steps to come follow from the recipe, so that every refusal comes first."""
    jobs: dict[str, _Job] = {}
    for step in steps:
        inputs, fingerprints = {}, {}
        for role, reference in step.inputs.items():
            if earlier := jobs.get(reference):
                inputs[role], fingerprints[role] = earlier.out, earlier.request.fingerprint
            else:
                inputs[role] = _outside(step, role, reference)
                fingerprints[role] = open_artifact(inputs[role], step.stage.roles[role]).fingerprint
        job = _Job(step, folder / step.name, inputs, request_of(step, fingerprints))
        _check_place(job)
        jobs[step.name] = job
    return list(jobs.values())


def _outside(step: Step, role: str, reference: str) -> Path:
    try:
        return locate(reference, step.stage.roles[role])
    except ArtifactError as error:
        raise ArtifactError(
            f"[{step.name}] {role}: {error} A step of the recipe must stand above the one that uses it."
        ) from error


def _keep_recipe(recipe: Recipe, folder: Path, jobs: list[_Job]) -> None:
    """Write the recipe beside its steps, over one that was edited since; never over a file of somebody else."""
    kept = folder / RECIPE
    for job in jobs:
        check_unlocked(job.out)
    ours = any(place.exists() for job in jobs for place in (lock_of(job.out), job.out, unfinished(job.out)))
    if kept.exists() and not ours and kept.read_text("utf-8", "replace") != recipe.text:
        raise ArtifactError(
            f"{kept} is of another run, or yours: no step of this recipe was ever made beside it. "
            "Choose another --out, or move it away."
        )
    with writable(kept):
        sweep(folder, below=False)
        write_text(kept, recipe.text)
        if recipe.changes:
            write_json(folder / OVERRIDES, dict(recipe.changes))
        else:
            (folder / OVERRIDES).unlink(missing_ok=True)


def _make(job: _Job) -> Manifest:
    if rank():
        return _follow(job)
    out, partial = job.out, unfinished(job.out)
    with plain_disk_errors(partial), locked(out):
        if _check_place(job):
            say(f"  {out} is up to date")
            return read_manifest(out)
        resumed = _prepare(partial, job.request)
        if not (partial / MANIFEST).is_file():  # else it was killed just before the rename
            _work(job, partial, resumed=resumed)
        shutil.rmtree(partial / PROGRESS, ignore_errors=True)
        (partial / PLAN).unlink(missing_ok=True)
        share(partial)
        sync(partial)
        partial.rename(out)
        sync(out.parent)
    return read_manifest(out)


def _follow(job: _Job) -> Manifest:
    """What all processes but the first do: take part in the work if it is for all, and wait until the folder is there.

    Nothing is refused here: the first sees the same, says so, and whoever started the processes ends them all.
    """
    partial, waits = unfinished(job.out), not job.step.stage.team
    while not (job.out / MANIFEST).is_file():
        begun = None if waits or (partial / MANIFEST).is_file() else saved_request(partial)
        if begun and begun.fingerprint == job.request.fingerprint:
            job.step.stage.function(job.step.config, partial, **job.inputs)
            waits = True
        time.sleep(0.1)
    return read_manifest(job.out)


def _check_place(job: _Job) -> bool:
    """True if the job's folder is finished; an error if it, or its unfinished one, holds something else."""
    place = job.out if job.out.is_dir() and any(job.out.iterdir()) else unfinished(job.out)
    if (place is job.out and not (place / MANIFEST).is_file()) or (job.out.exists() and not job.out.is_dir()):
        raise ArtifactError(
            f"{job.out} exists and was not made by mothertongue. Choose another --out (or step name), or move it away."
        )
    made = saved_request(place) if place.is_dir() else None
    if made and made.fingerprint != job.request.fingerprint:
        refuse(place, made, job.request)
    return place is job.out


def _prepare(partial: Path, request: Request) -> bool:
    """A folder to work in; True if an earlier attempt has begun there."""
    if partial.exists() and saved_request(partial):
        say(f"  continuing {partial}")
        sweep(partial, below=True)
        return True
    if partial.exists():
        shutil.rmtree(partial)  # killed before it had a plan: nothing in it was worked for
    partial.mkdir(parents=True)
    save_request(partial, request)
    return False


def _work(job: _Job, partial: Path, *, resumed: bool) -> None:
    artifacts = {role: open_artifact(path, job.step.stage.roles[role]) for role, path in job.inputs.items()}
    started = time.monotonic()
    try:
        metrics = job.step.stage.function(job.step.config, partial, **{role: a.path for role, a in artifacts.items()})
    except MothertongueError as error:
        worked = any(partial.glob(f"{PROGRESS}/*")) and not isinstance(error, ConfigError)
        if not resumed and not worked:
            shutil.rmtree(partial)  # nothing worth keeping, and it would stand in the way of corrected settings
        raise
    seconds = time.monotonic() - started
    manifest = make_manifest(job.step, job.request, artifacts, metrics, partial, seconds)
    write_json(partial / MANIFEST, {**manifest, "resumed": resumed})  # then `seconds` are those of the last attempt


def kept_overrides(folder: Path) -> dict[str, str]:
    """What `--set` changed in the run in `folder`, as text."""
    try:
        return {str(key): str(value) for key, value in json.loads((folder / OVERRIDES).read_text("utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise ArtifactError(f"{folder / OVERRIDES} cannot be read: {error}. Delete it and give --set again.") from error
