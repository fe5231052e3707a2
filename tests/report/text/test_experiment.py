"""A sweep read as an experiment, in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from evaluator.comparison.compare import compare
from evaluator.report.text.experiment import markdown

MakeRun = Callable[..., Path]
CAPTIONS = {str(number): "a dog" for number in range(30)}


def test_effects_are_a_table_and_contests_a_list(make_run: MakeRun) -> None:
    scores = {("git", "none"): 0.5, ("git", "short"): 0.7, ("blip", "none"): 0.2, ("blip", "short"): 0.4}
    runs = [
        make_run(
            f"{model}-{prompt}",
            CAPTIONS,
            {"CIDEr": [score] * 30},
            choices={"data": "pets", "model": model, "prompt": prompt},
        )
        for (model, prompt), score in scores.items()
    ]
    assert markdown(compare(runs)).splitlines() == [
        "| factor | choice | mean CIDEr | effect | runs |",
        "| --- | --- | ---: | ---: | ---: |",
        "| model | git | 60.0 | +15.0 | 2 |",
        "| model | blip | 30.0 | -15.0 | 2 |",
        "| prompt | short | 55.0 | +10.0 | 2 |",
        "| prompt | none | 35.0 | -10.0 | 2 |",
        "",
        "- git beats blip under 2 of 2 conditions, significantly under 2",
        "- short beats none under 2 of 2 conditions, significantly under 2",
    ]


def test_nothing_was_varied(make_run: MakeRun) -> None:
    assert markdown(compare([make_run("run", CAPTIONS, {"CIDEr": [0.5] * 30})])) == ""
