"""The room can be read in a sitting."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import mothertongue.train

FILES = sorted(Path(mothertongue.train.__file__).parent.glob("*.py"))
BLANK = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(source: str) -> int:
    """Lines without docstrings, comments and blanks."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in BLANK for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def test_lines_of_code_are_counted_without_words() -> None:
    assert (
        code_lines('"""Words."""\n\n# more\ndef f(a: int) -> int:\n    """And more\n    words."""\n    return a\n') == 2
    )


def test_the_room_stays_under_900_lines_of_code_and_no_file_over_250() -> None:
    assert sum(code_lines(file.read_text("utf-8")) for file in FILES) < 900
    assert max(len(file.read_text("utf-8").splitlines()) for file in FILES) <= 250
