"""What the guides in docs/ say can be typed: every command, and every preset of the table."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import evaluator
from evaluator.config.components import build
from evaluator.config.compose import CONF_DIR
from tests.world import commands, typed

DOCS = Path(__file__).parents[1] / "docs"
DEMO = Path(evaluator.__file__).parent / "demo" / "data"
CLOUD = (DOCS / "cloud.md").read_text(encoding="utf-8")
RUNNING = (DOCS / "running.md").read_text(encoding="utf-8")
REPORTS = (DOCS / "reports.md").read_text(encoding="utf-8")


def evaluator_commands(page: str) -> list[str]:
    return [command for command in commands(page) if command.startswith("evaluator ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("guides")
    (made / "images").symlink_to(DEMO / "images")
    document = json.loads((DEMO / "captions.json").read_bytes())
    (made / "captions.json").write_text(json.dumps(document))
    shutil.copy(DEMO / "images" / document["images"][0]["file_name"], made / "photo.jpg")
    return made


LOCAL = [command for command in evaluator_commands(RUNNING) if "runner.devices" in command]
FORMATS = [each for each in evaluator_commands(RUNNING) if re.search("name=(exact|fast)|regress", each)]
REMOTE = [each for each in evaluator_commands(RUNNING) if each not in (*LOCAL, *FORMATS)]


@pytest.mark.parametrize("command", evaluator_commands(CLOUD) + REMOTE)
def test_every_command_works_or_names_the_key_that_it_needs(command: str, folder: Path) -> None:
    done = typed(command, folder)
    if command.startswith(("evaluator plan", "evaluator cache")):
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 2, done.stdout
    assert "GEMINI_API_KEY is not set" in done.stderr
    assert "https://aistudio.google.com/apikey" in done.stderr


def test_captions_that_16_bits_change_are_counted(folder: Path) -> None:
    *runs, regress = FORMATS
    for command in runs:
        done = typed(f"{command} limit=4 scorer=[cider]", folder)
        assert done.returncode == 0, done.stderr
    assert re.search(r"\((\d captions differ|both have the same captions)\)", typed(regress, folder).stdout)


def test_local_devices_work_or_are_named(folder: Path) -> None:
    gpus, processes = (typed(f"{command} limit=4 scorer=[bleu]", folder) for command in LOCAL)
    assert processes.returncode == 0, processes.stderr
    assert gpus.returncode in (0, 2)
    assert gpus.returncode == 0 or re.search("cuda:[01]", gpus.stderr)


def rows() -> list[tuple[str, str, str]]:
    """Each preset of the table with its package and its key."""
    found = re.findall(r"^\| (`[^|]*`) \|[^|]*\| ([^|]*) \| ([^|]*) \|$", CLOUD, flags=re.MULTILINE)
    return [
        (name, package, key) for names, package, key in found for name in re.findall(r"`([\w-]+)`", names)
    ]


def preset(name: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((CONF_DIR / "model" / f"{name}.yaml").read_text())
    return document


def test_every_preset_is_in_the_table() -> None:
    cloud = {path.stem for path in (CONF_DIR / "model").glob("*.yaml") if "key_variable" in preset(path.stem)}
    assert {name for name, _, _ in rows()} == cloud


@pytest.mark.parametrize("name", [name for name, _, _ in rows()])
def test_a_preset_is_what_the_table_says_of_it(name: str) -> None:
    packages, keys = ({row[0]: row[column] for row in rows()} for column in (1, 2))
    package, key = packages[name], keys[name]
    if key == "the same":
        key = keys["gemini"]
    asked = build({**preset(name), "model": "any"}, "model")
    assert package == f"`.[{asked.extra}]`"
    if asked.key_variable is None:
        assert key == "none"
        return
    assert key.startswith(f"`{asked.key_variable}`, [")
    assert key.endswith(f"({asked.key_page})")


@pytest.mark.parametrize("name", [name for name, _, _ in rows() if preset(name)["key_variable"]])
def test_without_a_key_a_preset_says_which_and_where(name: str, folder: Path) -> None:
    document = preset(name)
    chosen = "model.model=any" if document["model"] == "???" else ""
    done = typed(f"evaluator caption photo.jpg prompt=detailed model={name} {chosen}", folder)
    assert done.returncode == 2, done.stdout
    assert f"{document['key_variable']} is not set in the environment" in done.stderr
    assert document["key_page"] in done.stderr


@pytest.fixture(scope="module")
def folder_of_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the guide to reports names: four runs, and COCO's files, which are the demo's."""
    made = tmp_path_factory.mktemp("reports")
    (made / "val2017").symlink_to(DEMO / "images")
    for name in ("captions", "instances"):
        shutil.copy(DEMO / f"{name}.json", made / f"{name}_val2017.json")
    models = {"git": "tiny-git", "blip2": "tiny-blip2", "gemini": "tiny-blip", "new": "tiny-git"}
    for name, model in models.items():
        done = typed(f"evaluator run model={model} name={name} limit=12 scorer=[bleu,cider]", made)
        assert done.returncode == 0, done.stderr
    mark = {"run": "git", "image": "1", "mark": "good", "note": "", "caption": "a scene"}
    (made / "marks.jsonl").write_text(json.dumps(mark) + "\n")
    return made


def test_every_command_about_reports_works(folder_of_runs: Path) -> None:
    for command in evaluator_commands(REPORTS):
        # The hub is out of reach: a checkpoint of the package stands for git's.
        here = command.replace("model=git ", "model=tiny-git limit=12 scorer=[bleu,cider] ")
        done = typed(here, folder_of_runs)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (folder_of_runs / "report.html").is_file()
    assert (folder_of_runs / "leaderboard" / "new.html").is_file()
    (tagged,) = (folder_of_runs / "runs").glob("coco-*")
    first = json.loads((tagged / "items.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["tags"] == ["cross"]
