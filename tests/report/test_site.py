"""A leaderboard that grows: each addition needs its own run alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.core.errors import ConfigError
from evaluator.report.site import add_to_site
from evaluator.store.run_folder import RunFolder

MakeRun = Callable[..., Path]
ReadGallery = Callable[[Path], dict[str, Any]]
CAPTIONS = {str(number): f"a dog {number}" for number in range(30)}


def test_it_grows_without_the_earlier_runs(
    make_run: MakeRun, read_gallery: ReadGallery, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    first = make_run("first", CAPTIONS, {"CIDEr": [0.5] * 30})
    index = add_to_site([first], site)
    assert index == site / "index.html"
    shutil.rmtree(first)
    add_to_site([make_run("second run", CAPTIONS, {"CIDEr": [0.9] * 30})], site)
    shutil.rmtree(tmp_path / "second run")
    page = index.read_text()
    assert "second run leads on CIDEr (90.0), 40.0 points ahead of first" in page
    links = re.findall(r'<a href="([^"#]+)"', page)
    assert sorted(links) == ["first.html", "second%20run.html"]
    for name in ("first.html", "second run.html"):
        assert "a dog 7" in read_gallery(site / name)["answers"][0]["captions"]
    assert 'id="data"' not in page  # each run has it on its own page
    add_to_site([], site)  # made anew, as after an update of the program
    assert "second run leads on CIDEr" in index.read_text()


def test_a_run_that_is_added_again_takes_its_own_place(make_run: MakeRun, tmp_path: Path) -> None:
    site = tmp_path / "site"
    add_to_site([make_run("one", CAPTIONS, {"CIDEr": [0.5] * 30})], site)
    shutil.rmtree(tmp_path / "one")
    add_to_site([make_run("one", CAPTIONS, {"CIDEr": [0.7] * 30})], site)
    assert len(list((site / "runs").iterdir())) == 1
    assert "one scores 70.0 on CIDEr" in (site / "index.html").read_text()


def test_mistakes(make_run: MakeRun, tmp_path: Path, command: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="holds no run yet"):
        add_to_site([], tmp_path / "site")
    with pytest.raises(ConfigError, match="would replace the index"):
        add_to_site([make_run("index", CAPTIONS, {"CIDEr": [0.5] * 30})], tmp_path / "site")
    one = make_run("one", CAPTIONS, {"CIDEr": [0.5] * 30})
    other = make_run("other", CAPTIONS, {"CIDEr": [0.5] * 30}, dataset_digest="d2")
    with pytest.raises(ConfigError, match="one and other use different data sets"):
        add_to_site([one, other], tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()
    add_to_site([one], tmp_path / "mixed")
    with pytest.raises(ConfigError, match="use different data sets"):
        add_to_site([other], tmp_path / "mixed")
    done = command("leaderboard", "one", "--site", "site", "--human")
    assert done.returncode == 2
    assert "leave out --format" in done.stderr
    done = command("leaderboard", "nowhere", "--site", "site")
    assert done.returncode == 2
    assert "there is no run" in done.stderr


def test_no_place_of_a_picture_is_kept(
    make_run: MakeRun, read_gallery: ReadGallery, tmp_path: Path, pictures: list[Path]
) -> None:
    items = [Item(str(number), path, ("a red picture",)) for number, path in enumerate(pictures)]
    captions = {item.id: "a picture" for item in items}
    run = make_run("with pictures", captions, {"CIDEr": [0.5] * 3}, items=items)
    add_to_site([run], tmp_path / "site")
    kept = RunFolder.existing(tmp_path / "site" / "runs" / "with pictures.zip")
    assert [item.image for item in kept.load().items] == [None] * 3
    assert len(read_gallery(tmp_path / "site" / "with pictures.html")["shown"]["shown"]) == 3


def test_kept_runs_make_a_report_and_another_site(
    make_run: MakeRun, read_gallery: ReadGallery, tmp_path: Path, command: Callable[..., Any]
) -> None:
    add_to_site([make_run("one", CAPTIONS, {"CIDEr": [0.5] * 30})], tmp_path / "site")
    shutil.rmtree(tmp_path / "one")
    done = command("report", "site/runs/one.zip", "--output", "one.html")
    assert done.returncode == 0, done.stderr
    assert "a dog 7" in read_gallery(tmp_path / "one.html")["answers"][0]["captions"]
    done = command("leaderboard", "site/runs/one.zip", "--site", "new")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "one.html").is_file()
