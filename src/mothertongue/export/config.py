"""Settings of the step `export`."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.export.formats import FORMATS
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class ExportConfig(Settings):
    """[export]: the last step, a folder to use and to publish."""

    format: str = setting("huggingface", "who shall open it: huggingface, or one that another package adds")
    dtype: str = setting(
        "float32",
        "type of the weights: half the bytes, a little less exact",
        choices=("float32", "float16", "bfloat16"),
    )
    tolerance: float = setting(
        0.0,
        "largest difference of a logit from the checkpoint's; 0: 0.0001 for float32, 0.1 float16, 1 bfloat16",
        least=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        FORMATS.check(self.format)
