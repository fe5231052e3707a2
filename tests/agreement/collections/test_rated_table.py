"""Collections that are tables: Polaris, Nebula, LongCap-Arena, Composite, and one's own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.agreement.collections import read_collection
from evaluator.core.errors import ConfigError, DataError

POLARIS = (
    'imgid,refs,mt,score\na.jpg,"[\'a dog runs\', \'a puppy\']",a dog,0.75\nb.jpg,"[""a bus""]",a cat,0\n'
)


def test_the_published_csv_forms(tmp_path: Path) -> None:
    for name, file in (
        ("polaris", "polaris_test.csv"),
        ("nebula", "nebula_test.csv"),
        ("composite", "en_test_composite_da2.csv"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / file).write_text(POLARIS)
        collection = read_collection(f"{name}={folder}")
        assert collection.name == name
        first, second = collection.judged
        assert (first.image, first.caption, first.ratings) == ("a.jpg", "a dog", (0.75,))
        assert (first.references, second.references) == (("a dog runs", "a puppy"), ("a bus",))
        assert ("CIDEr", "kendall_tau_c") in (collection.published or {})


def test_the_published_parquet_form_without_reading_its_pictures(tmp_path: Path) -> None:
    table = pa.table(
        {
            "refs": [["a dog runs"], ["a bus", "a red bus"]],
            "cand": ["a dog", "a cat"],
            "img": [{"bytes": b"no picture", "path": None}, {"bytes": b"no picture", "path": None}],
            "human_score": [0.5, 0.25],
        }
    )
    pq.write_table(table, tmp_path / "test-00000-of-00001.parquet")
    collection = read_collection(f"polaris={tmp_path}")
    assert [one.ratings for one in collection.judged] == [(0.5,), (0.25,)]
    assert collection.images == 2


def test_longcap_arenas_files_are_collections_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "desc_dci_val.csv"
    file.write_text("file_name,refs,cand,score\na.jpg,\"['a long text']\",a longer text,3\n")
    assert read_collection(f"longcap-arena={file}").name == "longcap-arena-testa-desc"
    with pytest.raises(DataError, match=r"type the file of one question"):
        read_collection(f"longcap-arena={tmp_path}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "mine.csv",
            "image,caption,rating,rater\na.jpg,a dog,4,anna\na.jpg,a dog,3,ben\nb.jpg,a bus,1,anna\n",
        ),
        ("mine.tsv", "image\tcaption\trating\na.jpg\ta dog\t4\na.jpg\ta dog\t3\nb.jpg\ta bus\t1\n"),
        (
            "mine.jsonl",
            '{"image": "a.jpg", "caption": "a dog", "rating": 4}\n{"image": "a.jpg", "caption": "a dog", '
            '"rating": 3}\n{"image": "b.jpg", "caption": "a bus", "rating": 1}\n',
        ),
    ],
)
def test_a_table_of_ones_own(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    collection = read_collection(f"table={tmp_path / name}")
    assert collection.name == "mine"
    assert [(one.image, one.ratings) for one in collection.judged] == [
        ("a.jpg", (4.0, 3.0)),
        ("b.jpg", (1.0,)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,caption\na,b\n", r"no column for the rating \(human_score or rating or score\)"),
        ("image,caption,rating\na,b,good\n", "row 1: expected a rating, found 'good'"),
        ("image,caption,rating\na,b,nan\n", "row 1: expected a rating"),
        ("image,caption,rating,refs\na,b,1,\"{'a': 1}\"\n", "row 1: expected a list of references"),
        ("image,caption,rating\n", "holds no rows"),
    ],
)
def test_a_wrong_table_is_explained(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_collection(f"table={tmp_path / 'mine.csv'}")


@pytest.mark.parametrize("typed", ["flickr8k", "flickr=folder", "thumb="])
def test_an_unknown_collection_lists_those_that_exist(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"type NAME=PATH.*flickr8k-expert"):
        read_collection(typed)
