"""How requests are sent to a remote model: how many, how fast, and how often one is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated

from annotated_types import Ge, Gt

from evaluator.core import Usage
from evaluator.runner.model_names import entry_for


@dataclass(frozen=True)
class ModelLimits:
    """Limits of one model, or of each model of one provider; None takes the general limit."""

    in_flight: Annotated[int, Ge(1)] | None = None
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True)
class Requests:
    """How requests are sent. No option here changes a caption.

    `limits` maps a model's name (without its version) or a provider's name to its own limits, so that each
    model of a sweep keeps its own.
    """

    in_flight: Annotated[int, Ge(1)] = 50
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None
    limits: Mapping[str, ModelLimits] = field(default_factory=dict)
    attempts: Annotated[int, Ge(1)] = 8
    attempt_seconds: Annotated[float, Gt(0)] = 120.0
    deadline_seconds: Annotated[float, Gt(0)] = 600.0

    def for_model(self, usage: Usage | None) -> Requests:
        """The options for one model: each limit from its own entry, else its provider's, else the general.

        >>> own = {"openai": ModelLimits(per_minute=500), "gpt-4o": ModelLimits(tokens_per_minute=30_000)}
        >>> requests = Requests(limits=own).for_model(Usage("gpt-4o-2024-11-20", (1, 2), (1, 2), "openai"))
        >>> requests.in_flight, requests.per_minute, requests.tokens_per_minute
        (50, 500, 30000)
        """
        if usage is None:
            return self
        entries = (self.limits.get(usage.provider), entry_for(usage.model, self.limits))
        limits = {
            name: value
            for entry in entries  # the model's own entry comes last, because it wins
            if entry
            for name, value in asdict(entry).items()
            if value is not None
        }
        return replace(self, **limits)
