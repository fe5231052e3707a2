"""Every option, version and signature is said, and what all runs share is said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluator.comparison.compare import compare
from evaluator.report.origins import Fact, origins, shared_facts, signatures

MakeRun = Callable[..., Path]


def manifest(beams: int, **other: Any) -> dict[str, Any]:
    return {
        "choices": {"data": "coco", "model": "git", "prompt": "photo"},
        "identity": {
            "data": {"kind": "coco", "images": "/srv/coco/val"},
            "model": {
                "kind": "git",
                "num_beams": beams,
                "revision": None,
                "fast": False,
            },
            "prompt": {"name": "photo", "text": "a photo of", "shots": []},
        },
        "versions": {"torch": "2.13.0"},
        "machine": "Linux x86_64",
        **other,
    }


def test_a_single_run_says_it_all(make_run: MakeRun) -> None:
    comparison = compare([make_run("run", {"1": "a"}, {"CIDEr": [0.5]}, **manifest(3))])
    assert shared_facts(comparison) == []
    ((label, facts, _),) = origins(comparison)
    assert label == "run"
    assert facts == [
        Fact("model", "choice", "git"),
        Fact("model", "kind", "git"),
        Fact("model", "num_beams", "3"),
        Fact("model", "fast", "false"),
        Fact("prompt", "choice", "photo"),
        Fact("prompt", "name", "photo"),
        Fact("prompt", "text", "a photo of"),
        Fact("data", "choice", "coco"),
        Fact("data", "kind", "coco"),
        Fact("data", "images", "…/val"),
        Fact("data", "image count", "1"),
        Fact("data", "digest", "d1"),
        Fact("environment", "machine", "Linux x86_64"),
        Fact("environment", "torch", "2.13.0"),
    ]


def test_what_runs_share_is_said_once(make_run: MakeRun) -> None:
    comparison = compare(
        [make_run(f"beams-{n}", {"1": "a"}, {"CIDEr": [0.5]}, **manifest(n)) for n in (1, 3)]
    )
    shared = shared_facts(comparison)
    assert Fact("prompt", "text", "a photo of") in shared
    assert [facts for _, facts, _ in origins(comparison)] == [
        [Fact("model", "num_beams", "1")],
        [Fact("model", "num_beams", "3")],
    ]


def test_an_empty_prompt_is_said(make_run: MakeRun) -> None:
    ((_, facts, _),) = origins(compare([make_run("run", {"1": "a"}, {"CIDEr": [0.5]})]))
    assert Fact("prompt", "text", "(empty)") in facts


def test_the_command_is_the_one_that_was_typed(make_run: MakeRun) -> None:
    typed = ["run", "model=git", "prompt.text='a photo'"]
    runs = [
        make_run("typed", {"1": "a"}, {"CIDEr": [0.5]}, **manifest(1, command=typed)),
        make_run("called", {"1": "a"}, {"CIDEr": [0.5]}, **manifest(1, command=["-q", "tests"])),
    ]
    assert [command for _, _, command in origins(compare(runs))] == [
        """evaluator run model=git 'prompt.text='"'"'a photo'"'"''""",
        "evaluator run data=coco model=git prompt=photo  # with the options of config.yaml",
    ]


def test_a_signature_names_its_runs_only_where_there_are_several(make_run: MakeRun) -> None:
    runs = [
        make_run("a", {"1": "a"}, {"BLEU-4": [0.5], "CIDEr": [0.5]}, signature="{metric}|n:4"),
        make_run("b", {"1": "a"}, {"CIDEr": [0.5]}, signature="{metric}|n:3"),
    ]
    assert signatures(compare(runs)) == [
        ("BLEU-4", "BLEU-4|n:4", []),
        ("CIDEr", "CIDEr|n:4", ["a"]),
        ("CIDEr", "CIDEr|n:3", ["b"]),
    ]
