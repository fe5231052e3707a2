"""Seconds to load and peak memory of a local model: measured, kept in the run folder, shown in tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.config.run_config import run_configs
from evaluator.core import DeviceUse, Item, Placement
from evaluator.core.errors import StoreError
from evaluator.evaluate import evaluate
from evaluator.report.text.comparison import as_csv, as_json, comparison_table
from evaluator.report.text.leaderboard import leaderboard_table
from evaluator.store.manifest import Environment, Manifest
from evaluator.store.run_folder import RunFolder

MANIFEST = Manifest(
    {"data": "coco", "model": "git", "prompt": "none"}, {"data": {}, "model": {}, "prompt": {}}, "d"
)
ON_CPU = Placement("cpu", "", "float32")
ON_GPU = DeviceUse(Placement("cuda:0", "NVIDIA H100", "bfloat16"), 3.5, 2_000_000_000)


def test_a_run_keeps_and_shows_what_its_model_took(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    options = ["model=tiny-git", "data=demo", "scorer=[bleu]", "resamples=10", f"runs={tmp_path}", "name=one"]
    (config,) = run_configs([*options, "limit=3"])
    evaluate(config)
    run = RunFolder(tmp_path / "one").load()
    (use,) = run.manifest.environment.devices
    assert use.placement == ON_CPU
    assert use.seconds_to_load > 0
    assert run.results.seconds_to_load == use.seconds_to_load
    assert run.results.peak_memory == use.peak_memory
    before = (tmp_path / "one" / "manifest.json").read_bytes()
    evaluate(config)  # makes no caption
    assert (tmp_path / "one" / "manifest.json").read_bytes() == before
    comparison = compare([run])
    for table in (comparison_table(comparison), leaderboard_table(comparison)):
        shown = dict(zip(table.headings, (cell.text for cell in table.rows[0]), strict=True))
        assert shown["load"] == f"{use.seconds_to_load:.1f} s"
        assert "memory" not in shown  # which is that of a GPU
    (document,) = json.loads(as_json(comparison))["runs"]
    assert (document["seconds_to_load"], document["peak_memory"]) == (use.seconds_to_load, use.peak_memory)
    assert "images_per_second,seconds_to_load,peak_memory,cost_usd" in as_csv(comparison)


def test_the_manifest_holds_the_devices_of_each_command(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    manifest = MANIFEST.in_environment(Environment(started="2026-01-01T00:00:00"))
    folder.begin(manifest, {}, [Item("1", None)])
    assert "devices" not in json.loads((folder.path / "manifest.json").read_text())  # as earlier versions
    first = manifest.on_devices((ON_GPU, ON_GPU))
    second = first.in_environment(Environment(started="2026-01-02T00:00:00"))
    for each, uses in ((first, 2), (second, 2), (second.on_devices((ON_GPU,)), 3)):
        folder.write_manifest(each)
        assert folder.load().manifest == each
        assert len(each.uses) == uses
    path = folder.path / "manifest.json"
    path.write_text(path.read_text().replace("2000000000", '"much"'))
    with pytest.raises(StoreError, match=r"manifest\.json is not what this program writes"):
        _ = folder.load().manifest
