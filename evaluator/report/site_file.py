"""`site.yaml` in the folder of a site: what its owner writes about the site and about the systems.

title: Captions of our shop
description: Every captioner that we tried, on the same 500 photographs.
runs:
  git:                      # the name of the run
    description: fine-tuned on our captions
    licence: MIT
    size: 0.2B
    where: local
    link: https://example.com/git
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import TypedDict

from evaluator.core.errors import DataError
from evaluator.files.json_input import checked, read_text
from evaluator.report.page.frame import About

NAME = "site.yaml"
KEYS = ("title", "description", "runs")


@dataclass(frozen=True)
class SiteFile:
    """The file's content."""

    title: str = ""
    description: str = ""
    runs: Mapping[str, About] = field(default_factory=dict)


class _Site(TypedDict, total=False):
    title: str
    description: str
    runs: dict[str, dict[str, str]]


def read_site_file(site: Path) -> SiteFile:
    """What the owner wrote; empty where there is no such file. Raises DataError for another content."""
    import yaml

    path = site / NAME
    if not path.exists():
        return SiteFile()
    try:
        document = yaml.safe_load(read_text(path)) or {}
    except yaml.YAMLError as error:
        raise DataError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    found = checked(document, _Site, path)
    check_keys(document, KEYS, str(path))
    about = {}
    for name, facts in found.get("runs", {}).items():
        check_keys(facts, tuple(About.__dataclass_fields__), f"{path}: runs.{name}")
        about[name] = About(**facts)
        if (link := about[name].link) and not link.startswith(("https://", "http://")):
            raise DataError(
                f"{path}: runs.{name}.link: expected an address that begins with https://, found {link!r}"
            )
    return SiteFile(found.get("title", ""), found.get("description", ""), about)


def check_keys(document: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    if unknown := [key for key in document if key not in known]:
        raise DataError(f"{where}: there is no {unknown[0]!r} here: type one of {', '.join(known)}")
