"""Settings of the step `transfer`."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.corpus.config import Source
from mothertongue.run.settings import Settings, setting
from mothertongue.transfer.methods import METHODS

MOST_WINDOW = 100  # each distance takes memory of its own


@dataclass(frozen=True)
class TransferConfig(Settings):
    """[transfer]: new rows for a new vocabulary; the model's body is kept."""

    method: str = setting(
        "align",
        "how rows are made: align; trim (keeps the base's own vocabulary, less what the language does not use); for "
        "comparison mean, focus, subword, wechsel, donor, clp, normal, hull, random; or one that another package adds",
    )
    calibrate: bool = setting(True, "let the start predict the token frequencies of the corpus")
    least_count: int = setting(1, 'for method = "trim": keep the tokens that occur at least so often', least=1)
    source_text: tuple[Source, ...] = setting(
        (), "text in the model's own language, for align; needless where the model ships static vectors"
    )
    dictionary: str = setting(
        "",
        "more anchors for align: TSV (own word, new word), dictd's .index, or Wikipedia's langlinks.sql.gz",
        path=True,
    )
    dictionary_language: str = setting("en", "code of the model's own language, for langlinks")
    donor: str = setting("", "folder of a model that has the target vocabulary already (donor, clp)", path=True)
    max_megabytes: float = setting(32.0, "use at most this much text of each language, in MB of UTF-8", least=0.001)
    dimensions: int = setting(64, "dimensions of static vectors, unless the model ships some", least=2, most=1024)
    window: int = setting(
        2, "tokens on each side that are company, unless the model ships vectors", least=1, most=MOST_WINDOW
    )
    neighbours: int = setting(10, "source tokens that a new row is made of (wechsel, donor, hull)", least=1, most=1000)
    temperature: float = setting(0.1, "softmax temperature of cosines among them (wechsel)", least=0.001, most=10)
    seed: int = setting(0, "seed of everything random", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        METHODS.check(self.method)
