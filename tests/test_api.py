"""The metrics as a library: the same numbers as a run's, by id or by place, and what is wrong is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator import score
from evaluator.core.errors import ConfigError, DataError, MetricError
from evaluator.scorers.cider import CIDEr

REFERENCES = {"7": ["a cat on a mat"], "x": ["two dogs run", "dogs in a park"], "9": "a red bus"}
CAPTIONS = {"x": "two dogs", "7": "a cat"}


def test_ids_and_places_give_the_same() -> None:
    by_id = score(CAPTIONS, REFERENCES)
    by_place = score(["two dogs", "a cat"], [["two dogs run", "dogs in a park"], "a cat on a mat"])
    assert list(by_id) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
    for name, measurement in by_id.items():
        assert measurement.per_image.tolist() == by_place[name].per_image.tolist()


def test_metrics_by_name_or_with_options() -> None:
    assert list(score(CAPTIONS, REFERENCES, metrics=["rouge-l"])) == ["ROUGE-L"]
    measured = score(CAPTIONS, REFERENCES, metrics=[CIDEr(sigma=2)])
    assert "sigma:2" in measured["CIDEr"].signature


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_any_text_is_scored(captions: dict[str, str]) -> None:
    measured = score(
        captions, {key: ["a dog", "a cat on a mat"] for key in captions}, metrics=["BLEU", "ROUGE-L"]
    )
    assert all(len(measurement.per_image) == len(captions) for measurement in measured.values())


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="caption 'b' has no references"):
        score({"a": "a", "b": "b"}, {"a": ["a"]})
    with pytest.raises(DataError, match="put it in a list"):
        score("a dog", [["a dog"]])
    with pytest.raises(ConfigError, match=r"'BLUE' is not a metric\. Did you mean 'BLEU'"):
        score(["a"], [["a"]], metrics=["BLUE"])
    with pytest.raises(MetricError, match="two images or more"):
        score(["a"], [["a"]], metrics=["CIDEr"])


@pytest.mark.parametrize(
    ("captions", "references"),
    [
        ({"x": ["two dogs"], "7": ["a cat"]}, REFERENCES),
        ({"x": [{"caption": "two dogs"}], 7: {"caption": "a cat"}}, REFERENCES),
        (
            {"x": "two dogs", 7: "a cat"},
            {
                "x": [{"caption": "two dogs run"}, {"caption": "dogs in a park"}],
                7: [{"caption": "a cat on a mat"}],
            },
        ),
        (np.array(["two dogs", "a cat"]), [("two dogs run", "dogs in a park"), ["a cat on a mat"]]),
    ],
)
def test_other_shapes_of_the_same_captions_score_the_same(captions: Any, references: Any) -> None:
    expected = score(CAPTIONS, REFERENCES)["CIDEr"].per_image.tolist()
    assert score(captions, references)["CIDEr"].per_image.tolist() == expected


@pytest.mark.parametrize(
    ("captions", "references", "said"),
    [
        (["a dog", None], [["a dog runs"], ["x"]], "the caption of image '1': expected one text, found None"),
        ({"a": ["a dog", "a cat"]}, {"a": ["a"]}, "image 'a': expected one text, found a list of 2"),
        ({"a": 3}, {"a": ["a"]}, "image 'a': expected one text, found int '3'"),
        ({"a": "a"}, {"a": ["a", None]}, "the references of image 'a': expected texts, found None"),
        ({"a": "a"}, {"a": None}, "the references of image 'a': expected texts, found None"),
        ({"a": "a"}, {"a": [["a", "b"]]}, "expected texts, found a list of 2"),
        ({1: "a", "1": "b"}, {"1": ["a"]}, "captions: the image 1 is there twice"),
        (["a", "b", "c"], [["a", "b", "c"], ["d", "e", "f"]], r"transposed.*zip\(\*references\)"),
        (["a", "b"], [["a"]], "captions: 2, entries of references: 1; give one entry"),
        (["a"], {"0": ["a"]}, "both by image id, or both as lists"),
        (None, [["a"]], "captions: expected a dict by image id, or a list, found None"),
        ({"a", "b"}, [["a"], ["b"]], "captions: expected a dict by image id, or a list, found set"),
    ],
)
def test_what_is_no_caption_is_named(captions: Any, references: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        score(captions, references)


def test_published_captions(real_data: Path) -> None:
    """MAGIC's captions by a plain dict: the CIDEr of the reference program, over what is captioned."""
    document = json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())
    references: dict[str, list[str]] = {}
    for note in document["annotations"]:
        references.setdefault(str(note["image_id"]), []).append(note["caption"])
    lines = json.loads((real_data / "systems" / "magic.json").read_bytes())
    captions = {str(line["image_id"]): line["caption"] for line in lines}
    expected = json.loads((real_data / "systems" / "scores.json").read_bytes())
    assert score(captions, references)["CIDEr"].value == pytest.approx(
        expected["magic"]["recomputed_with_pycocoevalcap_1.2"]["CIDEr"], abs=1e-9
    )


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, evaluator; print(evaluator.__version__, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "False"
