from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.captions_files.reader import read_captions as read_captions_file
from evaluator.core.errors import DataError


def read_captions(path: Path) -> Mapping[str, str]:
    return read_captions_file(path).captions


def written(folder: Path, document: object) -> Path:
    path = folder / "captions.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_captions_by_image_id_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [{"image_id": 42, "caption": "b"}, {"image_id": "7", "caption": ""}, {"image_id": 9, "caption": "a"}],
    )
    assert list(read_captions(path).items()) == [("42", "b"), ("7", ""), ("9", "a")]


@pytest.mark.parametrize(
    "caption",
    [
        " both sides ",
        "two\nlines",
        "a\r\nb\rc",
        "a\u2028b\u2029c\x0b\x0c\x85",
        "nul \0 inside",
        "\U0001f415 a dog",
        "\ufeff",
        "word " * 10_000,
    ],
)
def test_the_text_is_kept_exactly(tmp_path: Path, caption: str) -> None:
    assert read_captions(written(tmp_path, [{"image_id": 1, "caption": caption}])) == {"1": caption}
    raw = json.dumps([{"image_id": 1, "caption": caption}], ensure_ascii=False)
    assert read_captions(written(tmp_path, raw)) == {"1": caption}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(captions=st.dictionaries(st.integers(), st.text(), min_size=1))
def test_what_is_written_is_read(tmp_path: Path, captions: dict[int, str]) -> None:
    document = [{"image_id": number, "caption": text} for number, text in captions.items()]
    expected = {str(number): text for number, text in captions.items()}
    assert read_captions(written(tmp_path, document)) == expected


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"version": 2, "status": "ok"}, ["expected a list", "an object with 'version'"]),
        ("3", ["expected a list", "found 3"]),
        ([], ["the file holds no captions"]),
        ([{"image_id": 1, "caption": "a"}, "a dog"], ["[1]", "'a dog'"]),
        ([{"image_id": 1}], ["no field holds captions", "The fields are 'image_id'", "--caption-field"]),
        ([{"caption": "a"}], ["no field holds the image's id", "The fields are 'caption'", "--id-field"]),
        ([{"image_id": 1, "caption": "a"}, {"image_id": 2}], ["[1]", "'caption' is missing"]),
        ([{"image_id": 1, "caption": "a"}, {"caption": "b"}], ["[1]", "'image_id' is missing"]),
        ([{"image_id": 1, "caption": "a"}, {"image_id": 2, "caption": None}], ["[1].caption", "found null"]),
        ([{"image_id": 1, "caption": "a"}, {"image_id": 2, "caption": 3}], ["[1].caption", "found 3"]),
        ([{"image_id": 1, "caption": "a"}, {"image_id": 1.5, "caption": "b"}], ["[1].image_id", "found 1.5"]),
        ([{"image_id": True, "caption": "a"}], ["[0].image_id", "found true"]),
        ([{"image_id": "", "caption": "a"}], ["[0].image_id"]),
        (
            [
                {"image_id": 7, "caption": "a"},
                {"image_id": 8, "caption": "b"},
                {"image_id": "8", "caption": "c"},
            ],
            ["[2]", "image 8", "[1]"],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, document: object, said: list[str]) -> None:
    path = written(tmp_path, document)
    with pytest.raises(DataError) as raised:
        read_captions(path)
    for words in (str(path), *said):
        assert words in str(raised.value)


def test_published_captions(real_data: Path) -> None:
    systems = real_data / "systems"
    assert len(read_captions(systems / "blip2_opt2.7b_coco_finetuned.json")) == 5_000
    assert len(read_captions(systems / "magic.json")) == 4_982
    zerocap = read_captions(systems / "zerocap.json")
    assert zerocap["391895"] == " rider on a road with a dog on a leash on a sunny day."


@pytest.mark.parametrize(
    "caption", [" both sides ", "two\nlines", "a\u2028b\x0b\x85", 'she said "no, thanks"', "", "\U0001f415"]
)
def test_json_lines_and_csv_hold_the_same(tmp_path: Path, caption: str) -> None:
    captions = {"42": caption, "x/7": "a dog"}
    lines = [
        json.dumps({"image_id": key, "caption": said}, ensure_ascii=False) for key, said in captions.items()
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    with (tmp_path / "a.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["model", "caption", "image_id"])
        writer.writeheader()
        writer.writerows({"model": "m", "image_id": key, "caption": said} for key, said in captions.items())
    assert read_captions(tmp_path / "a.jsonl") == captions
    assert read_captions(tmp_path / "a.csv") == captions


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"image_id": 1, "caption": "a"}\n{"image_id": 2,\n', "a.jsonl: line 2, column"),
        (
            "a.jsonl",
            '{"image_id": 1, "caption": "a"}\n\n{"image_id": 1, "caption": "b"}\n'
            '{"image_id": 2, "caption": "b"}\n',
            "already has another caption, at line 1",
        ),
        ("a.jsonl", '["a dog"]\n', "a.jsonl: [0]: expected an object"),
        ("a.csv", "image_id,caption\n1,a,b\n2\n", "a.csv: line 2: 3 cells for the 2 columns"),
        ("a.csv", "image_id,caption\n2\n", "a.csv: line 2: 'caption' is missing"),
        ("a.csv", "image_id,caption\n1,a\n1,b\n2,c\n", "image 1 already has another caption, at line 2"),
        ("a.csv", "", "the file is empty"),
    ],
)
def test_what_is_wrong_in_lines_and_rows(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as raised:
        read_captions(tmp_path / name)
    assert said in str(raised.value)
