"""A folder tells its story: what it is, how long it took, from what, with which settings, what came out, what is next.

print(tell(Path("runs/czech/train")))       one step, finished or not
print(tell(Path("runs/czech")))             a run: one line for each step
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mothertongue.errors import ArtifactError
from mothertongue.run.artifact import MANIFEST, Manifest, open_artifact, read_manifest, verify
from mothertongue.run.build import RECIPE, kept_overrides, unfinished
from mothertongue.run.disk import is_locked
from mothertongue.run.figures import changed_settings, key_figures, quantity
from mothertongue.run.next_command import kept_recipe, next_command, run_command
from mothertongue.run.progress import span
from mothertongue.run.request import saved_request

SHOWN_SOURCES = 4
Line = tuple[str, str]  # a word that says what follows, and what follows


def tell(folder: Path) -> str:
    """The story of a finished, unfinished or foreign folder, or of a run, in about ten lines."""
    folder = Path(folder)
    if is_run(folder):
        return tell_run(folder, finished_steps(folder))
    if folder.name.endswith(".partial") or (unfinished(folder).is_dir() and not folder.is_dir()):
        return _layout(_unfinished(folder.with_name(folder.name.removesuffix(".partial"))))
    artifact = open_artifact(folder)
    if artifact.manifest is None:
        return _layout(_foreign(folder, artifact.kind))
    return _layout(_finished(folder, artifact.manifest))


def tell_run(folder: Path, manifests: Mapping[str, Manifest]) -> str:
    """A table of a run's steps with time and key figures, then what was overridden and the next command."""
    recipe = kept_recipe(folder)
    names = [step.name for step in recipe.steps] if recipe else list(manifests)
    rows = [("step", "makes", "time", "result")]
    for name in names:
        if manifest := manifests.get(name):
            result = ", ".join(key_figures(manifest))
            rows.append((name, manifest["kind"], span(manifest.get("seconds", 0)), result))
        else:
            rows.append((name, "", *_state(folder / name)))
    title = f": {recipe.title}" if recipe and recipe.title else ""
    lines = [f"{folder}{title}. {len(manifests)} of {len(names)} steps are finished.", *_table(rows)]
    lines += [f"set    {key} = {value}" for key, value in kept_overrides(folder).items()]
    return "\n".join([*lines, f"next   {_next_of_run(folder, names, manifests)}"])


def story(folder: Path) -> dict[str, Any]:
    """What `tell` tells, for machines: a manifest, or for a run the manifests of its finished steps by name."""
    return finished_steps(folder) if is_run(Path(folder)) else read_manifest(Path(folder))


def check_folder(folder: Path) -> dict[str, Any]:
    """How many files of a finished folder, or of a run's finished steps, are as made; else ArtifactError."""
    places = _made(folder) if is_run(folder) else [folder]
    problems = [f"{place}: {problem}" for place in places for problem in verify(place)]
    if problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise ArtifactError(f"{folder} is not what was made. {shown}. Restore the files, or make the folder again.")
    return {"folders": [str(place) for place in places], "files": sum(len(read_manifest(p)["outputs"]) for p in places)}


def is_run(folder: Path) -> bool:
    """True for the folder of a run: it has a recipe and is no artifact itself."""
    return (folder / RECIPE).is_file() and not (folder / MANIFEST).is_file()


def finished_steps(folder: Path) -> dict[str, Manifest]:
    """Name -> manifest of the finished steps of a run, in the recipe's order (by name if its recipe cannot be read)."""
    recipe = kept_recipe(folder)
    names = [step.name for step in recipe.steps] if recipe else sorted(entry.name for entry in folder.iterdir())
    return {name: read_manifest(folder / name) for name in names if (folder / name / MANIFEST).is_file()}


def _made(folder: Path) -> list[Path]:
    """The folders of a run's steps that were made, also where the manifest is gone."""
    recipe = kept_recipe(folder)
    steps = {step.name for step in recipe.steps} if recipe else set()
    places = [folder / name for name in sorted(steps | set(finished_steps(folder)))]
    return [place for place in places if place.is_dir() and any(place.iterdir())]


def _finished(folder: Path, manifest: Manifest) -> Iterator[Line]:
    step = manifest.get("step", folder.name)
    yield (
        str(folder),
        f"{manifest['kind']}, made by {manifest['stage']}" + f" as step {step}" * (step != manifest["stage"]),
    )
    yield "made", _when(manifest)
    for entry in manifest.get("inputs", []):
        if entry["role"] != "file":
            yield "from", f"{entry['role']} {entry['path']} ({entry['fingerprint'][:8]})"
    yield from _sources(manifest)
    settings = list(changed_settings(manifest["stage"], manifest["config"]))
    yield "settings", ", ".join(settings) or "all as by default"
    yield "result", ", ".join(key_figures(manifest)) or "no figures"
    outputs = manifest["outputs"]
    yield "files", f"{len(outputs)}, {quantity(sum(entry['bytes'] for entry in outputs.values()), 'B')} together"
    if ancestors := [entry["step"] for entry in manifest.get("lineage", [])]:
        yield "lineage", " > ".join([*ancestors, step])
    yield "next", next_command(folder, manifest)


def _unfinished(folder: Path) -> Iterator[Line]:
    partial = unfinished(folder)
    request = saved_request(partial) if partial.is_dir() else None
    if request is None:
        raise ArtifactError(
            f"{partial} holds nothing that was begun. Check the path, or make it with `mothertongue run`."
        )
    yield str(folder), f"unfinished: {request.stage} works in {partial}"
    yield "begun", _ago(partial / "step.json")
    newest = max((file for file in partial.rglob("*") if file.is_file()), key=lambda file: file.stat().st_mtime)
    yield "last sign", f"{newest.relative_to(partial)}, {_ago(newest)}"
    if logged := _last_of_log(partial / "log.jsonl"):
        yield "log", logged
    yield "settings", ", ".join(changed_settings(request.stage, request.config)) or "all as by default"
    if is_locked(folder):
        yield "next", "wait: a process is working on it now"
    elif (folder.parent / RECIPE).is_file():
        yield "next", run_command(folder.parent)
    else:
        yield "next", f"the same `mothertongue {request.stage} ... --out {folder}` again; it continues"


def _foreign(folder: Path, kind: str) -> Iterator[Line]:
    yield str(folder), f"a {kind} that was not made by mothertongue: it has no manifest.json"
    yield "use", f"it can be the --{kind} of any step"


def _when(manifest: Manifest) -> str:
    machine, versions = manifest.get("machine", {}), manifest.get("versions", {})
    took = span(manifest.get("seconds", 0)) + " after an interruption" * manifest.get("resumed", False)
    with_what = ", ".join(f"{name} {versions[name]}" for name in ("mothertongue", "torch") if name in versions)
    when = str(manifest.get("created", "?")).replace("T", " ").replace("+00:00", " UTC")
    return f"{when} in {took} on {machine.get('cores', '?')} cores, {with_what}"


def _sources(manifest: Manifest) -> Iterator[Line]:
    """Texts and licences of every corpus behind this folder, the newest first: it is the model's own language."""
    steps = [manifest, *reversed(manifest.get("lineage", []))]
    found = [source for step in steps if step["kind"] == "corpus" for source in step["metrics"].get("sources", [])]
    for source in found[:SHOWN_SOURCES]:
        size = f", {quantity(source['bytes'], 'B')}" if "bytes" in source else ""
        yield "text", f"{source['name']} ({source.get('licence', 'unknown')}{size})"
    if len(found) > SHOWN_SOURCES:
        licences = sorted({source.get("licence", "unknown") for source in found[SHOWN_SOURCES:]})
        yield "text", f"and {len(found) - SHOWN_SOURCES} more ({', '.join(licences)})"


def _next_of_run(folder: Path, names: Sequence[str], manifests: Mapping[str, Manifest]) -> str:
    working = [name for name in names if is_locked(folder / name)]
    if working:
        return f"wait: a process is working on {working[0]} now"
    done = names and names[-1] in manifests
    return next_command(folder / names[-1], manifests[names[-1]]) if done else run_command(folder)


def _state(folder: Path) -> tuple[str, str]:
    if unfinished(folder).is_dir():
        return ("running", "") if is_locked(folder) else ("unfinished", "")
    return "to do", ""


def _last_of_log(file: Path) -> str:
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    return lines[-1].strip("{}").replace('"', "") if lines else ""


def _ago(file: Path) -> str:
    return f"{span(max(0.0, time.time() - file.stat().st_mtime))} ago" if file.exists() else "at an unknown time"


def _layout(lines: Iterator[Line]) -> str:
    (folder, what), *rest = lines
    return "\n".join([f"{folder}: {what}", *(f"{word:<9} {_line(text)}" for word, text in rest)])


def _line(text: str, most: int = 400) -> str:
    """A line that no terminal drowns in."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
