"""Settings of the step `export`."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.export.formats import FORMATS
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class ExportConfig(Settings):
    """[export]: the last step, a folder to use and to publish."""

    format: str = setting(
        "huggingface", "who shall open it: huggingface, gguf for llama.cpp, or one of another package"
    )
    dtype: str = setting(
        "float32",
        "type of the weights: fewer bytes, less exact; q8_0 and q4_0 (8 and 4 bits) for gguf; "
        "q4_0_pure: embeddings and head in 4 bits as well",
        choices=("float32", "float16", "bfloat16", "q8_0", "q4_0", "q4_0_pure"),
    )
    tolerance: float = setting(
        0.0,
        "largest difference of a logit from the checkpoint's; 0: 0.0001 for float32 (0.01 in gguf), 0.1 float16, "
        "1 bfloat16 and q8_0, 10 in 4 bits",
        least=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        FORMATS.check(self.format)
        if self.format == "huggingface" and self.dtype.startswith("q"):
            raise ConfigError(f'dtype = "{self.dtype}" needs format = "gguf". For huggingface give "float16".')
        if self.format == "gguf" and self.dtype == "bfloat16":
            raise ConfigError('format = "gguf" does not write dtype = "bfloat16". Give "float16", "q8_0" or "q4_0".')
