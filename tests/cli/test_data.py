"""`evaluator data` as it is typed: data sets from a mirror on loopback."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner, Result

import evaluator.demo
from evaluator.cli.console import ExitCode
from evaluator.cli.main import cli
from evaluator.config.run_config import run_configs
from evaluator.core.errors import DataError
from evaluator.data import published
from evaluator.data.published import PublishedDataset, PublishedFile, published_datasets
from evaluator.files import resumed_downloads
from tests.files.range_server import RangeServer, range_server
from tests.files.test_archives import archive

pytest.importorskip("pooch")
IMAGES = Path(evaluator.demo.__file__).parent / "data" / "images"
DOCUMENT = {
    "images": [{"id": n, "file_name": f"{n:012}.png"} for n in (1, 2)],
    "annotations": [{"image_id": n, "caption": "a red ball"} for n in (1, 2)],
}


def data(*typed: object) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, typed)], standalone_mode=False)


@pytest.fixture
def server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[RangeServer]:
    """A mirror with the two archives of a small data set, which is the only published one."""
    monkeypatch.setattr(resumed_downloads, "FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(resumed_downloads, "CHUNK_BYTES", 500)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)
    pictures = {f"val/{n:012}.png": (IMAGES / f"{n:012}.png").read_bytes() for n in (1, 2)}
    extra: Mapping[str, bytes] = getattr(request, "param", {})
    archives = {
        "/host/annotations.zip": {"annotations/val.json": json.dumps(DOCUMENT).encode(), "more.json": b"{}"},
        "/host/zips/val.zip": {**pictures, **extra},
    }
    contents = {
        path: archive(tmp_path / "packed.zip", entries).read_bytes() for path, entries in archives.items()
    }
    (tmp_path / "packed.zip").unlink()
    files = [
        PublishedFile(
            f"http:/{path}",
            len(content),
            f"sha256:{hashlib.sha256(content).hexdigest()}",
            ("annotations/val.json",) if "annotations" in path else ("val",),
            unpacked_bytes=10_000,
            is_pictures="val.zip" in path,
        )
        for path, content in contents.items()
    ]
    small = PublishedDataset(
        "small", "two pictures", "small", tuple(files), "coco", "annotations/val.json", "val"
    )
    monkeypatch.setattr(published, "published_datasets", lambda: (small,))
    with range_server(RangeServer(contents)) as mirror:
        monkeypatch.setenv("EVALUATOR_MIRROR", mirror.address)
        yield mirror


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


EVERYTHING = ["annotations/val.json", "val/000000000001.png", "val/000000000002.png"]


def test_what_is_fetched_over_a_bad_connection_can_be_run(server: RangeServer, tmp_path: Path) -> None:
    server.breaks_after = 700
    done = data("fetch", "small", "--to", "my data")
    assert done.return_value == ExitCode.OK
    assert files_in(tmp_path) == [f"my data/small/{name}" for name in EVERYTHING]
    assert server.sent == sum(map(len, server.files.values()))
    program, command, *overrides = shlex.split(done.output.splitlines()[-1])
    assert (program, command) == ("evaluator", "run")
    (config,) = run_configs(overrides)
    assert [item.references for item in config.data.load()] == [("a red ball",)] * 2
    assert all(item.image and item.image.is_file() for item in config.data.load())
    asked = server.requests.total()
    assert data("fetch", "small", "--to", "my data").output.splitlines() == done.output.splitlines()[-2:]
    assert server.requests.total() == asked


def test_without_pictures_captions_can_be_scored(server: RangeServer, tmp_path: Path) -> None:
    done = data("fetch", "small", "--no-pictures")
    assert files_in(tmp_path) == ["data/small/annotations/val.json"]
    assert done.output.splitlines()[-1] == (
        "evaluator score captions.json --references data/small/annotations/val.json"
    )


def test_the_next_command_fetches_only_what_failed(server: RangeServer, tmp_path: Path) -> None:
    pictures = server.files["/host/zips/val.zip"]
    server.files = {**server.files, "/host/zips/val.zip": pictures[:-1] + b"x"}
    with pytest.raises(DataError, match="not the published one"):
        raise data("fetch", "small").exception or AssertionError
    assert files_in(tmp_path) == ["data/small/annotations/val.json"]
    server.files = {"/host/zips/val.zip": pictures}
    assert data("fetch", "small").return_value == ExitCode.OK
    assert files_in(tmp_path / "data" / "small") == EVERYTHING


@pytest.mark.parametrize(
    "server",
    [{"../../evil.txt": b"x"}, {"/tmp/evil.txt": b"x"}, {"val/bomb.png": bytes(1_000_000)}],
    indirect=True,
)
def test_a_hostile_archive_leaves_nothing(server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Nothing is unpacked"):
        raise data("fetch", "small").exception or AssertionError
    assert not any("evil" in name or "bomb" in name for name in files_in(tmp_path))
    assert not (tmp_path / "data" / "small" / "val").exists()


def test_a_full_disk_is_told_before_the_first_byte(
    server: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10_000))
    with pytest.raises(DataError, match=r"small needs .* GB, and 0\.0 GB are free"):
        raise data("fetch", "small").exception or AssertionError
    assert not server.requests
    assert files_in(tmp_path) == []


def test_pictures_that_are_files_of_their_own(
    server: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NoCaps has them. A name that is a path is refused before anything is fetched."""
    (small,) = published.published_datasets()
    alone = PublishedFile("http://host/alone.json", 10_000)
    of_its_own = replace(small, files=(alone,), annotations="alone.json", picture_bytes=100)
    monkeypatch.setattr(published, "published_datasets", lambda: (of_its_own,))
    images = [dict(image, coco_url=f"https://other/v/{image['file_name']}") for image in DOCUMENT["images"]]
    first, second = ((IMAGES / str(image["file_name"])).read_bytes() for image in images)
    server.files = {
        "/host/alone.json": json.dumps({**DOCUMENT, "images": images}).encode(),
        "/other/v/000000000001.png": first,
    }
    with pytest.raises(DataError, match=r"1 of 2 pictures could not be fetched, for example .* answers 404"):
        raise data("fetch", "small").exception or AssertionError
    server.files = {"/other/v/000000000002.png": second}
    assert data("fetch", "small").return_value == ExitCode.OK
    assert files_in(tmp_path / "data" / "small") == ["alone.json", *EVERYTHING[1:]]
    images[1]["file_name"] = "../evil.png"
    (tmp_path / "data" / "small" / "alone.json").write_text(json.dumps({**DOCUMENT, "images": images}))
    with pytest.raises(DataError, match=r"evil.png' is a path"):
        raise data("fetch", "small").exception or AssertionError


def test_what_can_be_fetched() -> None:
    names = [dataset.name for dataset in published_datasets()]
    assert names == ["coco-val2017", "coco-val2014", "karpathy", "flickr8k", "nocaps"]
    assert all(name in data("fetch").output for name in names)
    assert "6.7 GB" in data("fetch").output
    with pytest.raises(UsageError, match="Did you mean 'coco-val2017'"):
        raise data("fetch", "coco-val-2017").exception or AssertionError


@pytest.mark.parametrize("dataset", published_datasets(), ids=lambda dataset: dataset.name)
def test_what_the_files_of_a_data_set_give_is_what_it_needs(dataset: PublishedDataset) -> None:
    places = {place for file in dataset.files for place in file.places}
    assert dataset.annotations in places
    assert dataset.instances is None or dataset.instances in places
    assert dataset.picture_bytes or dataset.images in places
    for file in dataset.files:
        kind, _, digest = (file.digest or "").partition(":")
        assert len(digest) == {"sha256": 64, "md5": 32, "": 0}[kind]
        assert digest or not file.results  # archives are checked
