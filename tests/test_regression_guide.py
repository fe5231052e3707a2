"""docs/regression.md: every command is typed in its order, its gates are read, its YAML parses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from evaluator.comparison.gate import parse_gate
from tests.world import blocks, commands, make_world, typed

PAGE = (Path(__file__).parents[1] / "docs" / "regression.md").read_text(encoding="utf-8")
RUNS = ("coco-git-none", "coco-blip-none", "coco-blip2-none", "before", "after", "a", "b", "c")


def test_every_command_works(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    world = make_world(tmp_path, images=12)
    (world / "baselines").mkdir()
    for number, name in enumerate(RUNS):
        model = ("tiny-git", "tiny-blip", "tiny-blip2")[number % 3]
        done = typed(f"evaluator run model={model} name={name} limit=8 scorer=[bleu,cider]", world)
        assert done.returncode == 0, done.stderr
    for command in commands(PAGE):
        quick = command.replace("sample=500", "sample=8 scorer=[bleu,cider]").replace(
            "sweep model", "sweep scorer=[cider] model"
        )
        done = typed(quick, world)
        accepted = (0, 1) if "regress" in command else (0,)  # 1: a gate says that captions are worse
        assert done.returncode in accepted, f"{command}\n{done.stderr}"
    assert (world / "baselines" / "photo.zip").is_file()


def test_every_gate_of_the_table_is_one() -> None:
    (table,) = re.findall(r"^\| gate \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    gates = re.findall(r"`([^`]+)`", table)
    assert len(gates) == 8
    assert [parse_gate(gate).text for gate in gates] == gates


def test_the_workflow_and_the_hook_are_yaml() -> None:
    workflow, hook = (yaml.safe_load(block) for block in blocks(PAGE, "yaml"))
    steps = workflow["jobs"]["regression"]["steps"]
    assert any("evaluator regress" in step.get("run", "") for step in steps)
    assert hook[0]["hooks"][0]["entry"].startswith("evaluator run ")
