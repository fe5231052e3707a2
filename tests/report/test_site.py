"""A leaderboard that grows: each addition needs its own run alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.core.errors import ConfigError, DataError, StoreError
from evaluator.report.page.gallery import gallery
from evaluator.report.page.pictures import pictures_of_site
from evaluator.report.site import add_to_site
from evaluator.report.site_file import read_site_file
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
    assert sorted(links) == ["compare.html", "first.html", "second%20run.html"]
    both = read_gallery(site / "compare.html")
    assert both["runs"] == ["second run", "first"]
    assert [answers["captions"][7] for answers in both["answers"]] == ["a dog 7"] * 2
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
    for name in ("index", "compare"):
        with pytest.raises(ConfigError, match=f"would replace {name}.html"):
            add_to_site([make_run(name, CAPTIONS, {"CIDEr": [0.5] * 30})], tmp_path / "site")
    one = make_run("one", CAPTIONS, {"CIDEr": [0.5] * 30})
    other = make_run("other", CAPTIONS, {"CIDEr": [0.5] * 30}, dataset_digest="d2")
    with pytest.raises(ConfigError, match="one and other use different data sets"):
        add_to_site([one, other], tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()
    add_to_site([one], tmp_path / "mixed")
    with pytest.raises(ConfigError, match="use different data sets"):
        add_to_site([other], tmp_path / "mixed")
    done = command("leaderboard", "one", "--site", "site", "--format", "csv")
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
    shown = read_gallery(tmp_path / "site" / "with pictures.html")["shown"]
    assert len(shown["shown"]) == 3
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "site" / "pictures").iterdir()}
    assert set(shown["shown"]) == set(files)
    # A run that comes later, from a machine without the pictures, shows those that the site has.
    later = [Item(item.id, None, item.references) for item in items]
    add_to_site([make_run("later", captions, {"CIDEr": [0.4] * 3}, items=later)], tmp_path / "site")
    for page in ("later", "compare"):
        document = read_gallery(tmp_path / "site" / f"{page}.html")
        assert set(document["shown"]["shown"]) == set(files), page
        assert document["shown"]["folder"] == "pictures"
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "site" / "pictures").iterdir()} == files


def test_few_pictures_of_many_images(make_run: MakeRun, tmp_path: Path, pictures: list[Path]) -> None:
    items = [Item(str(number), pictures[number % 3], (f"r{number}",)) for number in range(9)]
    shown = gallery(compare([make_run("run", {i.id: "a" for i in items}, {"CIDEr": [0.5] * 9}, items)]))
    found = pictures_of_site(shown, tmp_path / "pictures", number=4)
    assert len(found.shown) == 4
    assert len(found.reasons) == 5
    assert pictures_of_site(shown, tmp_path / "pictures", number=4).shown == found.shown
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the pictures"):
        pictures_of_site(shown, tmp_path / "file")


def test_what_its_owner_writes(
    make_run: MakeRun, read_page: Callable[[Path], Any], tmp_path: Path, command: Callable[..., Any]
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "site.yaml").write_text(
        "title: Our <b>captions</b>\ndescription: All on the same images.\nruns:\n"
        "  one: {description: ours, licence: MIT, size: 2B, where: local, link: 'https://example.org/?a=1&b=2'}\n"
    )
    items = [Item(item_id, None, ("a dog", f"a brown dog {item_id}")) for item_id in CAPTIONS]
    for name in ("one", "two"):
        make_run(name, CAPTIONS, {"CIDEr": [0.5] * 30}, items)
    done = command("leaderboard", "one", "two", "--site", "site", "--human", "--published")
    assert done.returncode == 0, done.stderr
    index = read_page(site / "index.html")
    assert index.find("h1")[0].words == "Our <b>captions</b>"
    assert "All on the same images." in index.words
    (about,) = (node for node in index.find("small", "about-run") if "MIT" in node.words)
    assert about.words == "ours · 2B · local · MIT more"
    assert about.find("a")[0].attributes["href"] == "https://example.org/?a=1&b=2"
    assert "a person" in index.find("tfoot")[0].words
    one = read_page(site / "one.html")
    assert one.find("nav")[0].find("a")[0].attributes["href"] == "index.html"
    assert "ours · 2B" in one.words


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("runs: {one: {link: 'javascript:alert(1)'}}", "runs.one.link: expected an address that begins with"),
        ("runs: {one: {colour: red}}", "runs.one: there is no 'colour' here: type one of description"),
        ("titel: x", "there is no 'titel' here: type one of title, description, runs"),
        ("title: [1", "cannot be read as YAML"),
        ("title: 5", "title: expected text, found 5"),
        ("- a", "expected an object, found a list of 1"),
    ],
)
def test_a_wrong_site_file_says_where(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "site.yaml").write_text(content)
    with pytest.raises(DataError) as found:
        read_site_file(tmp_path)
    assert problem in str(found.value)


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
