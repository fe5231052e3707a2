"""The runs that a command asks for: every combination that is swept, each model with options of its own.

jobs = composed_jobs(["model=git,blip2"], sweep=True, for_model=["blip2:model.num_beams=3"])
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.config.compose import Composed, compose, sweep_jobs
from evaluator.config.prompts import OwnPrompt, names_a_prompt, with_literal_texts
from evaluator.core.errors import ConfigError

logger = logging.getLogger(__name__)

AUTO = "auto"  # the choice in conf/prompt/ that stands for the recommended prompt of each model


@dataclass(frozen=True)
class Job:
    """The overrides of one run and what Hydra makes of them."""

    overrides: Sequence[str]
    composed: Composed

    @property
    def model(self) -> tuple[str, str]:
        """The choice, and what it loads: two checkpoints by one YAML file are two models."""
        options = self.composed.node.get("model") or {}
        loaded = {key: options[key] for key in ("checkpoint", "model") if key in options}
        return self.composed.choices["model"], str(loaded)


def composed_jobs(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    sweep: bool | None = False,
    prompts: Sequence[OwnPrompt] = (),
    for_model: Sequence[str] = (),
) -> list[Job]:
    """One job, or with `sweep` every combination; `prompts` and swept `for_model` options multiply them.

    With `sweep=None` an experiment that sweeps by itself (hydra.sweeper.params) decides. Raises ConfigError.
    """
    overrides, options = with_literal_texts(overrides), options_by_model(for_model)
    jobs = [job for typed in with_prompts(overrides, prompts) for job in swept_jobs(typed, config_dir, sweep)]
    if unknown := options.keys() - {job.model[0] for job in jobs}:
        models = ", ".join(dict.fromkeys(job.model[0] for job in jobs))
        raise ConfigError(f"--set {min(unknown)}:...: no run has this model. The models are {models}")
    jobs = [
        Job(line, compose(line, config_dir)) if line is not job.overrides else job
        for job in jobs
        for line in with_own_options(job, options, config_dir)
    ]
    return with_recommended_prompts(jobs, config_dir)


def swept_jobs(overrides: Sequence[str], config_dir: Path | None, sweep: bool | None) -> list[Job]:
    """The jobs of Hydra's own sweep."""
    if not sweep:
        composed = compose(overrides, config_dir)
        if sweep is False or not composed.swept:
            return [Job(overrides, composed)]
    return [Job(line, compose(line, config_dir)) for line in sweep_jobs(overrides, config_dir)]


def with_prompts(overrides: Sequence[str], prompts: Sequence[OwnPrompt]) -> list[Sequence[str]]:
    """The overrides once for each prompt, and as they are where they choose prompts too."""
    if not prompts:
        return [overrides]
    if typed := next((o for o in overrides if re.match(r"\+{0,2}prompt\.text=", o)), None):
        raise ConfigError(f"{typed}: type --prompt once more instead: it gives the text of another prompt")
    rest = [override for override in overrides if not override.startswith("prompt=")]
    chosen = [overrides] if len(rest) < len(overrides) else []
    return [*chosen, *([*rest, *prompt.overrides] for prompt in prompts)]


def options_by_model(for_model: Sequence[str]) -> dict[str, list[str]]:
    """From MODEL:option=value, the overrides of each model."""
    options: dict[str, list[str]] = {}
    for typed in for_model:
        match = re.fullmatch(r"([^:=]+):([^=]+=.*)", typed, re.DOTALL)
        if match is None:
            raise ConfigError(f"--set {typed}: type MODEL:option=value, such as blip2:model.num_beams=3")
        options.setdefault(match[1], []).append(match[2])
    return {model: with_literal_texts(typed) for model, typed in options.items()}


def with_own_options(
    job: Job, options: Mapping[str, list[str]], config_dir: Path | None
) -> Sequence[Sequence[str]]:
    """The job's overrides with those of its model, once for each combination that these sweep over."""
    own = options.get(job.model[0])
    return sweep_jobs([*job.overrides, *own], config_dir) if own else [job.overrides]


def with_recommended_prompts(jobs: Sequence[Job], config_dir: Path | None) -> list[Job]:
    """Where prompt=auto is typed, or a comparison of several models has no prompt: that of each model."""
    several = len({job.model for job in jobs}) > 1

    def wants_it(job: Job) -> bool:
        composed = job.composed
        by_itself = several and not composed.choices.get("experiment")
        return composed.choices["prompt"] == AUTO or (
            by_itself and not names_a_prompt(job.overrides, composed.swept)
        )

    wanting = list(map(wants_it, jobs))
    found = [
        with_recommended_prompt(job, config_dir) if w else job for job, w in zip(jobs, wanting, strict=True)
    ]
    if several and any(wanting):
        given = dict.fromkeys(
            f"{job.model[0]} {job.composed.choices['prompt']}"
            for job, wanted in zip(found, wanting, strict=True)
            if wanted
        )
        logger.info("each model gets its recommended prompt: %s", ", ".join(given))
    return found


def with_recommended_prompt(job: Job, config_dir: Path | None) -> Job:
    model = job.composed.node.get("model") or {}
    prompt = model.get("recommended_prompt") or "none"
    overrides = [o for o in job.overrides if not o.startswith("prompt=")]
    return Job(line := [*overrides, f"prompt={prompt}"], compose(line, config_dir))
