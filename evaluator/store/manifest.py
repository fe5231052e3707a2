"""manifest.json: what a run is a run of, and what it ran on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import DeviceUse
from evaluator.core.kinds import with_kind

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Environment:
    """What a command ran on and how it was typed. It holds no environment variable."""

    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    machine: str = ""
    command: tuple[str, ...] = ()
    started: str = ""  # ISO 8601
    devices: tuple[DeviceUse, ...] = ()  # of a local model, one per process; earlier versions have none


@dataclass(frozen=True)
class Manifest:
    """What was asked for, and the environments that captions were made in."""

    choices: Mapping[str, str]  # the choice of each group: data, model, prompt
    identity: Mapping[str, Mapping[str, Any]]  # by group, every option that can change a caption
    dataset_digest: str  # of ids and references
    name: str = ""
    images: int | None = None
    dataset: str = ""  # what the data set is called, by its content or its file; empty in older runs
    source: Mapping[str, str] = field(
        default_factory=dict
    )  # of the hub: the data set's revision and fingerprint
    environment: Environment = Environment()  # of the first command that made captions
    resumed: tuple[Environment, ...] = ()  # of each later one

    def in_environment(self, environment: Environment) -> Manifest:
        """With one more command that made captions."""
        if not self.environment.started:
            return replace(self, environment=environment)
        return replace(self, resumed=(*self.resumed, environment))

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Of every command that made captions."""
        return (self.environment, *self.resumed)

    @property
    def uses(self) -> tuple[DeviceUse, ...]:
        """What a local model took of its devices, in all commands."""
        return tuple(use for environment in self.environments for use in environment.devices)

    def on_devices(self, devices: tuple[DeviceUse, ...]) -> Manifest:
        """With what the last command's model took of its devices."""
        if not self.resumed:
            return replace(self, environment=replace(self.environment, devices=devices))
        *earlier, last = self.resumed
        return replace(self, resumed=(*earlier, replace(last, devices=devices)))

    def changed_options(self, other: Manifest) -> list[tuple[str, Any, Any]]:
        """Each option that differs: its full name, its value here, its value in the other."""
        return [
            (f"{group}.{option}", here.get(option), there.get(option))
            for group in IDENTITY_GROUPS
            for here, there in [(self.identity.get(group, {}), other.identity.get(group, {}))]
            for option in sorted(here.keys() | there.keys())
            if here.get(option) != there.get(option)
        ]


def manifest_to_json(manifest: Manifest) -> dict[str, Any]:
    """The file's document: the first environment's entries stand beside the others."""
    document = asdict(manifest)
    environment = document.pop("environment")
    for each in (environment, *document["resumed"]):
        if not each["devices"]:
            del each["devices"]
    for unused in ("resumed", "source"):
        if not document[unused]:
            del document[unused]
    return {"format_version": FORMAT_VERSION, **document, **environment}


def manifest_from_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Manifest, from a file of any version."""
    environment = {name: document[name] for name in Environment.__dataclass_fields__ if name in document}
    identity = document["identity"]
    if not isinstance(identity, Mapping) or not all(isinstance(each, Mapping) for each in identity.values()):
        raise ValueError("identity is not an object of objects")
    identity = {group: with_kind(options) for group, options in identity.items()}
    if not isinstance(identity.get("prompt", {}).get("name", ""), str):
        raise ValueError("the prompt's name is not a text")
    return {**document, "identity": identity, "environment": environment}
