"""Archives that want to write somewhere else, or more than they say."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluator.core.errors import DataError
from evaluator.files.archives import unpack


def archive(path: Path, entries: Mapping[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def special(name: str, kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3  # Unix, whose file types stand in the upper half
    entry.external_attr = (kind | 0o644) << 16
    return entry


def test_only_the_results_are_unpacked_and_what_is_there_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "annotations").mkdir(parents=True)
    (target / "annotations" / "a.json").write_text("mine")
    entries = {"val/": b"", "val/1.jpg": b"one", "val2/2.jpg": b"", "annotations/a.json": b"", "b.txt": b""}
    unpack(archive(tmp_path / "a.zip", entries), ["val", "annotations/a.json"], target, 100)
    found = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert found == ["annotations/a.json", "val/1.jpg"]
    assert (target / "annotations" / "a.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("../evil.txt", "leads out"),
        ("val/../../evil.txt", "leads out"),
        ("/tmp/evil.txt", "leads out"),
        ("C:\\evil.txt", "leads out"),
        ("val\\..\\..\\evil.txt", "leads out"),
        ("\\\\server\\share\\evil.txt", "leads out"),
        (special("val/link", stat.S_IFLNK), "is a symbolic link"),
        (special("val/pipe", stat.S_IFIFO), "is no ordinary file"),
        (special("val/device", stat.S_IFCHR), "is no ordinary file"),
        ("VAL/1.jpg", "is in the archive twice"),
    ],
)
def test_a_hostile_entry_and_nothing_is_unpacked(
    tmp_path: Path, entry: str | zipfile.ZipInfo, said: str
) -> None:
    (tmp_path / "target").mkdir()
    path = archive(tmp_path / "a.zip", {"val/1.jpg": b"one", entry: b"/etc"})
    with pytest.raises(DataError, match=said):
        unpack(path, ["val"], tmp_path / "target", 1000)
    assert [each.name for each in tmp_path.rglob("*")].count("evil.txt") == 0
    assert list((tmp_path / "target").iterdir()) == []


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    path = archive(tmp_path / "a.zip", {"val/1.jpg": bytes(20_000_000)})
    assert path.stat().st_size < 30_000
    with pytest.raises(DataError, match="it holds more than 1 MB"):
        unpack(path, ["val"], tmp_path / "target", 1_000_000)
    assert list((tmp_path / "target").iterdir()) == []


def test_a_size_in_the_archive_that_is_a_lie(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    content = archive(tmp_path / "a.zip", {"val/1.jpg": bytes(3_000_000)}).read_bytes()
    size, lie = (3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert content.count(size) == 2
    (tmp_path / "a.zip").write_bytes(content.replace(size, lie))
    with pytest.raises(DataError, match="damaged"):
        unpack(tmp_path / "a.zip", ["val"], tmp_path / "target", 1_000_000)
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_no_archive_or_another_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"damaged|not in the archive"):
        unpack(tmp_path / "a.zip", ["val"], tmp_path, 1000)


def test_pixels_of_a_damaged_archive(tmp_path: Path) -> None:
    packed = io.BytesIO(archive(tmp_path / "a.zip", {"val/1.jpg": bytes(range(256)) * 99}).read_bytes())
    damaged = bytearray(packed.getvalue())
    damaged[60:80] = b"\xff" * 20
    (tmp_path / "a.zip").write_bytes(damaged)
    (tmp_path / "target").mkdir()
    with pytest.raises(DataError, match="damaged"):
        unpack(tmp_path / "a.zip", ["val"], tmp_path / "target", 1_000_000)
    assert list((tmp_path / "target").iterdir()) == []
