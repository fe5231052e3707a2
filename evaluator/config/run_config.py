"""From what is typed to checked runs: Hydra composes, pydantic checks each option, nothing else builds.

A YAML node names a dataclass by `_target_`; its fields are the options.

    (config,) = run_configs(["model=tiny-git", "data=demo", "limit=10"])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from evaluator.config.choices import with_single_choices
from evaluator.config.components import build_for_group, validated
from evaluator.config.compose import translated
from evaluator.config.identity import (
    IDENTITY_GROUPS,
    default_name,
    identity,
    shard_name,
    short_hash,
)
from evaluator.config.jobs import Job, composed_jobs
from evaluator.config.prompts import OwnPrompt, folder_part, prompt_label
from evaluator.config.secret_options import refuse_secrets, refuse_secrets_in
from evaluator.config.settings import Settings
from evaluator.core import Captioner, Dataset, Prompt, Runner, Scorer
from evaluator.core.errors import ConfigError, EvaluatorError, together
from evaluator.core.perturbation import Perturbation, perturbation_from

# Top-level keys that are component groups, or options of the runner, which conf/runner/ refers to.
NODES = (*IDENTITY_GROUPS, "scorer", "runner", "hydra", "cache", "budget_usd", "prices")


@dataclass(frozen=True)
class RunConfig:
    """One checked run: what to caption, with what, how to score it, and where it goes."""

    data: Dataset
    model: Captioner
    prompt: Prompt
    scorers: Mapping[str, Scorer]
    runner: Runner
    settings: Settings
    name: str
    choices: Mapping[str, str]  # what was chosen in each group
    identity: Mapping[str, Mapping[str, Any]]  # by group, the options that can change a caption
    document: Mapping[str, Any]  # config.yaml: every option written out
    perturbation: Perturbation | None = None  # of the pictures

    @property
    def folder(self) -> Path:
        return self.settings.runs / self.name

    def with_free_name(self) -> RunConfig:
        """The same run, which takes a hash into its name where its folder holds another run."""
        return replace(self, settings=replace(self.settings, name=None))


def run_configs(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    sweep: bool | None = False,
    *,
    prompts: Sequence[OwnPrompt] = (),
    for_model: Sequence[str] = (),
) -> list[RunConfig]:
    """The runs that some overrides ask for: one, or with `sweep` every combination of `a=1,2`.

    With `sweep=None` an experiment that sweeps by itself (hydra.sweeper.params) decides. `prompts` are texts
    to take instead of `prompt=`, and `for_model` holds options of single models, as "gemini:prompt=detailed".
    Raises ConfigError with everything that is wrong in any of the runs.
    """
    from omegaconf.errors import OmegaConfBaseException

    refuse_secrets([*overrides, *for_model])  # first, since other errors repeat what was typed
    configs: list[RunConfig] = []
    problems: list[tuple[str, EvaluatorError]] = []
    try:
        for job in composed_jobs(overrides, config_dir, sweep, prompts, for_model):
            try:
                configs.append(build_run_config(job))
            except ConfigError as error:
                problems.append((job.model[0], error))
    except OmegaConfBaseException as error:
        raise translated(error) from error
    if problems:
        raise together(problems)
    return distinct(configs)


def distinct(configs: Sequence[RunConfig]) -> list[RunConfig]:
    """Each run once. Raises ConfigError where different runs would share a folder."""
    by_name: dict[str, RunConfig] = {}
    for config in configs:
        if by_name.setdefault(config.name, config).document != config.document:
            raise ConfigError(
                f"name: several runs of this sweep would share the folder {config.name!r}. "
                "Leave name out, or make it differ: 'name=${hydra:runtime.choices.model}'"
            )
    return list(by_name.values())


def sweep_folder(configs: Sequence[RunConfig]) -> Path:
    """Where the comparison of these runs goes: sweep=NAME, else the experiment's name, else a hash."""
    first = configs[0]
    hashed = f"sweep-{short_hash(sorted(config.name for config in configs))}"
    return first.settings.runs / (first.settings.sweep or first.choices.get("experiment") or hashed)


def build_run_config(job: Job) -> RunConfig:
    """Build every component and name the run. Raises ConfigError."""
    from omegaconf import OmegaConf

    composed, root = job.composed, job.composed.node
    # Before the components: some of their options are these.
    settings = validated(Settings, {str(key): value for key, value in root.items() if key not in NODES}, "")
    for group in (*IDENTITY_GROUPS, "runner"):
        if root.get(group) is None:
            raise ConfigError(
                f"{group}: nothing is chosen. Type {group}=...; `evaluator list` shows the choices"
            )
    options = {group: composed.group(group) for group in (*IDENTITY_GROUPS, "runner")}
    perturbation = perturbation_from(options["data"].pop("perturb", None))
    components = {group: build_for_group(node, group, group) for group, node in options.items()}
    identities = {group: identity(components[group]) for group in IDENTITY_GROUPS}
    named = dict(composed.choices)
    if perturbation:
        identities["data"]["perturb"] = str(perturbation)
        named["data"] += f"+{perturbation}"
    choices = {
        **named,
        "prompt": prompt_label(composed.choices["prompt"], components["prompt"], job.overrides),
    }
    name = settings.name and "-".join([settings.name, *shard_name(settings)])
    name = name or default_name(
        {**named, "prompt": folder_part(composed.choices["prompt"], choices["prompt"])},
        identities,
        options,
        composed.defaults,
        settings,
    )
    document: dict[str, Any] = dict(OmegaConf.to_container(root))  # type: ignore[arg-type]
    del document["hydra"]
    written = {
        group: {option.name: getattr(component, option.name) for option in fields(component)}
        for group, component in components.items()
    }
    refuse_secrets_in([document, written, choices, name], components["model"])
    return RunConfig(
        data=components["data"],
        model=components["model"],
        prompt=components["prompt"],
        scorers=build_scorers(composed.group("scorer") or {}, composed.config_dir),
        runner=components["runner"],
        settings=settings,
        name=name,
        choices=choices,
        identity=identities,
        document=document,
        perturbation=perturbation,
    )


def build_scorers(nodes: Mapping[str, Any], config_dir: Path | None = None) -> dict[str, Scorer]:
    """The scorers by their names; one that is set to null is left out.

    A list of choices, as of a judge's models, makes one scorer of each. Raises ConfigError.
    """
    if "_target_" in nodes:
        raise ConfigError(
            f"scorer: the YAML of {nodes['_target_']} does not give the scorer a name. "
            "Make '# @package scorer.NAME' its first line, as in conf/scorer/"
        )
    scorers = {
        each: build_for_group(one, f"scorer.{name}", "scorer")
        for name, node in nodes.items()
        if node
        for each, one in with_single_choices(name, node, config_dir)
    }
    names = [metric for scorer in scorers.values() for metric in scorer.names]
    if twice := next((metric for metric in names if names.count(metric) > 1), None):
        raise ConfigError(f"scorer: two of them give {twice}. Type scorer.NAME.name=... for one of them")
    return scorers
