"""From what is typed to checked components: Hydra composes, pydantic checks, nothing else builds.

A YAML node names a dataclass by `_target_`; its fields are the options. Composing asks Hydra for plain
nodes and leaves no folder behind; components.py builds from them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt

from evaluator.config.components import build, built, validated
from evaluator.core import Captioner, Dataset, Prompt, Runner, Scorer
from evaluator.core.errors import ConfigError
from evaluator.core.kinds import FIRST_CLASS_PATHS, kind_of, kind_of_class_path

if TYPE_CHECKING:
    from omegaconf import DictConfig

PACKAGE = Path(__file__).parents[1]
# In a wheel conf/ lies inside the package; in a checkout beside it.
CONF_DIR = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"

# The groups whose options decide what a caption says.
IDENTITY_GROUPS = ("data", "model", "prompt")
# What has a meaning within the single quotes of Hydra's grammar or to OmegaConf.
ESCAPES = {"'": "\\'", "${": "\\${", "": ""}
# An override whose value is a mapping, as model.extra_body={top_k: 1}: the names in it are its user's own.
MAPPING = re.compile(r"[\w.]+=\s*\{")
# Where the scorers of this package live today, by kind: a recorded run can name no other class.
SCORERS = {kind: path for kind, path in FIRST_CLASS_PATHS.items() if path.startswith("evaluator.scorers.")}
# Options of a recorded scorer that are not taken over: what it is, and whether weights may carry code.
NOT_RECORDED = ("_target_", "safetensors_only")
# What stands at the top of a composed node and is no option by itself.
NODES = (*IDENTITY_GROUPS, "scorer", "runner", "hydra")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of config.yaml that belong to no component."""

    runs: Path = Path("runs")
    name: str | None = None
    sweep: str | None = None
    limit: Annotated[int, Ge(1)] | None = None
    sample: Annotated[int, Ge(1)] | None = None
    sample_seed: Annotated[int, Ge(0)] = 0
    only_with_images: bool = False
    missing: Literal["leave_out", "empty"] = "leave_out"
    normalize: Literal["none", "strip_preamble", "first_sentence"] = "none"
    cache: Literal["off", "read", "refresh"] = "read"
    budget_usd: Annotated[float, Ge(0)] | None = None
    prices: Path | None = None
    resamples: Annotated[int, Ge(1)] = 1000
    confidence: Annotated[float, Gt(0), Lt(1)] = 0.95
    seed: Annotated[int, Ge(0)] = 0
    baseline: Path | None = None
    gates: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """One checked run: what to caption, with what, how to score it, and where it goes."""

    data: Dataset
    model: Captioner
    prompt: Prompt
    scorers: Mapping[str, Scorer]
    runner: Runner
    settings: Settings
    name: str
    choices: Mapping[str, str]
    identity: Mapping[str, Any]
    yaml: str

    @property
    def folder(self) -> Path:
        return self.settings.runs / self.name


@dataclasses.dataclass(frozen=True)
class Composed:
    """What Hydra made of one command: the node, the same without overrides of options, and the choices."""

    node: DictConfig
    defaults: DictConfig
    choices: Mapping[str, str]


def run_configs(
    overrides: Sequence[str], config_dir: Path | None = None, sweep: bool = False
) -> list[RunConfig]:
    """The runs that a command line asks for: one, or with `sweep` every combination."""
    from omegaconf.errors import OmegaConfBaseException

    jobs = sweep_jobs(overrides, config_dir) if sweep else [list(overrides)]
    try:
        configs = [checked(compose(job, config_dir)) for job in jobs]
    except OmegaConfBaseException as error:  # an interpolation is resolved when it is read
        raise ConfigError(_translated(error)) from error
    names = [config.name for config in configs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"name: several runs of this sweep would share the folder {repeated[0]!r}. "
            "Leave name out, or make it differ: 'name=${hydra:runtime.choices.model}'"
        )
    return configs


def sweep_folder(configs: Sequence[RunConfig]) -> Path:
    """Where the comparison of these runs goes: sweep=NAME, else the experiment's name, else a hash's."""
    first = configs[0]
    hashed = f"sweep-{short_hash(sorted(config.name for config in configs))}"
    return first.settings.runs / (first.settings.sweep or first.choices.get("experiment") or hashed)


def compose(overrides: Sequence[str], config_dir: Path | None = None) -> Composed:
    """Compose config.yaml, the groups in conf/ and `config_dir`, and the overrides."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    node = _hydra_compose(overrides, config_dir)
    choices = {group: choice for group, choice in node.hydra.runtime.choices.items() if "hydra" not in group}
    plain = [f"{group}={choices[group]}" for group in IDENTITY_GROUPS]
    defaults = _hydra_compose(plain, config_dir)
    HydraConfig.instance().set_config(node)  # what ${hydra:runtime.choices.model} refers to
    OmegaConf.set_struct(node, False)
    return Composed(node, defaults, choices)


def sweep_jobs(overrides: Sequence[str], config_dir: Path | None = None) -> list[list[str]]:
    """Every combination of `a=1,2` overrides, those of hydra.sweeper.params (an experiment's) first."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        typed = OverridesParser.create().parse_overrides(list(overrides))
        fixed = [
            line for line, override in zip(overrides, typed, strict=True) if not override.is_sweep_override()
        ]
        params: Mapping[str, str] = _hydra_compose(fixed, config_dir).hydra.sweeper.params or {}
        named = {str(override.get_key_element()) for override in typed}
        inherited = [f"{key}={value}" for key, value in params.items() if key not in named]
        swept = OverridesParser.create().parse_overrides([*inherited, *overrides])
        jobs: list[list[str]] = BasicSweeper.split_arguments(swept, max_batch_size=None)[0]
        return jobs
    except HydraException as error:
        raise ConfigError(_translated(error)) from error


def is_sweep(overrides: Sequence[str], config_dir: Path | None = None) -> bool:
    """Whether the experiment that is asked for is a sweep by itself (hydra.sweeper.params)."""
    return bool(_hydra_compose(overrides, config_dir).hydra.sweeper.params)


def checked(composed: Composed) -> RunConfig:
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
    components = {group: built(_plain(root, group), group, group) for group in (*IDENTITY_GROUPS, "runner")}
    nodes = _plain(root, "scorer") or {}
    if "_target_" in nodes:
        raise ConfigError(
            f"scorer: the YAML of {nodes['_target_']} does not say its place among the scorers. "
            "Make '# @package scorer.NAME' its first line, as in conf/scorer/"
        )
    scorers = {name: built(node, f"scorer.{name}", "scorer") for name, node in nodes.items() if node}
    return RunConfig(
        data=components["data"],
        model=components["model"],
        prompt=components["prompt"],
        scorers=scorers,
        runner=components["runner"],
        settings=settings,
        name=settings.name or default_name(composed, components),
        choices=composed.choices,
        identity={group: identity(components[group]) for group in IDENTITY_GROUPS},
        yaml=OmegaConf.to_yaml(OmegaConf.masked_copy(root, [str(key) for key in root if key != "hydra"])),
    )


def recorded_scorers(text: str) -> dict[str, Scorer]:
    """The scorers that a run's config.yaml names. Raises ConfigError for one that is not of this package.

    The file may be somebody else's: nothing of theirs is imported, of interpolations only paths within this
    package are resolved, and weights that can carry code stay refused.
    """
    import yaml

    try:
        scorer: dict[str, dict[str, Any] | None] = yaml.safe_load(text).get("scorer") or {}
        nodes = {name: node for name, node in scorer.items() if node and node["_target_"]}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"the run's config.yaml does not say how it was scored ({error!r}). "
            "Type --scorer NAME, or scorer=[...]"
        ) from error
    for name, node in nodes.items():
        if kind_of_class_path(node["_target_"]) not in SCORERS:
            raise ConfigError(
                f"scorer.{name}: the run was scored with {node['_target_']}, which is not of this package. "
                f"If you trust it, type scorer=[{','.join(nodes)}] with --config-dir"
            )
    return {
        name: build(
            {"_target_": SCORERS[kind_of_class_path(node["_target_"])]}
            | {option: _in_package(value) for option, value in node.items() if option not in NOT_RECORDED},
            f"scorer.{name}",
        )
        for name, node in nodes.items()
    }


def choices(config_dir: Path | None = None) -> dict[str, dict[str, str]]:
    """Each group's choices with the first comment line of their YAML, in `conf/` and `config_dir`."""
    found: dict[str, dict[str, str]] = {}
    for folder in filter(None, (CONF_DIR, config_dir)):
        for path in sorted(folder.glob("*/*.yaml")):
            lines = path.read_text(encoding="utf-8").splitlines()
            comments = (
                line.lstrip("# ") for line in lines if line.startswith("#") and "@package" not in line
            )
            found.setdefault(path.parent.name, {})[path.stem] = next(comments, "")
    return found


def identity(component: Any) -> dict[str, Any]:
    """The options that decide what is said: a file counts by its content, a path or a device not at all."""
    options: dict[str, Any] = {"kind": kind_of(component)}
    for field in dataclasses.fields(component):
        if field.metadata.get("identity", True):
            value = getattr(component, field.name)
            options[field.name] = _content_digest(value) if isinstance(value, Path) else value
    document: dict[str, Any] = json.loads(json.dumps(options, default=str))
    return document


def default_name(composed: Composed, components: Mapping[str, Any]) -> str:
    """data-model-prompt, with a short hash of the options that differ from their YAML's defaults."""
    choices = "-".join(composed.choices[group].replace("/", "-") for group in IDENTITY_GROUPS)
    changed = {}
    for group in IDENTITY_GROUPS:
        default, options = _plain(composed.defaults, group), identity(components[group])
        for option, value in _plain(composed.node, group).items():
            if option in options and value != default.get(option):
                changed[f"{group}.{option}"] = options[option]
    return f"{choices}-{short_hash(changed)}" if changed else choices


def quoted(value: Path | str) -> str:
    r"""A value as an override that is read back unchanged, whatever is in it.

    A backslash is doubled only where it would escape what follows: a quote, the end, an interpolation.

    >>> print(quoted("it's here"), quoted(r"C:\a"))
    'it\'s here' 'C:\a'
    """
    return "'" + re.sub(r"(\\*)('|\$\{|\Z)", lambda found: 2 * found[1] + ESCAPES[found[2]], str(value)) + "'"


def short_hash(document: Any) -> str:
    """Six hexadecimal digits that stand for `document`."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:6]


def package_path(path: str) -> str:
    """Where a file of this package lies: `${package:demo/models/git}` in YAML."""
    return str(PACKAGE / path)


def _in_package(value: Any) -> Any:
    if isinstance(value, str) and (found := re.fullmatch(r"\$\{package:([^${}]+)\}", value)):
        return package_path(found[1])
    return value


def _content_digest(path: Path) -> str:
    if path.is_file():
        with path.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    return str(path)


def _plain(root: DictConfig, group: str) -> Any:
    from omegaconf import DictConfig, OmegaConf

    node = root.get(group)
    return OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else node


def _hydra_compose(overrides: Sequence[str], config_dir: Path | None) -> DictConfig:
    import hydra
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    OmegaConf.register_new_resolver("package", package_path, replace=True)
    # Hydra takes no name that the YAML does not list, unless told to add it; `validated` checks them all.
    overrides = [f"+{override}" if MAPPING.match(override) else override for override in overrides]
    searched = [f"hydra.searchpath=[{quoted(f'file://{config_dir.absolute()}')}]"] if config_dir else []
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(CONF_DIR.absolute()), version_base="1.3"):
            return hydra.compose("config", [*searched, *overrides], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_translated(error)) from error
    except ValueError as error:  # Hydra's for `model=null` and the like
        raise ConfigError(
            f"{' '.join(overrides)}: {error}. `evaluator list` shows the choices of each group"
        ) from error


def _translated(error: Exception) -> str:
    """Hydra's message without its search path and its hints at what would not work here."""
    if unknown := re.search(r"Could not override '([^']+)'", str(error)):
        return f"{unknown[1]}: there is no such option. `evaluator list` shows the choices of each group"
    if choice := re.search(r"Could not (?:find|load) '([^'/]+)/([^']+)'", str(error)):
        return f"{choice[1]}: there is no {choice[2]!r}. `evaluator list {choice[1]}` shows what there is"
    if override := getattr(error, "override", None):
        return (
            f"cannot read {override}: type option=value, and a value with = , ' or \" in it inside "
            "quotes of its own: \"option='value'\""
        )
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    noise = ("Config search path", "Set the env", "full_key", "object_type", "See https://hydra.cc")
    stop = next((place for place, line in enumerate(lines) if line.strip().startswith(noise)), None)
    return "\n".join(lines[:stop])
