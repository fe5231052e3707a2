"""The regression gate: what a gate says, and what the real command does with it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from evaluator.audit.style import audit
from evaluator.comparison.gate import DEFAULT_GATES, Verdict, best_of, parse_gate, regress
from evaluator.comparison.pairs import Resampling
from evaluator.core import Caption, Item, Outcome, Style
from evaluator.core.errors import ConfigError
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

Command = Callable[..., subprocess.CompletedProcess[str]]
MakeRun = Callable[..., Path]
HARD = np.random.default_rng(0).normal(1.0, 0.5, 400)
NOISE = np.random.default_rng(1).normal(0.0, 0.2, 400)


@pytest.fixture
def run(tmp_path: Path) -> MakeRun:
    """A scored run of 400 images; its CIDEr are these values."""

    def make(
        name: str,
        values: Sequence[float] = HARD,
        text: str = "a dog runs",
        signature: str = "CIDEr|n:4",
        digest: str = "d1",
        cost: float | None = None,
        failed: int = 0,
    ) -> Path:
        ids = [str(number) for number in range(len(values))]
        failures = {item_id: Caption(item_id, Outcome.ERROR, error="down") for item_id in ids[:failed]}
        captions = {item_id: f"{text} {item_id}" for item_id in ids}
        texts = [captions[item_id] for item_id in ids[failed:]]
        return scored_run(
            tmp_path / name,
            {**captions, **failures},
            {"CIDEr": list(values[failed:])},
            items=[Item(item_id, None, (f"reference of {item_id}",)) for item_id in ids],
            signature=signature,
            cost_usd=cost,
            style=audit(texts, [() for _ in texts]),
            dataset_digest=digest,
        )

    return make


def verdict_of(baseline: Path, candidate: Path, gate: str) -> tuple[Verdict, bool]:
    (check,) = regress(baseline, candidate, [parse_gate(gate)]).checks
    return check.verdict, check.met


@pytest.mark.parametrize(
    ("change", "gate", "verdict", "met"),
    [
        (NOISE * 0, "CIDEr>=-1.0", Verdict.HOLDS, True),
        (NOISE * 0, "CIDEr>=0", Verdict.HOLDS, True),
        (NOISE * 0, "CIDEr significant", Verdict.INCONCLUSIVE, False),
        (NOISE - 0.2, "CIDEr>=-1.0", Verdict.FAILS, False),
        (NOISE - 0.2, "CIDEr significant", Verdict.FAILS, False),
        (NOISE + 0.2, "cider significant", Verdict.HOLDS, True),
        (NOISE + 0.2, "CIDEr >= 10", Verdict.HOLDS, True),
        (NOISE + 0.2, "CIDEr<=10", Verdict.FAILS, False),
        (NOISE - NOISE.mean() - 0.005, "CIDEr>=-1.0", Verdict.INCONCLUSIVE, True),
        (NOISE - NOISE.mean() - 0.015, "CIDEr>=-1.0", Verdict.INCONCLUSIVE, False),
        (-0.02 * HARD, "CIDEr>=0.97x", Verdict.HOLDS, True),
        (-0.04 * HARD, "CIDEr>=0.97x", Verdict.FAILS, False),
    ],
)
def test_a_gate_holds_fails_or_is_open(
    run: MakeRun, change: np.ndarray, gate: str, verdict: Verdict, met: bool
) -> None:
    assert verdict_of(run("before"), run("after", HARD + change), gate) == (verdict, met)


def test_what_is_open_says_how_many_images_would_decide_it(run: MakeRun) -> None:
    change = NOISE - NOISE.mean() - 0.005
    (check,) = regress(run("before"), run("after", HARD + change), [parse_gate("CIDEr>=-1.0")]).checks
    # 0.5 points from the bound, with a standard error of one: (2.8 * 1 / 0.5) ** 2 times as many.
    assert check.images_needed == pytest.approx(400 * (2.8 * 0.2 / 20 / 0.005) ** 2, rel=0.25)
    assert check.difference is not None
    assert check.difference.images == 400


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [
        ("coverage>=0.99", Verdict.FAILS),
        ("coverage>=0.95", Verdict.HOLDS),
        ("words<=1.2x", Verdict.FAILS),
        ("words<=2x", Verdict.HOLDS),
        ("words<=6.5", Verdict.HOLDS),
        ("cost<=1.5x", Verdict.HOLDS),
        ("cost<0.02", Verdict.FAILS),
    ],
)
def test_gates_on_what_is_no_metric(run: MakeRun, gate: str, verdict: Verdict) -> None:
    before = run("before", cost=0.02)
    after = run("after", text="a big dog runs home", cost=0.025, failed=10)
    assert verdict_of(before, after, gate)[0] is verdict


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ("CIDEr", "is not a gate"),
        ("CIDEr >= many", "is not a gate"),
        ("", "is not a gate"),
    ],
)
def test_what_is_no_gate(gate: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_gate(gate)


def test_what_cannot_be_compared(run: MakeRun) -> None:
    before = run("before")
    for candidate, gate, reason in (
        (run("other data", digest="d2"), "CIDEr>=0", "different images or references"),
        (run("other recipe", signature="CIDEr|n:3"), "CIDEr>=0", "not in the same way"),
        (run("after"), "METEOR>=0", "They have CIDEr, coverage, words"),
        (run("free"), "cost<=2x", "has no cost"),
    ):
        with pytest.raises(ConfigError, match=reason):
            regress(before, candidate, [parse_gate(gate)])


def test_the_images_that_changed_most(run: MakeRun) -> None:
    change = np.zeros(400)
    change[[7, 8, 9]] = [-0.5, -0.9, 0.3]
    found = regress(run("before"), run("after", HARD + change, "a cat sits"), [parse_gate("CIDEr>=-1.0")])
    assert [image.item_id for image in found.worst] == ["8", "7"]
    (best,) = found.best
    assert (best.item_id, best.gain) == ("9", pytest.approx(30.0))
    assert (best.baseline, best.candidate) == ("a dog runs 9", "a cat sits 9")
    assert best.references == ("reference of 9",)


def test_runs_that_share_no_metric_can_be_gated_on_their_captions(run: MakeRun, tmp_path: Path) -> None:
    captions = {str(number): "a dog" for number in range(len(HARD))}
    items = [Item(item_id, None, (f"reference of {item_id}",)) for item_id in captions]
    other = scored_run(tmp_path / "b", captions, {"BLEU-4": list(HARD)}, items)
    regression = regress(run("a"), other, [parse_gate("coverage>=0.99")])
    assert regression.verdict is Verdict.HOLDS
    assert (regression.metric, regression.worst, regression.best) == (None, (), ())


def test_the_best_of_several_baselines(run: MakeRun) -> None:
    paths = [run("one"), run("two", HARD + 0.1), run("three", HARD - 0.1)]
    assert best_of(paths, [parse_gate("coverage>=0.99"), parse_gate("cider>=-1.0")]) == paths[1]
    assert best_of(paths[:1], []) == paths[0]


def test_a_baseline_in_a_file_is_the_run_itself(run: MakeRun, tmp_path: Path) -> None:
    before, after = run("before"), run("after", HARD + NOISE)
    RunFolder(before).export(tmp_path / "baseline.zip")
    from_folder, from_file = (
        regress(path, after, [parse_gate("CIDEr>=-1.0")], Resampling(resamples=200))
        for path in (before, tmp_path / "baseline.zip")
    )
    assert from_file.checks == from_folder.checks
    assert from_file.worst == from_folder.worst


# --- the command -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "arguments", "code"),
    [
        (0.0, [], 0),
        (-0.2, [], 1),
        (-0.2, ["--gate", "CIDEr>=-30"], 0),
        (0.0, ["--gate", "CIDEr significant"], 1),
        (0.0, ["--gate", "no gate"], 2),
        (0.0, ["--gate", "METEOR>=0"], 2),
    ],
)
def test_exit_codes(run: MakeRun, command: Command, change: float, arguments: list[str], code: int) -> None:
    done = command("regress", run("before"), run("after", HARD + change), *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code < 2:
        first, *_ = done.stdout.splitlines()
        assert first.startswith("after passes" if code == 0 else "after fails")


def test_what_is_open_passes_unless_strict(run: MakeRun, command: Command) -> None:
    before, after = run("before"), run("after", HARD + NOISE - NOISE.mean() - 0.005)
    done = command("regress", before, after)
    assert done.returncode == 0
    assert "inconclusive" in done.stdout.splitlines()[0]
    assert "images would decide it" in done.stdout
    assert command("regress", before, after, "--strict").returncode == 1


def test_a_run_that_is_not_finished_exits_with_3(run: MakeRun, command: Command) -> None:
    done = command("regress", run("before"), run("after", failed=3), "--gate", "coverage>=0.5")
    assert done.returncode == 3
    assert "3 of 400 images have no caption" in done.stderr


def test_one_run_is_a_mistake(run: MakeRun, command: Command) -> None:
    done = command("regress", run("before"))
    assert done.returncode == 2
    assert "a baseline and a candidate" in done.stderr


def test_gates_in_a_file(run: MakeRun, tmp_path: Path, command: Command) -> None:
    (tmp_path / "gates.yaml").write_text("- CIDEr>=-1.0\n- coverage>=0.99\n- words<=1.2x\n")
    before, after = run("before"), run("after", text="a very very big dog runs")
    done = command("regress", before, after, "--gates", "gates.yaml")
    assert done.returncode == 1
    assert " captions differ): words<=1.2x" in done.stdout
    (tmp_path / "gates.yaml").write_text("CIDEr: -1\n")
    done = command("regress", before, after, "--gates", "gates.yaml")
    assert done.returncode == 2
    assert "is not a list of gates" in done.stderr


def test_every_form_of_the_report(run: MakeRun, tmp_path: Path, command: Command) -> None:
    before = run("before", text="a <b>dog</b> | runs\n\n# x")
    after = run("after", HARD + NOISE - 0.1)
    files = {"--junit": "junit.xml", "--markdown": "summary.md", "--json": "regression.json"}
    arguments = [part for pair in files.items() for part in pair]
    done = command("regress", before, after, "--gate", "CIDEr>=-1", "--gate", "coverage>=0.9", *arguments)
    assert done.returncode == 1
    schema = pytest.importorskip("xmlschema").XMLSchema(Path(__file__).with_name("junit.xsd"))
    schema.validate(tmp_path / "junit.xml")
    (suite,) = schema.to_dict(tmp_path / "junit.xml")["testsuite"]
    assert (suite["@tests"], suite["@failures"]) == (2, 1)
    assert [("failure" in case) for case in suite["testcase"]] == [True, False]
    summary = (tmp_path / "summary.md").read_text()
    assert re.match(r"\*\*after fails against before \(\d+ captions differ\): CIDEr>=-1\*\*", summary)
    assert "<b>" not in summary
    assert r"a &lt;b>dog&lt;/b> \| runs # x" in summary
    document = json.loads((tmp_path / "regression.json").read_text())
    assert (document["verdict"], document["images"], len(document["worst"])) == ("fails", 400, 10)
    assert [gate["met"] for gate in document["gates"]] == [False, True]
    assert document["gates"][0]["difference"]["p_value"] < 0.05


def test_a_baseline_file_by_its_command(run: MakeRun, tmp_path: Path, command: Command) -> None:
    done = command("baseline", run("before"), "--output", "kept.zip")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept.zip").stat().st_size < 50_000
    assert command("regress", "kept.zip", run("after")).returncode == 0
    assert command("compare", "kept.zip", run("also")).returncode == 0
    (tmp_path / "kept.zip").write_bytes((tmp_path / "kept.zip").read_bytes()[:-200])
    assert command("regress", "kept.zip", tmp_path / "after").returncode == 2


def test_run_and_gate_in_one(tmp_path: Path, command: Command) -> None:
    common = ["run", "model=tiny-git", "limit=8", "scorer=[bleu,cider]"]
    assert command(*common, "name=before").returncode == 0
    done = command(*common, "name=after", "baseline=runs/before", "gates=['CIDEr>=-1.0']")
    assert done.returncode == 0, done.stderr
    assert "every gate holds" in done.stdout
    worse = command(*common, "name=worse", "model.max_new_tokens=3", "baseline=runs/before")
    assert worse.returncode == 1, worse.stderr
    assert "fails against" in worse.stdout


LONG = Style(23.0, 23, 10.4, 10, 0.9, 0.0, 0.9, 0.0)


def test_no_gate_changes_its_metric_where_captions_are_long(tmp_path: Path) -> None:
    """CLIPScore leads the table; the default gates, and the best baseline for them, are still by CIDEr."""
    one, two, three = (
        scored_run(
            tmp_path / name, {"1": "a dog", "2": "a cat"}, {"CIDEr": [a, a], "CLIPScore": [b, b]}, style=LONG
        )
        for name, a, b in (("one", 0.2, 0.9), ("two", 0.3, 0.7), ("three", 0.25, 0.8))
    )
    gates = list(map(parse_gate, DEFAULT_GATES))
    assert best_of([one, two], gates) == two
    assert best_of([one, two], [parse_gate("coverage>=0.99")]) == one
    regression = regress(two, three, gates)
    assert regression.comparison.lead_metric == "CLIPScore"
    assert [check.difference.metric for check in regression.checks if check.difference] == ["CIDEr"]
    assert regression.metric == "CIDEr"
    assert regression.verdict is Verdict.FAILS
