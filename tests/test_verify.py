"""The known values are those of the original programs, and a metric that strays is noticed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from subprocess import CompletedProcess

import pytest

from evaluator import verify as module
from evaluator.core import Item, Measurement
from evaluator.scorers.bleu import BLEU
from evaluator.verify import KNOWN, Check, verify


def test_every_number_agrees() -> None:
    checks = verify(["BLEU", "ROUGE-L", "CIDEr"])
    assert len(checks) == 6
    assert all(check.agrees for check in checks), checks


def test_the_known_values_are_the_original_programs() -> None:
    if shutil.which("java") is None:
        pytest.skip("there is no Java here: the original programs need it")
    for package in ("tokenizer.ptbtokenizer", "bleu.bleu", "rouge.rouge", "cider.cider", "meteor.meteor"):
        pytest.importorskip(f"pycocoevalcap.{package}")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    known = json.loads(KNOWN.read_bytes())
    said = {n: [{"caption": image["caption"]}] for n, image in enumerate(known["images"])}
    references = {
        n: [{"caption": text} for text in image["references"]] for n, image in enumerate(known["images"])
    }
    said, references = PTBTokenizer().tokenize(said), PTBTokenizer().tokenize(references)
    bleu, _ = Bleu(4).compute_score(references, said, verbose=0)
    meteor = Meteor()
    found = {f"BLEU-{n}": value for n, value in enumerate(bleu, 1)} | {
        "METEOR": meteor.compute_score(references, said)[0],
        "ROUGE-L": Rouge().compute_score(references, said)[0],
        "CIDEr": Cider().compute_score(references, said)[0],
    }
    meteor.meteor_p.stdin.close()
    meteor.meteor_p.wait()
    for stream in (meteor.meteor_p.stdout, meteor.meteor_p.stderr):
        stream.close()
    assert found == pytest.approx(known["expected"], abs=1e-12)


def test_a_metric_that_strays_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = BLEU.score

    def wrong(self: BLEU, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        return right(self, items, [caption.replace("dog", "cat") for caption in captions])

    monkeypatch.setattr(BLEU, "score", wrong)
    assert not any(check.agrees for check in verify(["BLEU"]))
    assert module.TOLERANCE < 1e-6


def test_what_cannot_be_computed_does_not_agree() -> None:
    check = Check("SPICE", 0.2, None, "no Java")
    assert check.difference is None
    assert not check.agrees


def test_the_command(command: Callable[..., CompletedProcess[str]]) -> None:
    done = command("verify-metrics")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["metric", "expected", "got", "difference"]
    assert {line.split()[0] for line in lines[1:8]} >= {"BLEU-4", "ROUGE-L", "CIDEr"}
