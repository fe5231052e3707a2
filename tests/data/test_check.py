"""What is wrong with a data set, on files in which it is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import evaluator.demo
from evaluator.cli.console import ExitCode
from evaluator.cli.main import cli
from evaluator.data.check import NEAR_BITS, check_dataset, near_duplicates
from evaluator.data.folder import PictureFolder
from evaluator.data.karpathy import Karpathy

pytest.importorskip("imagehash")
DEMO = Path(evaluator.demo.__file__).parent / "data"


def photograph(seed: int, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Smooth random colours, as of a photograph out of focus."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    for name in ("train", "test", "more"):
        (folder / name).mkdir(parents=True)
    for seed, name in enumerate(["train/a.png", "train/b.png", "test/c.png", "more/d.png"]):
        photograph(seed).save(folder / name)
    shutil.copy(folder / "train" / "a.png", folder / "test" / "same.jpeg")
    photograph(1, (192, 128)).save(folder / "more" / "b.jpg", quality=60)
    (folder / "more" / "cut.png").write_bytes((folder / "more" / "d.png").read_bytes()[:500])
    (folder / "more" / "empty.jpg").touch()
    (folder / "train" / "a.txt").write_text("A ball.")
    return folder


def test_everything_that_is_wrong_with_a_folder(folder: Path) -> None:
    dataset = PictureFolder(folder)
    found = check_dataset(dataset, dataset.load())
    assert (found.images, found.pictures, found.references) == (8, 6, 1)
    assert found.duplicates == (("test/same.jpeg", "train/a.png"),)
    assert found.near_duplicates == (("more/b.jpg", "train/b.png"),)
    assert found.in_two_splits == (("test: test/same.jpeg", "train: train/a.png"),)
    assert sorted(found.unreadable) == ["more/cut.png", "more/empty.jpg"]
    assert "empty (0 bytes)" in found.unreadable["more/empty.jpg"]
    assert len(found.without_references) == 7
    assert found.formats == {"PNG": 5, "JPEG": 1}  # by content, whatever the name says
    assert found.sizes == {"smallest": (96, 64), "median": (96, 64), "largest": (192, 128)}
    assert not found.is_clean


def test_pictures_that_another_split_has_too(tmp_path: Path) -> None:
    """In a file of Karpathy's form: the same id, and the same picture under another id."""
    names = {1: "test", 2: "test", 3: "train", 4: "train", 5: "val"}
    for number in names:
        photograph(1 if number == 4 else number).save(tmp_path / f"{number}.png")
    images = [
        {"cocoid": n, "filename": f"{n}.png", "split": split, "sentences": [{"raw": "a ball"}]}
        for n, split in [*names.items(), (2, "val")]
    ]
    (tmp_path / "splits.json").write_text(json.dumps({"images": images}))
    dataset = Karpathy(tmp_path, tmp_path / "splits.json")
    found = check_dataset(dataset, dataset.load())
    assert sorted(found.in_two_splits) == [("test: 1", "train: 4"), ("test: 2", "val: 2")]
    assert found.duplicates == found.near_duplicates == ()


@given(st.lists(st.integers(0, 2**64 - 1), max_size=12), st.data())
def test_near_means_few_different_bits(hashes: list[int], data: st.DataObject) -> None:
    named = {str(number): value for number, value in enumerate(hashes)}
    for number, value in enumerate(hashes):
        flips = data.draw(st.sets(st.integers(0, 63), max_size=8))
        named[f"{number}*"] = value ^ sum(1 << bit for bit in flips)
    group = {name: index for index, those in enumerate(near_duplicates(named)) for name in those}
    for one, first in named.items():
        for other, second in named.items():
            if one != other and (first ^ second).bit_count() <= NEAR_BITS:
                assert group[one] == group[other]
    for name in group:
        assert any(
            (named[name] ^ value).bit_count() <= NEAR_BITS for other, value in named.items() if other != name
        )


def checked(*typed: object) -> Result:
    return CliRunner().invoke(cli, ["data", "check", *map(str, typed)], standalone_mode=False)


def test_the_exit_code_the_table_and_json(folder: Path) -> None:
    table = checked(folder)
    assert table.return_value == ExitCode.FAILED
    for told in ("test/same.jpeg = train/a.png", "formats: PNG 5, JPEG 1", "unreadable: "):
        assert told in table.output
    document = json.loads(checked(folder, "--format", "json").stdout)
    assert document["duplicates"] == [["test/same.jpeg", "train/a.png"]]
    assert document["is_clean"] is False
    assert checked("data=folder", f"data.images={folder / 'test'}").return_value == ExitCode.OK


def test_a_data_set_by_its_name_and_a_part_of_it() -> None:
    found = json.loads(checked("demo", "limit=3", "--format", "json").stdout)
    assert (found["images"], found["references"], found["unreadable"]) == (3, 15, {})
    without_pictures = ["data=coco", f"data.annotations={DEMO / 'captions.json'}"]
    assert checked(*without_pictures).return_value == ExitCode.OK


def test_real_photographs_of_another_size_and_compression_are_near_and_others_are_not(
    real_data: Path, tmp_path: Path
) -> None:
    pictures = sorted((real_data / "coco" / "images").glob("*.jpg"))[:12]
    for path in pictures:
        with Image.open(path) as image:
            smaller = image.convert("RGB").resize((image.width * 2 // 3, image.height * 2 // 3))
        smaller.save(tmp_path / f"{path.stem}-again.jpg", quality=70)
        shutil.copy(path, tmp_path)
    dataset = PictureFolder(tmp_path)
    found = check_dataset(dataset, dataset.load())
    assert found.near_duplicates == tuple((f"{path.stem}-again.jpg", path.name) for path in pictures)
