"""Hydra composes what is typed into plain nodes. It leaves no folder behind and builds nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.config.layers import composed
from evaluator.config.secret_options import refuse_resolvers
from evaluator.config.yaml_files import reading_yaml
from evaluator.core.errors import ConfigError
from evaluator.core.spelling import did_you_mean

if TYPE_CHECKING:
    from omegaconf import DictConfig

PACKAGE = Path(__file__).parents[1]
# In a wheel conf/ lies inside the package; in a checkout beside it.
CONF_DIR = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"

# What has a meaning within the single quotes of Hydra's grammar or to OmegaConf.
ESCAPES = {"'": "\\'", "${": "\\${", "": ""}
# An override whose value is a mapping, as model.extra_body={top_k: 1}: its keys are the user's own.
MAPPING = re.compile(r"[\w.]+=\s*\{")
# What no YAML lists: an option of the model that a judge asks, and how pictures of any data set are changed.
OF_A_CHOICE = re.compile(r"scorer\.\w+\.options\.[\w.]+=|data\.perturb=")


@dataclass(frozen=True)
class Composed:
    """What Hydra made of one command: the node and the choice of each group."""

    node: DictConfig
    choices: Mapping[str, str]
    config_dir: Path | None

    def group(self, name: str) -> Any:
        """A group's options as plain values, interpolations resolved."""
        return _plain(self.node.get(name))

    @property
    def swept(self) -> Mapping[str, str]:
        """What the experiment sweeps over by itself: hydra.sweeper.params."""
        return self.node.hydra.sweeper.params or {}

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The identity groups without overrides of options."""
        if self.config_dir is None:  # no file of the user's own refers to another one
            return {group: composed_choice(group, self.choices[group]) for group in IDENTITY_GROUPS}
        plain = [f"{group}={self.choices[group]}" for group in IDENTITY_GROUPS]
        node = _hydra_compose(plain, self.config_dir)
        return {group: _plain(node.get(group)) for group in IDENTITY_GROUPS}


def compose(overrides: Sequence[str], config_dir: Path | None = None) -> Composed:
    """Compose config.yaml, the groups in conf/ and `config_dir`, and the overrides."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    node = _hydra_compose(overrides, config_dir)
    refuse_resolvers(OmegaConf.to_container(node, resolve=False))
    choices = {group: choice for group, choice in node.hydra.runtime.choices.items() if "hydra" not in group}
    HydraConfig.instance().set_config(node)  # what ${hydra:runtime.choices.model} refers to
    OmegaConf.set_struct(node, False)
    return Composed(node, choices, config_dir)


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


def choices(config_dir: Path | None = None) -> dict[str, dict[str, str]]:
    """Each group's choices with the first sentences of their YAML, in `conf/` and `config_dir`."""
    groups: dict[str, dict[str, str]] = {}
    for folder in filter(None, (CONF_DIR, config_dir)):
        for path in sorted(folder.glob("*/*.yaml")):
            with reading_yaml(path):
                lines = path.read_text(encoding="utf-8").splitlines()
            comments = [
                line.lstrip("# ") for line in lines if line.startswith("#") and "@package" not in line
            ]
            groups.setdefault(path.parent.name, {})[path.stem] = first_sentences(comments)
    return groups


def first_sentences(lines: list[str]) -> str:
    """The sentences that end on the first line, or else the first sentence.

    >>> first_sentences(["GIT-base (Wang et al. 2022). Greedy, as its", "authors evaluate."])
    'GIT-base (Wang et al. 2022).'
    >>> first_sentences(["A CLIP chooses a", "caption. It needs candidates."])
    'A CLIP chooses a caption.'
    """
    text = " ".join(lines)
    ends = [end.end() for end in re.finditer(r"(?<!\bal)\.(?=\s|$)", text)]
    on_first_line = [end for end in ends if end <= len(lines[0])] if lines else []
    return text[: on_first_line[-1] if on_first_line else min(ends, default=len(text))]


def choice_file(group: str, choice: str, config_dir: Path | None = None) -> Path:
    """The YAML file of a choice, in `config_dir` if it is there, else in `conf/`."""
    own = config_dir / group / f"{choice}.yaml" if config_dir else None
    return own if own and own.is_file() else CONF_DIR / group / f"{choice}.yaml"


def composed_choice(group: str, choice: str, config_dir: Path | None = None) -> dict[str, Any]:
    """The options of one choice, whatever is chosen elsewhere. Raises ConfigError where there is none.

    A file without a list of defaults is all that there is to it, and reading it takes a tenth of the time.
    """
    from omegaconf import OmegaConf

    path = choice_file(group, choice, config_dir)
    with reading_yaml(path):
        if path.is_file() and "defaults" not in (node := OmegaConf.load(path)):
            OmegaConf.register_new_resolver("package", package_path, replace=True)
            refuse_resolvers(OmegaConf.to_container(node, resolve=False))
            return dict(_plain(node))
    override = f"{group}={choice}" if group in IDENTITY_GROUPS else f"+{group}={choice}"
    try:
        return dict(_plain(_hydra_compose([override], config_dir).get(group)))
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("+")) from error


def quoted(value: Path | str) -> str:
    r"""A value as an override that is read back unchanged, whatever characters it holds.

    A backslash is doubled only where it would escape what follows: a quote, the end, an interpolation.

    >>> print(quoted("it's here"), quoted(r"C:\a"))
    'it\'s here' 'C:\a'
    """
    return "'" + re.sub(r"(\\*)('|\$\{|\Z)", lambda match: 2 * match[1] + ESCAPES[match[2]], str(value)) + "'"


def package_path(path: str) -> str:
    """Where a file of this package lies: `${package:demo/models/git}` in YAML."""
    return str(PACKAGE / path)


def translated(error: Exception) -> ConfigError:
    """An error of OmegaConf, which resolves an interpolation when it is read, as one of ours."""
    return ConfigError(_translated(error))


def _plain(node: Any) -> Any:
    from omegaconf import DictConfig, OmegaConf

    return OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else node


def _hydra_compose(overrides: Sequence[str], config_dir: Path | None) -> DictConfig:
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    OmegaConf.register_new_resolver("package", package_path, replace=True)
    # Hydra takes no name that the YAML does not list, unless told to add it; `validated` checks them all.
    overrides = [
        f"++{override}"
        if OF_A_CHOICE.match(override)
        else f"+{override}"
        if MAPPING.match(override)
        else override
        for override in overrides
    ]
    searched = [f"hydra.searchpath=[{quoted(f'file://{config_dir.absolute()}')}]"] if config_dir else []
    folders = [folder for folder in (CONF_DIR, config_dir) if folder]
    GlobalHydra.instance().clear()
    with reading_yaml(config_dir or CONF_DIR):
        try:
            return composed([*searched, *overrides], [folder.absolute() for folder in folders])
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_translated(error, config_dir)) from error
        except ValueError as error:  # Hydra's for `model=null` and the like
            raise ConfigError(
                f"{' '.join(overrides)}: {error}. `evaluator list` shows the choices of each group"
            ) from error


def _unknown_option(name: str, config_dir: Path | None) -> str:
    from evaluator.config.described import option_names

    known = option_names([folder for folder in (CONF_DIR, config_dir) if folder])
    if name in known and name.startswith("scorer."):
        scorer = name.split(".")[1]
        return f"{name}: {scorer} is not among the scorers. Type scorer=[...,{scorer}]"
    if name in known:
        group = name.split(".")[0]
        return f"{name}: this {group} has no such option. `evaluator list {group}/NAME` shows what it has"
    meant = did_you_mean(name, [*known, *choices(config_dir)])
    return (
        f"{name}: there is no such option.{meant} `evaluator list` shows the choices of each group, and "
        "`evaluator list model/git` the options of one of them"
    )


def own_data(path: Path) -> str:
    """What to type for a folder or file that was typed as a data set."""
    return f"data=folder data.images={path}" if path.is_dir() else f"data=coco data.annotations={path}"


def _translated(error: Exception, config_dir: Path | None = None) -> str:
    """Hydra's message without its search path and its hints at what would not work here."""
    if unknown := re.search(r"Could not override '([^']+)'", str(error)):
        return _unknown_option(unknown[1], config_dir)
    own = ". For a text of your own, type --prompt TEXT"
    if choice := re.search(r"Could not (?:find|load) '([^'/]+)/([^']+)'", str(error)):
        meant = did_you_mean(choice[2], choices(config_dir).get(choice[1], ()))
        hint = own if choice[1] == "prompt" else ""
        if choice[1] == "data" and Path(choice[2]).exists():
            hint = f". For pictures or a file of your own, type {own_data(Path(choice[2]))}"
        shown = f"`evaluator list {choice[1]}` shows the choices{hint}"
        return f"{choice[1]}: there is no {choice[2]!r}.{meant} {shown}"
    if several := re.search(r"Ambiguous value for argument '(.*)'", str(error)):
        if several[1].startswith("prompt="):
            return f"{several[1]}: several prompts need -m{own}"
        return f"{several[1]}: several values need -m; one value with a comma needs quotes of its own"
    if override := getattr(error, "override", None):
        if override.startswith("prompt="):
            return f"{override}: `evaluator list prompt` shows the choices{own}"
        if group := next((group for group, names in choices(config_dir).items() if override in names), None):
            return f"cannot read {override}. Did you mean {group}={override}?"
        return (
            f"cannot read {override}: type option=value, and a value with = , ' or \" in it inside "
            "quotes of its own: \"option='value'\""
        )
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    noise = ("Config search path", "Set the env", "full_key", "object_type", "See https://hydra.cc")
    stop = next((index for index, line in enumerate(lines) if line.strip().startswith(noise)), None)
    return "\n".join(lines[:stop])
