"""The options of config.yaml that belong to no component."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from evaluator.core.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """What to caption, how to score it and where it goes; conf/config.yaml explains each option."""

    runs: Path = Path("runs")
    name: str | None = None
    sweep: str | None = None
    limit: Annotated[int, Ge(1)] | None = None
    sample: Annotated[int, Ge(1)] | None = None
    sample_seed: Annotated[int, Ge(0)] = 0
    shard: str | None = None
    draws: Annotated[int, Ge(1)] = 1
    only_with_images: bool = False
    missing: Literal["leave_out", "empty"] = "leave_out"
    refusals: Literal["score", "missing"] = "score"
    normalize: Literal[
        "none",
        "strip_preamble",
        "first_sentence",
        "strip_shared_start",
        "strip_shared_end",
        "strip_markers",
        "unwrap",
        "unicode_form",
    ] = "none"
    resamples: Annotated[int, Ge(1)] = 1000
    confidence: Annotated[float, Gt(0), Lt(1)] = 0.95
    seed: Annotated[int, Ge(0)] = 0
    baseline: Path | None = None
    gates: tuple[str, ...] = ()

    @property
    def shard_index(self) -> tuple[int, int] | None:
        """Which part of how many: (3, 16) for 3/16. Raises ConfigError for what is no part."""
        if self.shard is None:
            return None
        index, _, count = self.shard.partition("/")
        if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count) <= 100_000):
            raise ConfigError(f"shard: {self.shard!r} is not a part such as 3/16, part 3 of 16")
        return int(index), int(count)

    @property
    def unusual_rules(self) -> dict[str, str]:
        """How images without a caption, and refusals, are treated, where that is not the default."""
        rules = {"missing": self.missing, "refusals": self.refusals}
        return {name: rule for name, rule in rules.items() if rule != getattr(Settings, name)}
