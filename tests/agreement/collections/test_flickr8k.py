"""Flickr8k-Expert and -CF: the real annotations give the published correlations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.agreement.collections.flickr8k import crowdflower, expert
from evaluator.agreement.judgements import StatisticName
from evaluator.agreement.trust import trust
from evaluator.core.errors import DataError

# Captions, and lines of both annotation files.
TOKENS = {
    "a.jpg#0": "a dog runs", "a.jpg#1": "a brown dog", "b.jpg#0": "a red bus", "b.jpg#1": "a bus",
}  # fmt: skip
EXPERT = (
    "a.jpg\ta.jpg#0\t4\t4\t4\na.jpg\tb.jpg#0\t1\t1\t2\nb.jpg\tb.jpg#1\t3\t4\t4\nb.jpg\ta.jpg#1\t1\t1\t1\n"
)
CROWD = "a.jpg\ta.jpg#0\t1\t3\t0\na.jpg\tb.jpg#0\t0\t0\t3\nb.jpg\ta.jpg#1\t0.25\t1\t3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokens = "".join(f"{name}\t{text}\n" for name, text in TOKENS.items())
    (tmp_path / "Flickr8k.token.txt").write_text(tokens)
    (tmp_path / "ExpertAnnotations.txt").write_text(EXPERT)
    (tmp_path / "CrowdFlowerAnnotations.txt").write_text(CROWD)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "known"), [("flickr8k-expert", "flickr8k-ex"), ("flickr8k-cf", "flickr8k-cf")]
)
def test_published_correlations_to_the_printed_digit(real_data: Path, name: str, known: str) -> None:
    statistics: list[StatisticName] = ["kendall_tau_b", "kendall_tau_c"]
    judgements = f"{name}={real_data / 'judgements' / 'flickr8k'}"
    [found] = trust(["BLEU", "ROUGE-L", "CIDEr"], judgements, statistics, resamples=2)
    published = json.loads((real_data / "judgements" / "published.json").read_text())[known]
    expected = {
        (metric, statistic): published[metric][statistic]
        for metric in ("BLEU-4", "ROUGE-L", "CIDEr")
        for statistic in statistics
    }
    rounded = {(one.metric, one.statistic): round(one.points, 1) for one in found.agreements}
    assert rounded | expected == rounded
    beside = {(one.metric, one.statistic): one.published for one in found.agreements}
    assert beside | expected == beside


def test_the_published_number_of_pairs(real_data: Path) -> None:
    folder = real_data / "judgements" / "flickr8k"
    collection = expert(folder)
    assert (len(collection.judged), collection.images) == (5664, 1000)
    assert {len(one.ratings) for one in collection.judged} == {3}
    collection = crowdflower(folder)
    assert (len(collection.judged), collection.images) == (47_830, 1000)


def test_own_captions_are_left_out_of_expert_and_of_the_references_of_cf(folder: Path) -> None:
    judged = expert(folder).judged
    assert [(one.image, one.caption, one.ratings) for one in judged] == [
        ("a.jpg", "a red bus", (1.0, 1.0, 2.0)),
        ("b.jpg", "a brown dog", (1.0, 1.0, 1.0)),
    ]
    assert judged[0].references == ("a dog runs", "a brown dog")
    crowd = crowdflower(folder).judged
    assert [(one.references, one.ratings, one.votes) for one in crowd] == [
        (("a brown dog",), (1.0,), (1.0, 1.0, 1.0)),
        (("a brown dog",), (0.0,), (0.0, 0.0, 0.0)),
        (("a red bus", "a bus"), (0.25,), (1.0, 0.0, 0.0, 0.0)),
    ]


def test_the_json_form_of_the_clipscore_repository(tmp_path: Path) -> None:
    judgements = [("a  red bus", 1.0), ("a dog runs", 4.0), ("a cat", float("nan"))]
    entry = {
        "image_path": "F/a.jpg",
        "ground_truth": ["a dog  runs", "a brown dog"],
        "human_judgement": [{"caption": text, "rating": rating} for text, rating in judgements],
    }
    (tmp_path / "flickr8k.json").write_text(json.dumps({"a": entry}))
    [one] = expert(tmp_path).judged
    assert one == expert(tmp_path / "flickr8k.json").judged[0]
    assert (one.image, one.caption, one.ratings, one.references[0]) == (
        "a",
        "a red bus",
        (1.0,),
        "a dog runs",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ExpertAnnotations.txt", "a.jpg\ta.jpg#0\t4\t4\n", "line 1: expected an image"),
        ("ExpertAnnotations.txt", "a.jpg\tc.jpg#0\t4\t4\t4\n", "line 1: 'c.jpg#0' is not in"),
        ("ExpertAnnotations.txt", "a.jpg\tb.jpg#0\t4\tfour\t4\n", "line 1: expected an image"),
        ("Flickr8k.token.txt", "a.jpg a dog\n", "line 1: expected IMAGE#NUMBER"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(DataError, match=message):
        expert(folder)


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Flickr8k.token.txt: there is no such file"):
        expert(tmp_path)
