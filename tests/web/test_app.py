"""What the app says of runs: those that are finished, that grow, that failed, and that nobody can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.store.formats import caption_to_json
from evaluator.store.manifest import Manifest
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import CHOICES, IDENTITY, scored_run

Visit = Callable[..., Any]


def started(path: Path, items: list[Item]) -> RunFolder:
    """A run of which nothing is captioned yet."""
    folder = RunFolder(path)
    folder.begin(Manifest(CHOICES, IDENTITY, "d1", images=len(items)), {}, items)
    return folder


def said(item_id: str, text: str, **fields: Any) -> Caption:
    return Caption(item_id, Outcome.OK, Reply(text), **fields)


def items(number: int) -> list[Item]:
    return [Item(str(n), None, (f"reference {n}",)) for n in range(number)]


def test_the_list_shows_scores_cost_and_state(visitor: Visit, tmp_path: Path) -> None:
    scored_run(
        tmp_path / "git", {"1": "a dog", "2": "a cat"}, {"CIDEr": [0.5, 0.7], "Mine": [1, 1]}, cost_usd=0.25
    )
    folder = started(tmp_path / "sweep" / "blip", items(3))
    with folder.ledger() as ledger:
        ledger.record(said("0", "a dog"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    runs = {run["name"]: run for run in visitor().get("/api/runs").json()["runs"]}
    assert runs.keys() == {"git", "sweep/blip", "broken"}
    assert (runs["git"]["state"], runs["git"]["cost"], runs["git"]["images"]) == ("complete", "$0.25", 2)
    assert runs["git"]["scores"] == [{"metric": "CIDEr", "points": "60.0", "interval": "58.0–62.0"}]
    assert (runs["sweep/blip"]["state"], runs["sweep/blip"]["tried"]) == ("incomplete", 1)
    assert runs["broken"]["state"] == "unreadable"
    assert "manifest.json is not JSON" in runs["broken"]["problem"]


def test_a_run_that_changed_after_it_was_scored_has_no_scores(visitor: Visit, tmp_path: Path) -> None:
    path = scored_run(
        tmp_path / "git", {"1": "a dog"}, {"CIDEr": [0.5]}, items=[Item("1", None, ()), Item("2", None, ())]
    )
    browser = visitor()
    assert browser.get("/api/runs").json()["runs"][0]["scores"]
    with RunFolder(path).ledger() as ledger:
        ledger.record(said("2", "a cat"))
        during = browser.get("/api/runs").json()["runs"][0]
    after = browser.get("/api/runs").json()["runs"][0]
    assert (during["state"], during["scores"]) == ("scoring", [])
    assert (after["state"], after["scores"]) == ("not scored", [])


def test_a_growing_run_is_followed_line_by_line(visitor: Visit, tmp_path: Path) -> None:
    browser, folder = visitor(), started(tmp_path / "git", items(4))

    def look(after: list[int]) -> Any:
        return browser.get("/api/watch", params={"run": "git", "after": after}).json()

    with folder.ledger() as ledger:
        first = look([0])
        assert (first["runs"][0]["state"], first["cards"], first["after"]) == ("running", [], [0])
        ledger.record(said("0", "The image shows a dog.", seconds=0.5, cost_usd=0.001))
        ledger.record(Caption("1", Outcome.ERROR, error="HTTP 500 of /home/ada/pictures/1.jpg", seconds=0.5))
        second = look(first["after"])
        with (folder.path / "captions.jsonl").open("ab") as file:
            file.write(b'{"item_id": "2", "outco')  # a line that is being written
        assert look(second["after"])["cards"] == []
    run = second["runs"][0]
    assert second["after"] == [2]
    assert [(card["id"], card["answers"][0]["caption"]) for card in second["cards"]] == [
        ("0", "The image shows a dog."),
        ("1", None),
    ]
    assert (run["tried"], run["images"], run["rate"], run["cost"]) == (2, 4, "2.0 images/s", "$0.0010")
    assert run["left"] == "1 s left"
    assert run["reasons"] == [{"outcome": "error", "reason": "HTTP 500 of …/1.jpg", "count": 1}]
    assert "100 % begin with a preamble" in run["style"]
    with folder.ledger() as ledger:  # it ends the torn line
        ledger.record(said("1", "a cat"))
    third = look(second["after"])
    assert (third["after"], third["runs"][0]["reasons"], third["runs"][0]["state"]) == ([3], [], "incomplete")


def test_a_run_that_is_deleted_and_begun_again_is_read_anew(visitor: Visit, tmp_path: Path) -> None:
    browser, folder = visitor(), started(tmp_path / "git", items(3))
    for texts in (["one", "two", "three"], ["four"]):
        (folder.path / "captions.jsonl").unlink(missing_ok=True)
        with folder.ledger() as ledger:
            for number, text in enumerate(texts):
                ledger.record(said(str(number), text))
        answer = browser.get("/api/watch", params={"run": "git", "after": "3"}).json()
        assert answer["after"] == [len(texts)]
    assert [card["answers"][0]["caption"] for card in answer["cards"]] == ["four"]


def test_runs_side_by_side_share_an_image_with_the_same_references(visitor: Visit, tmp_path: Path) -> None:
    same, other = Item("1", None, ("a dog",)), Item("1", None, ("a bus",))
    for name, item in (("git", same), ("blip", same), ("other", other)):
        scored_run(tmp_path / name, {"1": f"by {name}"}, {"CIDEr": [0.5]}, [item])
    answer = visitor().get("/api/watch", params={"run": ["git", "blip", "other", "later"]}).json()
    assert [run["state"] for run in answer["runs"]] == ["complete"] * 3 + ["not begun"]
    captions = [[each["caption"] for each in card["answers"]] for card in answer["cards"]]
    assert captions == [["by git", "by blip"], ["by other"]]
    assert [each["run"] for each in answer["cards"][0]["answers"]] == ["git", "blip"]


def test_a_line_that_no_run_has_is_told(visitor: Visit, tmp_path: Path) -> None:
    path = scored_run(tmp_path / "git", {"1": "a dog"}, {"CIDEr": [0.5]})
    with (path / "captions.jsonl").open("a") as file:
        file.write('{"item_id": 7}\n')
    for _ in range(2):
        (run,) = visitor().get("/api/watch", params={"run": "git"}).json()["runs"]
        assert run["state"] == "unreadable"
        assert "captions.jsonl, line 2" in run["problem"]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\ud800 half", "\x00\x1b[2J", "</bdi>", "a" * 10_000, "\u202egod"]
)
def test_any_caption_is_text(visitor: Visit, tmp_path: Path, text: str) -> None:
    folder = started(tmp_path / "git", items(1))
    with folder.ledger() as ledger:
        ledger.record(said("0", "first"))
    line = json.dumps(caption_to_json(said("0", text)))
    (folder.path / "captions.jsonl").write_text(f"{line}\n")
    answer = visitor().get("/api/watch", params={"run": "git"})
    assert answer.headers["content-type"] == "application/json"
    caption = answer.json()["cards"][0]["answers"][0]["caption"]
    assert caption == text or (len(caption) == 4_000 and caption[:3999] == text[:3999])


def test_the_report_is_that_of_the_command(visitor: Visit, tmp_path: Path) -> None:
    for name in ("git", "blip"):
        scored_run(tmp_path / name, {"1": "a dog", "2": "a cat"}, {"CIDEr": [0.5, 0.7]})
    started(tmp_path / "new", items(1))
    browser = visitor()
    page = browser.get("/report", params={"run": ["git", "blip"]})
    assert page.status_code == 200
    assert "Leaderboard" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    refused = browser.get("/report", params={"run": ["git", "new"]})
    assert refused.status_code == 409
    assert "evaluator score" in refused.text
    assert browser.get("/report").status_code == 400
    assert browser.get("/report", params={"run": [str(n) for n in range(25)]}).status_code == 400


def test_a_picture_comes_in_two_sizes_and_a_damaged_one_says_so(visitor: Visit, tmp_path: Path) -> None:
    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "red.png")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    pictures = [Item(name, tmp_path / f"{name}.png", ()) for name in ("red", "damaged", "missing")]
    scored_run(tmp_path / "git", {item.id: "a wall" for item in pictures}, {"CIDEr": [0.5] * 3}, pictures)
    browser = visitor()
    red, damaged, missing = browser.get("/api/watch", params={"run": "git"}).json()["cards"]
    assert missing["picture"] == ""
    sizes = []
    for address in (red["picture"], f"{red['picture']}&size=large"):
        answer = browser.get(address)
        (tmp_path / "shown.jpg").write_bytes(answer.content)
        with Image.open(tmp_path / "shown.jpg") as image:
            sizes.append(image.size)
    assert sizes == [(640, 320), (1600, 800)]
    assert "picture cannot be read" in browser.get(damaged["picture"]).text
