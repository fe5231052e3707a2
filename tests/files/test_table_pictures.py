"""Pictures in the rows of an Arrow table have paths like any other picture."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from evaluator.core.errors import ImageError
from evaluator.files.images import file_of, is_file, read_file, read_picture
from evaluator.files.table_pictures import picture_path


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(params=["stream", "file"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two record batches: a column as `datasets` keeps pictures, and one of plain bytes."""
    batches = [
        pa.record_batch(
            {
                "an image": [{"bytes": data, "path": "a.png"} for data in of_batch],
                "raw/bytes": pa.array(of_batch, pa.large_binary()),
                "text": [str(n) for n, _ in enumerate(of_batch)],
            }
        )
        for of_batch in ([png("red"), None], [b"no picture", png("blue"), b""])
    ]
    path = tmp_path / "val.arrow"
    new = pa.ipc.new_stream if request.param == "stream" else pa.ipc.new_file
    with new(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return path


@pytest.mark.parametrize("column", ["an image", "raw/bytes"])
def test_a_picture_is_read_from_its_row(table: Path, column: str) -> None:
    path = picture_path(table, column, 3, "folder/blue.png")
    assert (path.name, path.parents[2]) == ("blue.png", table)
    assert is_file(path)
    assert file_of(path) == table
    assert read_file(path) == png("blue")
    assert read_picture(path).getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize(
    ("row", "column"), [(1, "raw/bytes"), (4, "raw/bytes"), (9, "raw/bytes"), (0, "other")]
)
def test_there_is_no_picture_without_bytes_row_or_column(table: Path, row: int, column: str) -> None:
    with pytest.raises(ImageError, match=r"val\.arrow.*there is no such file"):
        read_file(picture_path(table, column, row, "a.png"))


def test_bytes_that_are_no_picture_say_which_row_it_is(table: Path) -> None:
    with pytest.raises(ImageError, match=r"raw%2Fbytes.2.a\.png: not a picture of a known format"):
        read_picture(picture_path(table, "raw/bytes", 2, "a.png"))


def test_a_file_that_is_no_table_holds_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no table")
    for path in (
        picture_path(tmp_path / "notes.txt", "image", 0, "a.png"),
        tmp_path / "image" / "0" / "a.png",
    ):
        assert not is_file(path)
        assert file_of(path) == path
