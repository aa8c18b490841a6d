r"""LaTeX of <math> -> a line that reads like the formula: `\frac{a}{b^2}` becomes `a/b²`.

Signs come from HTML's table of named characters, which has most of LaTeX's names, and from a short table of our own.
pylatexenc knows more of LaTeX, but takes a millisecond for what takes microseconds here and stops at broken formulas,
of which an encyclopaedia has its share; here nothing fails, and what is not known leaves its letters.
"""

from __future__ import annotations

import re
import unicodedata
from html.entities import html5
from typing import Final

_TOKEN: Final = re.compile(r"\\[a-zA-Z]+\*?|\\.|[{}^_&~%]|[^\\{}^_&~%]+", re.DOTALL)
_DEEPEST: Final = 30
_SIGNS: Final = {
    "cdot": "·", "infty": "∞", "to": "→", "neq": "≠", "ne": "≠", "le": "≤", "ge": "≥", "leqslant": "≤", "geqslant": "≥",
    "partial": "∂", "exists": "∃", "nexists": "∄", "circ": "°", "ldots": "…", "dots": "…", "cdots": "⋯", "dotsb": "…",
    "dotsc": "…", "epsilon": "ε", "varepsilon": "ε", "phi": "φ", "varphi": "φ", "vartheta": "θ", "langle": "⟨",
    "rangle": "⟩", "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "vert": "|", "Vert": "‖", "mid": "|",
    "emptyset": "∅", "varnothing": "∅", "iff": "⇔", "implies": "⇒", "gets": "←", "land": "∧", "lor": "∨", "neg": "¬",
    "lnot": "¬", "quad": " ", "qquad": " ", "prime": "′", "R": "ℝ", "N": "ℕ", "Z": "ℤ", "colon": ":", "ast": "*",
    "star": "*", "backslash": "\\", "setminus": "\\", "degree": "°", "lVert": "‖", "rVert": "‖", "lvert": "|",
    "rvert": "|", "ll": "≪", "gg": "≫", "wedge": "∧", "vee": "∨", "bullet": "•", "dagger": "†", "top": "⊤", "bot": "⊥",
    "hookrightarrow": "↪", "mapsto": "↦", "longrightarrow": "→", "Longrightarrow": "⇒", "iint": "∬", "iiint": "∭",
    "bmod": " mod ", "pmod": " mod ", "And": "&", "AND": "∧", "OR": "∨", "oplus": "⊕", "otimes": "⊗", "triangle": "△",
}  # fmt: skip
_NAMES: Final = frozenset({
    "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "log", "ln",
    "lg", "exp", "lim", "limsup", "liminf", "max", "min", "sup", "inf", "det", "dim", "ker", "gcd", "deg", "arg",
    "mod", "hom", "Pr", "Re", "Im",
})  # fmt: skip
_BINARY: Final = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac"})
_CHOOSE: Final = frozenset({"binom", "dbinom", "tbinom"})
_WRITTEN: Final = frozenset({"text", "mbox", "textrm", "textbf", "textit", "operatorname", "mathrm", "hbox", "textsf"})
_ACCENTS: Final = {
    "hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304", "tilde": "\u0303", "dot": "\u0307",
    "widetilde": "\u0303", "ddot": "\u0308", "vec": "\u20d7", "check": "\u030c", "acute": "\u0301", "grave": "\u0300",
}  # fmt: skip
_SILENT: Final = frozenset({"begin", "end", "color", "label", "tag", "hspace", "vspace", "phantom", "style"})
_RAISED: Final = str.maketrans("0123456789+-\u2212n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_LOWERED: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_POWER: Final = re.compile(r"[+\u2212-]?[0-9]+")
_SIMPLE: Final = re.compile(r"[\w.,′∞ℝ]+|[+\u2212-]?[\w.]+")
_TIGHT: Final = "∂∞√¬∀∃∄∫∬∭∮∑∏∇"
_SPACES: Final = re.compile(r"\s+")
_ALIGN: Final = re.compile(r"\{?[a-z|*\d ]*\}?")


def power(text: str) -> str:
    """What stands in <sup>: a number above the line (10⁶), and letters as they are (19th)."""
    return text.translate(_RAISED) if _POWER.fullmatch(text.strip()) else text


def readable(latex: str) -> str:
    """One line of text from a formula.

    >>> readable(r"E = \\frac{1}{2} m v^2"), readable(r"\\sqrt{x_1 + \\alpha}")
    ('E = 1/2 m v²', '√(x₁ + α)')
    """
    return _SPACES.sub(" ", _Formula(latex).run(0)).strip()


class _Formula:
    """A formula as tokens, read from left to right."""

    def __init__(self, latex: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(latex)
        self.at = 0

    def run(self, depth: int) -> str:
        """Text up to the end of the group."""
        out: list[str] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token == "}":
                if depth:
                    break
                self.at += 1
            elif token == "^":
                self.at += 1
                out.append(_script(self.argument(depth), "^"))
            elif token == "_":
                self.at += 1
                out.append(_script(self.argument(depth), "_"))
            else:
                out.append(self.item(depth))
        return "".join(out)

    def item(self, depth: int) -> str:
        """What the next token shows, with the groups that belong to it."""
        token = self.tokens[self.at]
        if token == "{":
            return self.argument(depth)
        self.at += 1
        if token[0] != "\\":
            return " " if token in "&~" else "" if token == "%" else token
        return self.command(token[1:].rstrip("*"), depth)

    def argument(self, depth: int) -> str:
        """A group in braces without them, or one token; of plain characters only the first."""
        while self.at < len(self.tokens) and not self.tokens[self.at].strip():
            self.at += 1
        if self.at >= len(self.tokens) or self.tokens[self.at] == "}":
            return ""
        token = self.tokens[self.at]
        if token == "{":
            self.at += 1
            inside = self.run(depth + 1) if depth < _DEEPEST else self.skip()
            self.at += 1
            return inside
        if token[0] not in "\\^_&~%":
            token = token.lstrip()
            self.tokens[self.at] = token[1:]
            self.at += not token[1:]
            return token[0]
        if token[0] != "\\" or depth >= _DEEPEST:
            self.at += 1
            return ""
        self.at += 1
        return self.command(token[1:], depth + 1)

    def skip(self) -> str:
        """Step over what is too deep."""
        level = 1
        while self.at < len(self.tokens):
            level += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            if not level:
                break
            self.at += 1
        return ""

    def command(self, name: str, depth: int) -> str:
        """What a command shows."""
        if name in _BINARY:
            return f"{_closed(self.argument(depth))}/{_closed(self.argument(depth))}"
        if name in _CHOOSE:
            return f"({self.argument(depth)} {self.argument(depth)})"
        if name == "sqrt":
            root = self.option()
            return f"{root.translate(_RAISED)}√{_closed(self.argument(depth))}"
        if name in _WRITTEN:
            return self.argument(depth)
        if name in _ACCENTS:
            text = self.argument(depth)
            return unicodedata.normalize("NFC", text + _ACCENTS[name]) if len(text) == 1 else text
        if name in _SILENT:
            kind = self.argument(depth)
            return self.columns() if name == "begin" and kind == "array" else " "
        if name in _NAMES:
            return name
        if not name[:1].isalpha():
            return {"\\": "; ", ",": " ", ";": " ", ":": " ", " ": " ", "!": "", "|": "‖"}.get(name, name)
        sign = _SIGNS.get(name) or html5.get(name + ";", "")
        return f" {sign} " if sign and unicodedata.category(sign[0]) == "Sm" and sign not in _TIGHT else sign

    def option(self) -> str:
        """The [3] of \\sqrt[3]{x}."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        inside, close, rest = token.removeprefix("[").partition("]")
        if not token.startswith("[") or not close:
            return ""
        self.tokens[self.at] = rest
        self.at += not rest
        return inside

    def columns(self) -> str:
        """Nothing, after the alignment of an array."""
        if self.at + 2 < len(self.tokens) and self.tokens[self.at] == "{" and self.tokens[self.at + 2] == "}":
            self.at += 3 if _ALIGN.fullmatch(self.tokens[self.at + 1]) else 0
        return " "


def _closed(text: str) -> str:
    text = text.strip()
    return text if _SIMPLE.fullmatch(text) or not text else f"({text})"


def _script(text: str, sign: str) -> str:
    text = text.strip()
    if not text:
        return ""
    if _POWER.fullmatch(text) and (sign == "^" or text.isdecimal()):
        return text.translate(_RAISED if sign == "^" else _LOWERED)
    if text in "°′*":
        return text
    return sign + (text if len(text) == 1 else _closed(text))
