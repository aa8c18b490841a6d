"""Why documents were dropped: a count for every source and reason, and a few samples of each reason to look at."""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mothertongue.corpus.wikitext import TemplateWeights

SAMPLES_PER_REASON = 20
SAMPLE_CHARACTERS = 300
# what these count went out of documents that stay, or belongs to none
_NO_DOCUMENT = ("paragraph:", "replaced:", "line-of-", "metadata-without-text", "invalid-metadata")


def documents_in(counts: Mapping[str, int]) -> int:
    """How many documents were dropped for all these reasons together.

    >>> documents_in({"too-short": 3, "paragraph:repeated": 20})
    3
    """
    return sum(count for reason, count in counts.items() if not reason.startswith(_NO_DOCUMENT))


class Ledger:
    """Counts drops and keeps an even sample of them: those whose text has the smallest checksum, so it never
    depends on chance.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()  # (source, reason) -> times
        self._samples: dict[
            str, list[tuple[int, str, str, str]]
        ] = {}  # reason -> heap of (-checksum, source, id, text)
        self.templates = TemplateWeights()  # of wiki pages: those that show nothing

    def drop(self, reason: str, *, source: str, id: str, text: str) -> None:
        """One document of `source` is refused for `reason`."""
        self.counts[source, reason] += 1
        text = text[:SAMPLE_CHARACTERS]
        self._sample(reason, (-zlib.crc32(text.encode("utf-8", "replace")), source, id, text))

    def _sample(self, reason: str, sample: tuple[int, str, str, str]) -> None:
        heap = self._samples.setdefault(reason, [])
        if len(heap) < SAMPLES_PER_REASON:
            heapq.heappush(heap, sample)
        else:
            heapq.heappushpop(heap, sample)

    def plain(self) -> dict[str, Any]:
        """All of it as JSON values, for `merge`."""
        counts = [[*key, count] for key, count in sorted(self.counts.items())]
        return {"counts": counts, "samples": self._samples, "templates": self.templates.plain()}

    def merge(self, plain: dict[str, Any]) -> None:
        """Add what another ledger has counted and sampled: the same as if all had been dropped here."""
        for source, reason, count in plain["counts"]:
            self.counts[source, reason] += count
        self.templates.merge(plain["templates"])
        for reason, samples in plain["samples"].items():
            for key, source, id, text in samples:
                self._sample(reason, (key, source, id, text))

    def by_reason(self) -> dict[str, int]:
        """Reason -> times, the most frequent first."""
        total: Counter[str] = Counter()
        for (_, reason), count in self.counts.items():
            total[reason] += count
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def by_source(self) -> dict[str, dict[str, int]]:
        """Source -> reason -> times."""
        result: dict[str, dict[str, int]] = {}
        for (source, reason), count in sorted(self.counts.items()):
            result.setdefault(source, {})[reason] = count
        return result

    def describe(self) -> str:
        """`too-short: 12, language:sk: 3`, or `nothing was read`."""
        return ", ".join(f"{reason}: {count:,}" for reason, count in self.by_reason().items()) or "nothing was read"

    def write_samples(self, path: Path) -> None:
        """JSON lines of {reason, source, id, text}, reasons in alphabetical order."""
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            for reason in sorted(self._samples):
                for _, source, id, text in sorted(self._samples[reason], reverse=True):
                    record = {"reason": reason, "source": source, "id": id, "text": text}
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
