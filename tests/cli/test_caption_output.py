"""`evaluator caption --output`: captions of a collection, kept as they are made and continued."""

from __future__ import annotations

import csv
import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import pytest
from click import UsageError
from PIL import Image

from evaluator.captions_files.reader import read_captions
from evaluator.cli.console import ExitCode
from evaluator.files.xmp import with_description
from tests.cli.test_caption import IMAGES, captioned, remote
from tests.files.test_xmp import jpeg
from tests.runner.conftest import Server

__all__ = ["remote"]
NAMES = ["a.png", "deep/er/b.png", "deep/c.png"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, source in zip(NAMES, sorted(IMAGES.iterdir()), strict=False):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tmp_path / "own" / name)
    return tmp_path / "own"


def described_in(packet: bytes) -> list[str]:
    """The description and the alternative text of a packet, by Python's own parser."""
    names = (
        "{http://purl.org/dc/elements/1.1/}description",
        "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}AltTextAccessibility",
    )
    root = ElementTree.fromstring(packet)
    return ["".join(found.itertext()).strip() for name in names for found in root.iter(name)]


def rows(path: Path) -> list[Mapping[str, str]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["captions.csv", "out/captions.jsonl"])
def test_a_killed_and_a_failed_command_go_on(
    folder: Path, remote: list[str], server: Server, name: str
) -> None:
    """A picture that failed is asked about again, and so is one whose line was torn."""
    server.behave(by_item={f"own/{NAMES[1]}": "503"})
    more = ["runner.requests.attempts=1", "cache=off"]
    done = captioned("own", *remote, *more, "--output", name)
    assert done.return_value == ExitCode.INCOMPLETE
    assert f"{name}: 2 new captions, 1 pictures got none" in done.output
    output = folder.parent / name
    written = rows(output)
    assert sorted(row["image"] for row in written) == sorted(NAMES)
    assert {row["outcome"] for row in written} == {"ok", "error"}
    lines = output.read_bytes().splitlines(keepends=True)
    last_ok = max(n for n, line in enumerate(lines) if b"a picture of" in line)
    output.write_bytes(b"".join(line for n, line in enumerate(lines) if n != last_ok) + lines[last_ok][:20])
    server.behave()
    assert captioned("own", *remote, *more, "--output", name).return_value == ExitCode.OK
    assert server.requests == 2
    assert {row["image"]: row["caption"] for row in rows(output)} == {
        picture: f"a picture of own/{picture}" for picture in NAMES
    }
    again = captioned("own", *remote, *more, "--output", name)
    assert again.return_value == ExitCode.OK
    assert "3 of 3 pictures are captioned already" in again.output
    assert server.requests == 2


def test_the_table_is_a_captions_file(folder: Path, remote: list[str], server: Server) -> None:
    """In which a picture without a caption is none, and not an empty one."""
    shutil.copy(sorted(IMAGES.iterdir())[5], folder / "z.png")
    server.behave(by_item={"own/z.png": "refused"})
    assert captioned("own", *remote, "--output", "captions.csv").return_value == ExitCode.OK
    assert [row["outcome"] for row in rows(folder.parent / "captions.csv")].count("refused") == 1
    found = read_captions(folder.parent / "captions.csv", None, None)
    assert dict(found.captions) == {name: f"a picture of own/{name}" for name in NAMES}


def test_a_text_beside_each_picture_and_none_is_replaced(
    folder: Path, remote: list[str], server: Server
) -> None:
    (folder / "a.txt").write_text("A person wrote this.\n")
    shutil.copy(sorted(IMAGES.iterdir())[5], folder / "deep" / "c.jpg")
    captioned("own", *remote, "--output", ".txt")
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.txt")}
    assert texts == {
        "a.txt": "A person wrote this.\n",
        "deep/er/b.txt": "a picture of own/deep/er/b.png\n",
        "deep/c.png.txt": "a picture of own/deep/c.png\n",
        "deep/c.jpg.txt": "a picture of own/deep/c.jpg\n",
    }
    asked = server.requests
    assert captioned("own", *remote, "--output", ".txt").return_value == ExitCode.OK
    assert server.requests == asked


def test_an_xmp_description_that_other_programs_read(folder: Path, remote: list[str]) -> None:
    """Read by Pillow's own reader of XMP, too, from a picture that the packet is put into."""
    (folder / "a.png").rename(folder / "<a> & b.png")
    before = (folder / "<a> & b.png").read_bytes()
    captioned("own", *remote, "--output", ".xmp")
    packet = (folder / "<a> & b.xmp").read_bytes()
    assert described_in(packet) == ["a picture of own/<a> & b.png"] * 2
    assert (folder / "<a> & b.png").read_bytes() == before
    Image.new("RGB", (8, 8)).save(folder / "x.webp", xmp=packet)
    with Image.open(folder / "x.webp") as image:
        assert image.info["xmp"] == packet


def test_copies_that_hold_their_description(folder: Path, remote: list[str], server: Server) -> None:
    """In a JPEG itself, byte for byte the same otherwise; beside another format and a described picture."""
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    described = with_description(jpeg(exif=exif), "A person wrote this.")
    for name, data in {"kite.jpg": jpeg(exif=exif), "deep/mine.jpg": described}.items():
        (folder / name).write_bytes(data)
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    server.behave(by_item={"own/a.png": "503"})
    more = ["runner.requests.attempts=1", "cache=off", "--output", "copies"]
    assert captioned("own", *remote, *more).return_value == ExitCode.INCOMPLETE
    copies = folder.parent / "copies"
    assert not (copies / "a.png").exists()
    server.behave()
    assert captioned("own", *remote, *more).return_value == ExitCode.OK
    assert server.requests == 1
    assert {path: path.read_bytes() for path in before} == before
    names = {path.relative_to(copies).as_posix() for path in copies.rglob("*.*")}
    pictures = {path.relative_to(folder).as_posix() for path in before}
    assert names == pictures | {f"{name}.xmp" for name in pictures - {"kite.jpg"}}
    assert (copies / "deep" / "mine.jpg").read_bytes() == described
    with Image.open(copies / "kite.jpg") as image, Image.open(folder / "kite.jpg") as source:
        assert described_in(image.info["xmp"]) == ["a picture of own/kite.jpg"] * 2
        assert (image.tobytes(), image.info["exif"]) == (source.tobytes(), source.info["exif"])
    assert (copies / "kite.jpg").stat().st_mtime == (folder / "kite.jpg").stat().st_mtime


@pytest.mark.parametrize(
    ("pictures", "output", "said"),
    [
        (["own"], "own/copies", "the copies would lie among the pictures"),
        (["own/a.png"], "own", "own/a.png is in this folder"),
        (["own/a.png", "other/a.png"], "copies", "have one name"),
        (["http://x/a.png"], "copies", "type pictures of this machine"),
    ],
)
def test_where_copies_cannot_go(
    folder: Path, remote: list[str], pictures: list[str], output: str, said: str
) -> None:
    (folder.parent / "other").mkdir()
    shutil.copy(folder / "a.png", folder.parent / "other")
    with pytest.raises(UsageError, match=said):
        raise captioned(*pictures, *remote, "--output", output).exception or AssertionError


@pytest.mark.parametrize(
    ("output", "content", "said"),
    [
        ("captions.csv", "image,caption\na.png,A kite.\n", "is not one that `evaluator caption` wrote"),
        ("captions.jsonl", '{"image": "a.png"}\n', "is not one that `evaluator caption` wrote"),
        ("captions.jsonl", "no json\n", "is not one that `evaluator caption` wrote"),
        (
            "captions.csv",
            "image,caption,outcome,error,model,options\na.png,A kite.,ok,,git,abcdef\n",
            "it holds captions by git with other options",
        ),
        ("captions.docx", "", "type a file that ends in"),
    ],
)
def test_files_of_somebody_else_are_left_alone(
    folder: Path, remote: list[str], server: Server, output: str, content: str, said: str
) -> None:
    (folder.parent / output).write_text(content)
    with pytest.raises(UsageError, match=said):
        raise captioned("own", *remote, "--output", output).exception or AssertionError
    assert (folder.parent / output).read_text() == content
    assert server.requests == 0


def test_one_model_and_pictures_with_a_folder(folder: Path, remote: list[str]) -> None:
    with pytest.raises(UsageError, match="one model with one prompt"):
        raise captioned("own", *remote, "prompt=none,photo", "--output", "a.csv").exception or AssertionError
    with pytest.raises(UsageError, match="nothing can be written beside http"):
        raise captioned("http://x/a.png", *remote, "--output", ".txt").exception or AssertionError
