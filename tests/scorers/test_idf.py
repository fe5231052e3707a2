"""Pinned document frequencies: a part of a data set is scored as within the whole."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.core.errors import ConfigError, DataError, MetricError
from evaluator.scorers.cider import CIDEr, cider
from evaluator.scorers.idf import find_table, make_table, read_table, table_path, write_table

Published = Callable[[str], tuple[list[Item], list[str]]]

texts = st.lists(st.sampled_from(["a", "cat", "dog", "on", "the", "mat", "red"]), max_size=9).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=4).map(tuple)), min_size=2, max_size=8
)
Corpus = list[tuple[str, tuple[str, ...]]]
THREE = (("a red cat",), ("a red bus", "the bus"), ("a dog",))


@given(corpora, st.sampled_from(["D", "plain"]))
def test_a_table_of_the_whole_gives_the_whole_its_own_scores(corpus: Corpus, variant: str) -> None:
    captions, references = zip(*corpus, strict=True)
    pinned = cider(captions, references, variant=variant, table=make_table(references, "all"))
    np.testing.assert_allclose(pinned, cider(captions, references, variant=variant), rtol=0, atol=1e-12)


@given(corpora, st.data())
def test_a_part_has_the_scores_that_it_has_within_the_whole(corpus: Corpus, data: st.DataObject) -> None:
    captions, references = zip(*corpus, strict=True)
    whole = cider(captions, references)
    part = data.draw(st.lists(st.sampled_from(range(len(corpus))), min_size=1, unique=True))
    pinned = cider(
        tuple(captions[index] for index in part),
        tuple(references[index] for index in part),
        table=make_table(references, "all"),
    )
    np.testing.assert_allclose(pinned, whole[part], rtol=0, atol=1e-12)


@given(corpora)
def test_the_order_of_the_images_does_not_change_a_table(corpus: Corpus) -> None:
    references = tuple(of_image for _, of_image in corpus)
    assert make_table(references, "one").digest == make_table(references[::-1], "two").digest


@given(corpora, st.booleans())
def test_a_table_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, in_a_new_folder: bool
) -> None:
    references = tuple(of_image for _, of_image in corpus)
    table = make_table(references, "né|1")
    path = tmp_path_factory.mktemp("tables") / ("new/t.json.gz" if in_a_new_folder else "t.json.gz")
    write_table(table, path)
    again = read_table(path)
    assert (again.name, again.images, again.frequencies) == (table.name, table.images, table.frequencies)
    assert again.label == table.label
    assert again.longest == 4
    assert list(path.parent.iterdir()) == [path]


def test_one_image_can_be_scored_with_a_table(tmp_path: Path) -> None:
    captions = ("a red cat", "a bus", "the red dog")
    write_table(make_table(THREE, "three"), tmp_path / "three.json.gz")
    item = Item("2", None, THREE[1])
    with pytest.raises(
        MetricError, match=r"evaluator idf REFERENCES --name NAME, then scorer\.cider\.idf=NAME"
    ):
        CIDEr().score([item], [captions[1]])
    (measurement,) = CIDEr(idf=str(tmp_path / "three.json.gz")).score([item], [captions[1]])
    assert measurement.value == pytest.approx(cider(captions, THREE)[1], abs=1e-12)
    digest = make_table(THREE, "three").digest
    assert f"|refs:2|idf:three-{digest[:8]}|images:1|" in measurement.signature


def test_a_table_is_found_by_its_name() -> None:
    write_table(make_table(THREE, "three"), table_path("three"))
    assert find_table("three") == table_path("three")
    assert CIDEr(idf="three").score([Item("1", None, ("a cat",))], ["a cat"])[0].value > 0


def test_a_table_in_the_cache_comes_before_one_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(make_table(THREE, "three"), table_path("three"))
    write_table(make_table(THREE[:2], "three"), Path("three.json.gz"))
    assert read_table(find_table("three")).images == 3
    assert read_table(find_table("./three.json.gz")).images == 2


FIRST_VERSION = Path(__file__).parents[1] / "first_version" / "three.npz"


def test_a_table_of_the_first_version_is_read_and_keeps_its_label() -> None:
    table = read_table(FIRST_VERSION)
    assert table.label == make_table(THREE, "three").label == "three-9fd9d190"
    assert (table.images, table.frequencies) == (3, ({"a": 3, "red": 2}, {"a red": 2}, {}, {}))


def test_a_table_of_the_first_version_is_found_by_its_name() -> None:
    shutil.copy(FIRST_VERSION, table_path("old").with_name("old.npz"))
    assert CIDEr(idf="old").score([Item("1", None, ("a cat",))], ["a cat"])[0].value > 0


def test_a_changed_table_of_the_first_version_is_an_error(tmp_path: Path) -> None:
    with np.load(FIRST_VERSION) as file:
        np.savez(tmp_path / "changed.npz", **{**file, "images": np.array(4)})
    with pytest.raises(ConfigError, match="its content is not what was written"):
        read_table(tmp_path / "changed.npz")


# The digests that version 0.1.0 gave to these references.
@pytest.mark.parametrize(
    ("references", "longest", "label"),
    [
        (THREE, 4, "x-9fd9d190"),
        (THREE, 2, "x-a6870d1d"),
        ((("a \ud800 1 1/2 cats on it",), ("a \ud800 1 1/2 cats on it ☺", "no")), 4, "x-bfc56627"),
        ((("",), (".",)), 4, "x-091dd06b"),
    ],
)
def test_the_label_of_a_table_is_that_of_the_first_version(
    references: tuple[tuple[str, ...], ...], longest: int, label: str
) -> None:
    assert make_table(references, "x", longest).label == label


def test_no_table_is_an_error_that_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"scorer\.cider\.idf: 'coco-val' is neither.*--name coco-val"):
        CIDEr(idf="coco-val")


@pytest.mark.parametrize("damage", ["torn", "foreign", "empty", "other arrays", "later format"])
def test_a_file_that_is_no_table_is_an_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "table.json.gz"
    write_table(make_table(THREE, "three"), path)
    content = path.read_bytes()
    if damage == "other arrays":
        with path.open("wb") as file:
            np.savez(file, numbers=np.arange(3))
    else:
        later = gzip.compress(b'{"format": 3}')
        contents = {
            "torn": content[: len(content) // 2],
            "foreign": b"{}",
            "empty": b"",
            "later format": later,
        }
        path.write_bytes(contents[damage])
    with pytest.raises(
        ConfigError, match=r"scorer\.cider\.idf: .*table\.json\.gz is not a table .*Make it again"
    ):
        CIDEr(idf=str(path)).score([Item("1", None, ("a cat",))], ["a cat"])


def test_a_table_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "table.json.gz"
    write_table(make_table(THREE, "three"), path)
    assert read_table(path).images == 3
    write_table(make_table((*THREE, ("a fourth image of more words",)), "four"), path)
    assert read_table(path).images == 4


def test_a_table_of_shorter_ngrams_is_not_enough(tmp_path: Path) -> None:
    write_table(make_table(THREE, "short", longest=2), tmp_path / "short.json.gz")
    items = [Item(str(index), None, of_image) for index, of_image in enumerate(THREE)]
    with pytest.raises(MetricError, match=r"type scorer\.cider\.n=2"):
        CIDEr(idf=str(tmp_path / "short.json.gz")).score(items, ["a", "b", "c"])
    (pinned,) = CIDEr(n=2, idf=str(tmp_path / "short.json.gz")).score(items, ["a red cat", "a bus", "dog"])
    (own,) = CIDEr(n=2).score(items, ["a red cat", "a bus", "dog"])
    assert pinned.per_image == pytest.approx(own.per_image, abs=1e-12)


def test_a_table_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_table(make_table(THREE, "three"), tmp_path / "file" / "table.json.gz")


def test_the_karpathy_test_split(published: Published, tmp_path: Path) -> None:
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    path = tmp_path / "karpathy-test.json.gz"
    write_table(make_table(tuple(item.references for item in items), "karpathy-test"), path)
    assert path.stat().st_size < 500_000
    (own,) = CIDEr().score(items, captions)
    (pinned,) = CIDEr(idf=str(path)).score(items, captions)
    np.testing.assert_allclose(pinned.per_image, own.per_image, rtol=0, atol=1e-12)
    (part,) = CIDEr(idf=str(path)).score(items[100:400], captions[100:400])
    np.testing.assert_allclose(part.per_image, own.per_image[100:400], rtol=0, atol=1e-12)
    (alone,) = CIDEr(idf=str(path)).score(items[:1], captions[:1])
    np.testing.assert_allclose(alone.per_image, own.per_image[:1], rtol=0, atol=1e-12)


def test_the_command_makes_a_table_that_the_next_command_finds(
    command: Callable[..., object], references: Callable[..., Path], tmp_path: Path
) -> None:
    given = references({1: ["a red cat"], 2: ["a red bus", "the bus"], 3: ["a dog"]})
    done = command("idf", given, "--name", "three")
    assert done.returncode == 0, done.stderr
    assert "3 images" in done.stdout
    assert "scorer.cider.idf=three" in done.stdout
    (tmp_path / "captions.json").write_text(json.dumps([{"image_id": 1, "caption": "a red dog"}]))
    done = command(
        *("score", "captions.json", "--references", given, "--output", "run"),
        *("--scorer", "cider", "scorer.cider.idf=three"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (score,) = json.loads((tmp_path / "run" / "scores.json").read_text())["scores"].items()
    assert score[0] == "CIDEr"
    expected = cider(("a red dog", "", ""), THREE)[0]
    assert score[1]["value"] == pytest.approx(expected, abs=1e-12)
    assert f"idf:three-{make_table(THREE, '').digest[:8]}" in score[1]["signature"]


def test_the_command_writes_where_it_is_told(
    command: Callable[..., object], references: Callable[..., Path], tmp_path: Path
) -> None:
    done = command("idf", references({1: ["a red cat"], 2: ["a cat"]}), "--output", "tables/two.json.gz")
    assert done.returncode == 0, done.stderr
    assert read_table(tmp_path / "tables" / "two.json.gz").name == "two"
    assert "scorer.cider.idf=tables/two.json.gz" in done.stdout
