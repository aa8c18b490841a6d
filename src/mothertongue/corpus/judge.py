"""What one document alone decides: its clean text, and whether a rule refuses it."""

from __future__ import annotations

from mothertongue.corpus.identify import other_languages
from mothertongue.corpus.quality import reason_to_drop
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.shape import reason_by_shape
from mothertongue.corpus.view import View
from mothertongue.corpus.wordlists import stands_in_tasks


def judge(own: View, reading: Reading) -> str | None:
    """Why a cleaned text is refused, or None if it is kept."""
    text = own.text
    least = reading.source.min_characters
    if not text:
        return "empty"
    if len(text) < (reading.config.min_characters if least < 0 else least):
        return "too-short"
    if (tasks := reading.config.tasks) and stands_in_tasks(text, tasks, reading.config.task_words):
        return "in-task"
    skip = reading.source.skip_rules
    reason = reason_to_drop(own, reading.language, skip=skip) or reason_by_shape(own, reading.language, skip=skip)
    if reason in (
        None,
        "few-function-words",
    ):  # text without our small words may well be of another language: then say so
        return _other_language(text, reading) or reason
    return reason


def _other_language(text: str, reading: Reading) -> str | None:
    [code] = other_languages([text], reading.language, sure=reading.config.language_confidence)
    return f"language:{code}" if code else None
