"""Pictures of the documentation are drawn by its script from the code, and pages show the ones that there are."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = re.compile(r"!\[[^\]]+\]\(([^)]+\.png)\)")


def test_every_picture_is_drawn_from_the_code(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    assert spec and spec.loader
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pictures.draw_all(tmp_path)
    drawn = {file.name for file in tmp_path.iterdir()}
    assert drawn
    assert drawn <= {file.name for file in (DOCS / "pictures").iterdir()}, "run: python docs/pictures.py"
    page = (DOCS / "why" / "training.md").read_text("utf-8")
    assert {Path(name).name for name in SHOWN.findall(page)} == drawn


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_pages_show_pictures_that_exist_and_say_what_is_on_them(page: Path) -> None:
    for name in SHOWN.findall(page.read_text("utf-8")):
        assert (page.parent / name).is_file(), f"{page.name}: {name}"
