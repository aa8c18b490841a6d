# cython: boundscheck=False, wraparound=False, cdivision=True
"""Many texts through the automaton of the language identifier, byte by byte, and their scores.

Used only as compiled by Cython (build.py, types in walk.pxd); uncompiled, bayes.py does the same in numpy, and a test
holds one against the other. Each step waits for memory, so a text is walked in four places at once: where the automaton
stands depends on the last six bytes only. Bounds are not checked, which would make it a fifth slower: a byte leads from
state to state, and bayes.py has made sure that none leads out of the arrays when it wrote them.
"""

from __future__ import annotations

from typing import Any

_BEFORE = 6


def walk(
    data: bytes,
    ends: Any,
    moves: Any,
    rows: Any,
    outputs: Any,
    weights: Any,
    logs: Any,
    counts: Any,
    path: Any,
    scores: Any,
) -> None:
    """Add to each row of `scores` log(1 + n) times the weights of every feature that stands n times in that text.

    data, ends: all texts as bytes, and where each ends. moves, rows, outputs: state and byte -> state, state -> row of
    `moves` times 256, state -> feature or -1. logs: log(1 + n) of n. counts: zeros, one a feature, and so again after.
    path: room for as many numbers as the longest text has bytes.
    """
    languages = weights.shape[1]
    begun = 0
    for text in range(len(ends)):
        size = ends[text] - begun
        _states(data, begun, size, moves, rows, path)
        begun = ends[text]
        number = 0
        for at in range(size):  # the features seen, each once, take the place of the states
            feature = outputs[path[at]]
            if feature >= 0:
                if counts[feature] == 0:
                    path[number] = feature
                    number += 1
                counts[feature] += 1
        for at in range(number):
            feature = path[at]
            log = logs[counts[feature]]
            counts[feature] = 0
            for language in range(languages):
                scores[text, language] += log * weights[feature, language]


def _states(data: bytes, begun: int, size: int, moves: Any, rows: Any, path: Any) -> None:
    """The state of the automaton after each byte of a text."""
    part = size // 4
    first = second = third = fourth = 0
    if part > _BEFORE:
        for at in range(begun + part - _BEFORE, begun + part):
            second = moves[rows[second] + data[at]]
            third = moves[rows[third] + data[at + part]]
            fourth = moves[rows[fourth] + data[at + 2 * part]]
        for at in range(part):
            first = moves[rows[first] + data[begun + at]]
            second = moves[rows[second] + data[begun + part + at]]
            third = moves[rows[third] + data[begun + 2 * part + at]]
            fourth = moves[rows[fourth] + data[begun + 3 * part + at]]
            path[at] = first
            path[part + at] = second
            path[2 * part + at] = third
            path[3 * part + at] = fourth
    for at in range(4 * part if part > _BEFORE else 0, size):
        fourth = moves[rows[fourth] + data[begun + at]]
        path[at] = fourth
