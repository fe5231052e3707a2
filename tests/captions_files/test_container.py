"""What the bytes of a file are is found out from the bytes: each kind is read, or named with what to type."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evaluator.captions_files.reader import read_captions
from evaluator.core.errors import DataError
from evaluator.data.coco import COCO

ROWS = [{"image_id": 1, "caption": "a café"}, {"image_id": 2, "caption": "two kids"}]
CAPTIONS = {"1": "a café", "2": "two kids"}
DOCUMENT = json.dumps(ROWS, ensure_ascii=False)
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
TABLE = "image_id,caption\n1,a café\n2,two kids\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def archive(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(member, DOCUMENT)
    return buffer.getvalue()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def workbook(*sheets: list[list[Any]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("a.json", DOCUMENT, None),
        ("a.jsonl", LINES, None),
        ("a.csv", TABLE, None),
        ("a.json", LINES, "read as JSON Lines"),
        ("a.txt", LINES, None),
        ("a.jsonl", DOCUMENT, None),
        ("a.csv", DOCUMENT, None),
        ("a.jsonl", json.dumps({"annotations": ROWS}, indent=1), "(the entries of 'annotations')"),
        ("a.json", json.dumps({"model": "m", "predictions": CAPTIONS}), "(a mapping by id)"),
        ("a.json", json.dumps(CAPTIONS), "(a mapping by id)"),
        ("a.json", json.dumps({"1": [{"caption": "a café"}], "2": [{"caption": "two kids"}]}), "mapping"),
        ("a.json", json.dumps(list(CAPTIONS.items())), "(a list of pairs)"),
        (
            "a.json",
            json.dumps({"rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)]}),
            "viewer",
        ),
        ("a.json", DOCUMENT.encode("utf-16"), "UTF-16"),
        ("a.json", DOCUMENT.encode("utf-16-le"), "UTF-16-LE"),
        ("a.csv", TABLE.replace(",", "\t").encode("utf-16"), "UTF-16, a table with tabs"),
        ("a.csv", b"\xef\xbb\xbf" + TABLE.encode(), None),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0), "gzip, CSV"),
        ("a.tsv", TABLE.replace(",", "\t"), "a table with tabs"),
        ("a.csv", TABLE.replace(",", ";"), "CSV with ;"),
        ("a.csv", TABLE.replace(",", " | "), "CSV with |"),
        ("a.csv", "image_id,caption,\n1,a café,\n,,\n\n2,two kids,\n", None),
        ("a.csv", "Image ID,Generated-Caption\n1,a café\n2,two kids\n", "'Generated-Caption' the caption"),
        ("a.tsv", "1\ta café\n2\ttwo kids\n", "there is no header"),
    ],
)
def test_a_container_is_read(tmp_path: Path, name: str, content: str | bytes, note: str | None) -> None:
    read = read_captions(written(tmp_path, name, content))
    assert {key: text.strip() for key, text in read.captions.items()} == CAPTIONS
    assert note is None or note in " ".join(read.notes) or read.notes == ()


def test_parquet_without_its_pictures(tmp_path: Path) -> None:
    rows = [row | {"image": {"bytes": b"\x89PNG", "path": "a.png"}, "raw": b"\xff"} for row in ROWS]
    assert read_captions(written(tmp_path, "a.parquet", parquet(rows))).captions == CAPTIONS


def test_an_empty_cell_of_vlmevalkit_is_a_failure(tmp_path: Path) -> None:
    header = ["index", "image_path", "answer", "question", "prediction"]
    rows = [[0, "a/1.jpg", "['a dog', 'a pet']", "?", "a dog"], [1, "a/2.jpg", "['a cat']", "?", None]]
    path = written(tmp_path, "m_COCO_VAL.xlsx", workbook([header, *rows]))
    read = read_captions(path)
    assert read.captions == {"a/1.jpg": "a dog"}
    assert read.failures["a/2.jpg"].outcome == "empty"
    items = COCO(None, path).load()
    assert [item.references for item in items] == [("a dog", "a pet"), ("a cat",)]


def test_the_first_sheet_with_cells_and_numbers_as_excel_keeps_them(tmp_path: Path) -> None:
    path = written(tmp_path, "a.xlsx", workbook([], [["image_id", "caption"], [1.0, "a café"], [2, 42]]))
    read = read_captions(path)
    assert read.captions == {"1": "a café", "2": "42"}
    assert "the sheet 'sheet 1' is read" in read.notes[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "", "the file is empty"),
        ("a.json", " \n ", "the file is empty"),
        ("a.json.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("a.json.gz", gzip.compress(DOCUMENT.encode(), mtime=0)[:20], "damaged or cut off"),
        ("a.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("a.json", "\n<!DOCTYPE html><html>404</html>", "a web page"),
        ("a.csv", "<HTML><body>", "a web page"),
        ("a.json", pickle.dumps(ROWS), "a pickle of Python"),
        ("a.zip", archive("a.json"), "a zip archive. Unpack it"),
        ("a.json", b"\x89PNG\r\n\x1a\n....", "a picture"),
        ("a.json", b"\xd0\xcf\x11\xe0....", "Save it as .xlsx"),
        ("a.parquet", b"PAR1....", "Parquet file is damaged"),
        ("a.xlsx", archive("xl/workbook.xml"), "Excel workbook is damaged"),
        ("a.csv", TABLE.encode("latin-1"), "In latin-1 the text there is"),
        ("a.csv", TABLE.replace("é", "’").encode("windows-1252"), "iconv -f WINDOWS-1252"),
        ("a.json", bytes(range(128, 256)) + bytes(range(9)), "the file is not text"),
        ("a.json", DOCUMENT.encode("utf-16")[:-1], "UTF-16, and byte"),
        ("a.json", DOCUMENT[:-1], "The file ends too early"),
        ("a.json", str(ROWS), "single quotes"),
        ("a.json", DOCUMENT[:-1] + ",]", "Remove the comma before the closing bracket"),
        ("a.jsonl", LINES.replace("}\n", "},\n"), "Remove the comma at the end of the line"),
        ("a.json", TABLE, "call the file .csv or .tsv"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", "null", "expected a list"),
        ("a.json", '{"version": 1, "status": "ok"}', "expected a list"),
        ("a.csv", "x" * 140_000 + ",caption\n1,a\n", "line 1: one cell has more than 131,072 characters"),
        ("a.csv", "image_id,caption\n1," + "x" * 140_000, "line 2: one cell has more than"),
        ("a.csv", 'image_id,caption\n1,"a\n2,b\n', "opens a cell and never closes it"),
        ("a.csv", 'image_id,caption\n1,"big" cat\n', "must be doubled"),
        ("a.csv", "image_id,caption,caption\n1,a,b\n", "two columns 'caption'"),
        ("a.csv", "1,a,b\n2,c,d\n", "the first line is no header"),
        ("a.txt", "a cat\na dog\n", "a text of one column"),
    ],
)
def test_a_file_that_holds_no_captions_is_named(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as raised:
        read_captions(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)


def test_what_never_ends_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(DataError, match="a pipe or a device"):
            read_captions(path)
        with pytest.raises(DataError, match="a pipe or a device"):
            COCO(None, path).load()
    with pytest.raises(DataError, match="this is a folder"):
        read_captions(tmp_path)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluator.captions_files.decoding import unpacked
    from evaluator.files.regular_file import read_regular_file

    path = written(tmp_path, "a.json", b"[" + b" " * 3_000_000 + b"]")
    with pytest.raises(DataError, match="3 MB, more than 2 MB"):
        read_regular_file(path, limit=2_000_000)
    with pytest.raises(DataError, match="unpacks to more than 2 MB"):
        unpacked(gzip.compress(path.read_bytes()), path, limit=2_000_000)


def test_the_row_of_flickr30k_that_lacks_a_separator(tmp_path: Path) -> None:
    table = (
        "image_name| comment_number| comment\nb.jpg| 3| A dog .\na.jpg| 4   A dog runs across the grass .\n"
    )
    items = COCO(None, written(tmp_path, "results.csv", table)).load()
    assert [item.references for item in items] == [("A dog .",), ("A dog runs across the grass .",)]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXT, min_size=1, max_size=5), separator=st.sampled_from(",;\t|"))
@example(texts=['"', "a;b", "\n"], separator=",")
def test_what_the_csv_module_writes_is_read(tmp_path: Path, texts: list[str], separator: str) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([["image_id", "caption"], *enumerate(texts)])
    expected = {str(number): text for number, text in enumerate(texts)}
    assert read_captions(tmp_path / "a.csv").captions == expected
