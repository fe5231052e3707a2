"""From what is typed to checked runs: Hydra composes, pydantic checks each option, nothing else builds.

A YAML node names a dataclass by `_target_`; its fields are the options.

    (config,) = run_configs(["model=tiny-git", "data=demo", "limit=10"])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.config.components import build_for_group, validated
from evaluator.config.compose import Composed, compose, sweep_jobs, translated
from evaluator.config.identity import IDENTITY_GROUPS, default_name, identity, short_hash
from evaluator.config.settings import Settings
from evaluator.core import Captioner, Dataset, Prompt, Runner, Scorer
from evaluator.core.errors import ConfigError

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

    @property
    def folder(self) -> Path:
        return self.settings.runs / self.name


def run_configs(
    overrides: Sequence[str], config_dir: Path | None = None, sweep: bool | None = False
) -> list[RunConfig]:
    """The runs that some overrides ask for: one, or with `sweep` every combination of `a=1,2`.

    With `sweep=None` an experiment that sweeps by itself (hydra.sweeper.params) decides. Raises ConfigError.
    """
    from omegaconf.errors import OmegaConfBaseException

    try:
        if sweep:
            composed = [compose(job, config_dir) for job in sweep_jobs(overrides, config_dir)]
        else:
            composed = [compose(overrides, config_dir)]
            if sweep is None and composed[0].swept:
                composed = [compose(job, config_dir) for job in sweep_jobs(overrides, config_dir)]
        configs = [build_run_config(one) for one in composed]
    except OmegaConfBaseException as error:
        raise translated(error) from error
    names = [config.name for config in configs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"name: several runs of this sweep would share the folder {repeated[0]!r}. "
            "Leave name out, or make it differ: 'name=${hydra:runtime.choices.model}'"
        )
    return configs


def sweep_folder(configs: Sequence[RunConfig]) -> Path:
    """Where the comparison of these runs goes: sweep=NAME, else the experiment's name, else a hash."""
    first = configs[0]
    hashed = f"sweep-{short_hash(sorted(config.name for config in configs))}"
    return first.settings.runs / (first.settings.sweep or first.choices.get("experiment") or hashed)


def build_run_config(composed: Composed) -> RunConfig:
    """Build every component and name the run. Raises ConfigError."""
    from omegaconf import OmegaConf

    root = composed.node
    # Before the components: some of their options are these.
    settings = validated(Settings, {str(key): value for key, value in root.items() if key not in NODES}, "")
    for group in (*IDENTITY_GROUPS, "runner"):
        if root.get(group) is None:
            raise ConfigError(
                f"{group}: nothing is chosen. Type {group}=...; `evaluator list` shows the choices"
            )
    options = {group: composed.group(group) for group in (*IDENTITY_GROUPS, "runner")}
    components = {group: build_for_group(node, group, group) for group, node in options.items()}
    identities = {group: identity(components[group]) for group in IDENTITY_GROUPS}
    name = settings.name or default_name(composed.choices, identities, options, composed.defaults)
    plain = OmegaConf.masked_copy(root, [str(key) for key in root if key != "hydra"])
    return RunConfig(
        data=components["data"],
        model=components["model"],
        prompt=components["prompt"],
        scorers=build_scorers(composed.group("scorer") or {}),
        runner=components["runner"],
        settings=settings,
        name=name,
        choices=composed.choices,
        identity=identities,
        document=dict(OmegaConf.to_container(plain)),  # type: ignore[arg-type]
    )


def build_scorers(nodes: Mapping[str, Any]) -> dict[str, Scorer]:
    """The scorers by their names; one that is set to null is left out."""
    if "_target_" in nodes:
        raise ConfigError(
            f"scorer: the YAML of {nodes['_target_']} does not give the scorer a name. "
            "Make '# @package scorer.NAME' its first line, as in conf/scorer/"
        )
    return {name: build_for_group(node, f"scorer.{name}", "scorer") for name, node in nodes.items() if node}
