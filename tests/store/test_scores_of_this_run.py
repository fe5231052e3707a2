"""Scores belong to the items and captions that are there, and no reader takes others for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from evaluator.comparison.compare import compare
from evaluator.comparison.gate import parse_gate, regress
from evaluator.config.settings import Settings
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.files import atomic
from evaluator.report.page.gallery import gallery
from evaluator.report.page.html import write_report
from evaluator.report.page.pictures import WITHHELD
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.rouge import ROUGE
from evaluator.scoring import score
from evaluator.store.manifest import Manifest
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import CHOICES, IDENTITY, scored_run

ITEMS = [Item(str(n), None, (f"a dog {n}", "an animal")) for n in range(8)]
SETTINGS = Settings(resamples=5)


def made(path: Path, captions: int = 4, items: int = 4) -> Path:
    """A run that was scored on its first images."""
    texts = {item.id: f"a dog {item.id}" for item in ITEMS[:captions]}
    return scored_run(path, texts, {"CIDEr": [0.5] * captions}, ITEMS[:items])


def continued(path: Path, captions: int) -> None:
    """The same run over all items, interrupted after so many more captions."""
    folder = RunFolder(path)
    folder.begin(Manifest(CHOICES | {"model": path.name}, IDENTITY, "d1", images=8), {}, ITEMS)
    with folder.ledger() as ledger:
        for item in ITEMS[4 : 4 + captions]:
            ledger.record(Caption(item.id, Outcome.OK, Reply("a cat")))


@pytest.mark.parametrize("captions", [0, 2])
def test_a_gate_never_passes_on_the_scores_of_a_smaller_run(tmp_path: Path, captions: int) -> None:
    before, path = made(tmp_path / "before"), made(tmp_path / "run")
    gate = [parse_gate("coverage>=0.99")]
    assert regress(before, path, gate).passes()
    continued(path, captions)
    there = f"{4 + captions} of 8 images"
    with pytest.raises(StoreError, match=rf"has changed since it was scored: .* attempts for {there} now"):
        regress(before, path, gate)
    run = score(RunFolder(path).load(), {"bleu": BLEU()}, SETTINGS)
    assert run.results.is_incomplete
    comparison = compare([path])
    assert f"run: {there}; the run is not finished" in comparison.warnings


def test_scores_of_a_version_without_digests_are_checked_by_counts(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    document = json.loads((path / "scores.json").read_text())
    del document["inputs"]
    (path / "scores.json").write_text(json.dumps(document))
    assert RunFolder(path).load().results.captioned == 4
    continued(path, 1)
    with pytest.raises(StoreError, match="has changed since it was scored"):
        _ = RunFolder(path).load().results


def test_changed_references_and_texts_are_noticed(tmp_path: Path) -> None:
    for name in ("items.jsonl", "captions.jsonl"):
        path = made(tmp_path / name)
        content = (path / name).read_text()
        (path / name).write_text(content.replace("a dog 1", "a cat 1"))
        with pytest.raises(StoreError, match="has changed since it was scored"):
            _ = RunFolder(path).load().results


@pytest.mark.parametrize("replaced", range(4))
def test_a_kill_between_two_files_leaves_no_mix(
    tmp_path: Path, replaced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "run")
    score(RunFolder(path).load(), {"bleu": BLEU()}, SETTINGS)
    left = iter(range(replaced))
    replace = Path.replace

    def killed(source: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            score(RunFolder(path).load(), {"rouge": ROUGE()}, SETTINGS)
    with pytest.raises(StoreError, match="was not scored yet"):
        _ = RunFolder(path).load().results
    again = score(RunFolder(path).load(), {"bleu": BLEU()}, SETTINGS)
    assert RunFolder(path).load().measurements.keys() == again.measurements.keys()


@pytest.mark.parametrize("name", ["statistics.npz", "scores.json"])
def test_files_of_two_scorings_are_not_read_together(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "run")
    score(RunFolder(path).load(), {"bleu": BLEU()}, SETTINGS)
    other = shutil.copytree(path, tmp_path / "other")
    score(RunFolder(other).load(), {"bleu": BLEU()}, Settings(resamples=6))
    shutil.copy(other / name, path / name)
    with pytest.raises(StoreError, match=r"another scoring than scores\.json.* Type: evaluator score"):
        _ = RunFolder(path).load().measurements
    score(RunFolder(path).load(), {"bleu": BLEU()}, SETTINGS)
    assert RunFolder(path).load().measurements


def test_a_score_that_its_statistics_do_not_give_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    content = (path / "scores.json").read_text()
    (path / "scores.json").write_text(content.replace('"value": 0.5', '"value": 0.9'))
    with pytest.raises(StoreError, match=r"CIDEr is 0\.5 by it and 0\.9 in scores\.json"):
        _ = RunFolder(path).load().measurements


def test_scoring_takes_the_lock(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    with RunFolder(path).lock(), pytest.raises(StoreError, match="another process is writing"):
        score(Run(path), {"bleu": BLEU()}, SETTINGS)


# Pictures.


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "letter.png"
    path.parent.mkdir()
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def naming(path: Path, picture: Path) -> Path:
    """A run of somebody else whose first item names a picture of this machine."""
    path = made(path)
    lines = (path / "items.jsonl").read_text().splitlines()
    lines[0] = json.dumps(json.loads(lines[0]) | {"image": str(picture)})
    (path / "items.jsonl").write_text("\n".join(lines) + "\n")
    return path


def test_a_picture_that_their_run_names_is_not_shown(
    tmp_path: Path, private: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = naming(tmp_path / "theirs", private)
    output = write_report(compare([path]), tmp_path / "report.html")
    assert "1 pictures are not shown" in caplog.text
    assert "--images DIR" in caplog.text
    shown = gallery(compare([path]))
    assert shown.items[0].image is None
    assert shown.withheld == {0: private}
    assert output.stat().st_size
    assert WITHHELD.startswith("picture not shown")


@pytest.mark.parametrize("how", ["below", "by its name"])
def test_a_folder_that_the_user_names_is_shown(tmp_path: Path, private: Path, how: str) -> None:
    path = naming(tmp_path / "theirs", private if how == "below" else Path("/elsewhere/letter.png"))
    shown = gallery(compare([path]), [private.parent])
    assert [item.image for item in shown.items[:2]] == [private, None]
    assert gallery(compare([path]), [tmp_path / "theirs"]).items[0].image is None


@pytest.mark.parametrize("link", ["folder", "file"])
def test_a_link_out_of_the_named_folder_is_not_followed(tmp_path: Path, private: Path, link: str) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    inside = pictures / "a"
    inside.symlink_to(private.parent if link == "folder" else private)
    picture = inside / "letter.png" if link == "folder" else inside
    path = naming(tmp_path / "theirs", picture)
    assert gallery(compare([path]), [pictures]).items[0].image is None


def test_pictures_of_a_run_that_was_made_here_are_shown(tmp_path: Path, private: Path) -> None:
    items = [Item("1", private, ("a letter",))]
    path = scored_run(tmp_path / "mine", {"1": "a letter"}, {"CIDEr": [0.5]}, items)
    assert gallery(compare([path])).items[0].image == private


def test_a_folder_name_that_looks_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    made(tmp_path / "runs" / "a:b")
    monkeypatch.chdir(tmp_path / "runs")
    assert compare([Path("a:b")]).per_image().shape[0] == 4
    assert write_report(compare([Path("a:b")]), Path("report.html")).is_file()
