"""Write the tables of docs/ from the checked-in results, so that no figure of theirs is typed by hand.

python benchmarks/docs_tables.py            rewrites what stands between the markers
python benchmarks/docs_tables.py --check    only says whether they are up to date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence

import compress_tables
import corpus_tables
import curve_tables
import train_tables
import use_tables
from results_file import ROOT, Row, read_rows

MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.S)
Tables = Mapping[str, Callable[[Sequence[Row]], str]]
PAGES: Mapping[str, Mapping[str, Tables]] = {  # page -> name of the results -> tables made of their rows
    "why/cleaning.md": {"corpus": corpus_tables.TABLES},
    "why/wikitext.md": {"corpus": corpus_tables.TABLES},
    "why/curve.md": {"transfer": curve_tables.TABLES, "smollm2": curve_tables.SMOLLM2},
    "why/theseus.md": {"compress": compress_tables.TABLES, "compress_smollm2": compress_tables.SMOLLM2},
    "why/training.md": {"train": train_tables.TABLES},
    "how-to/use-the-model.md": {"use": use_tables.TABLES},
}


def filled(text: str, made: Mapping[str, Tables]) -> str:
    """The page with each marked table made anew."""
    tables = {mark: (write, name) for name, each in made.items() for mark, write in each.items()}

    def table(found: re.Match[str]) -> str:
        write, name = tables[found[2]]
        return f"{found[1]}\n{write(read_rows(name))}\n{found[3]}"

    return MARKED.sub(table, text)


def main() -> None:
    """Fill every page, or only compare."""
    stale = []
    for name, made in PAGES.items():
        file = ROOT / "docs" / name
        text = file.read_text("utf-8")
        if (new := filled(text, made)) != text:
            stale.append(name)
            if "--check" not in sys.argv:
                file.write_text(new, "utf-8")
    print(f"out of date: {', '.join(stale)}" if stale else "up to date")
    if stale and "--check" in sys.argv:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
