"""The arena: two captions without names, votes on the disk, and what a rater cannot do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from evaluator.arena.votes import Vote, append_vote, read_votes
from evaluator.core import Item
from tests.scored_runs import scored_run
from tests.web.conftest import HOST, SCREENSHOTS, TOKEN, width_of

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
from starlette.testclient import TestClient

from evaluator.core.errors import DataError
from evaluator.store.run import Run
from evaluator.web.arena_app import arena_app
from evaluator.web.arena_session import ArenaSession, contest
from evaluator.web.guard import Guard, names_of

SYSTEMS = ("first-system", "second-system", "third-system")
HOSTILE = "<img src=x onerror=alert(1)>"
ORIGIN = {"origin": HOST}


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Three systems on 40 pictures, whose captions all differ."""
    items = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (60, 40), (6 * number, 90, 120)).save(path)
        items.append(Item(f"image-{number}", path, ("a reference",)))
    said = {
        name: {item.id: f"{HOSTILE} caption {n} of {item.id[6:]}" for item in items}
        for n, name in enumerate(SYSTEMS)
    }
    return [
        scored_run(tmp_path / "runs" / name, said[name], {"CIDEr": [0.5] * 40}, items) for name in SYSTEMS
    ]


@pytest.fixture
def session(runs: list[Path], tmp_path: Path) -> ArenaSession:
    asked = contest([Run(path) for path in runs], SYSTEMS)
    return ArenaSession(asked, tmp_path / "votes.jsonl", Random(7))


def rater_at(session: ArenaSession, has_token: bool = True) -> Any:
    browser = TestClient(Guard(arena_app(session, 200), TOKEN, names_of("127.0.0.1")), base_url=HOST)
    if has_token:
        browser.get("/", params={"token": TOKEN})
    return browser


def post(browser: Any, address: str, **document: Any) -> Any:
    return browser.post(address, json={"rater": "anna", **document}, headers=ORIGIN)


@pytest.mark.parametrize("choice", ["left", "right", "tie", "both_bad", "skip"])
def test_a_vote_is_of_the_systems_behind_the_captions(
    session: ArenaSession, tmp_path: Path, choice: str
) -> None:
    browser = rater_at(session)
    seen = post(browser, "/api/next").json()
    answer = post(browser, "/api/vote", ticket=seen["ticket"], choice=choice, reason=" the colour ").json()
    (vote,), _ = read_votes([tmp_path / "votes.jsonl"])
    said = {side: int(seen[side].split("caption ")[1][0]) for side in ("left", "right")}
    left, right = (SYSTEMS[said[side]] for side in ("left", "right"))
    assert {vote.a, vote.b} == {left, right}
    assert vote.left == ("a" if vote.a == left else "b")
    assert vote.preferred == {"left": left, "right": right}.get(choice, choice)
    assert (vote.rater, vote.reason, vote.time[-1]) == ("anna", "the colour", "Z")
    assert answer["ticket"] not in ("", seen["ticket"])
    assert (answer["votes"], answer["own"], answer["goal"]) == (choice != "skip", choice != "skip", 200)


def test_nothing_that_a_rater_gets_names_a_system(session: ArenaSession) -> None:
    browser = rater_at(session)
    for _ in range(5):
        answer = post(browser, "/api/next")
        seen = answer.json()
        picture = browser.get("/picture", params={"ticket": seen["ticket"]})
        assert picture.headers["content-type"] == "image/jpeg"
        for text in (answer.text, str(answer.headers), str(picture.headers)):
            assert not any(word in text for word in (*SYSTEMS, "image-", "runs"))
        post(browser, "/api/vote", ticket=seen["ticket"], choice="tie")
    for address in ("/api/runs", "/watch", "/report?run=first-system", "/api/watch?run=first-system"):
        assert browser.get(address).status_code == 404


def test_a_question_waits_for_its_rater_and_is_answered_once(session: ArenaSession, tmp_path: Path) -> None:
    browser = rater_at(session)
    seen = post(browser, "/api/next").json()
    assert post(browser, "/api/next").json() == seen  # the page was loaded again
    assert post(browser, "/api/next", rater="ben").json()["ticket"] != seen["ticket"]
    for _ in range(3):  # a double click
        assert post(browser, "/api/vote", ticket=seen["ticket"], choice="left").status_code == 200
    assert len(read_votes([tmp_path / "votes.jsonl"])[0]) == 1
    assert browser.get("/picture", params={"ticket": seen["ticket"]}).status_code == 404


def test_votes_of_another_process_count(session: ArenaSession, tmp_path: Path) -> None:
    browser, path = rater_at(session), tmp_path / "votes.jsonl"
    for number in range(3):
        append_vote(path, Vote(f"image-{number}", SYSTEMS[0], SYSTEMS[1], "a", "ben", "a", str(number)))
    append_vote(path, Vote("elsewhere", "other", "systems", "a", "ben", "a", "9"))
    answer = post(browser, "/api/next", rater="ben").json()
    assert (answer["votes"], answer["own"]) == (3, 3)


@pytest.mark.parametrize(
    "document",
    [
        {"choice": "left"},
        {"ticket": "x", "choice": "first-system"},
        {"ticket": 7, "choice": "left"},
        {"ticket": "x", "choice": ["left"]},
        {"ticket": "x", "choice": "left", "reason": 7},
        {"ticket": "x", "choice": "left", "rater": ""},
        {"ticket": "x", "choice": "left", "rater": "\u200b \n"},
        {"ticket": "x", "choice": "left", "rater": "a" * 61},
        {"ticket": "x", "choice": "left", "rater": None},
    ],
)
def test_an_odd_vote_is_refused(session: ArenaSession, tmp_path: Path, document: dict[str, Any]) -> None:
    assert post(rater_at(session), "/api/vote", **document).status_code == 400
    assert not (tmp_path / "votes.jsonl").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 60_000, '"left"', "\xff"])
def test_what_is_no_vote_is_refused(session: ArenaSession, content: str) -> None:
    headers = {**ORIGIN, "content-type": "application/json"}
    answer = rater_at(session).post("/api/vote", content=content.encode("latin-1"), headers=headers)
    assert answer.status_code == 400


def test_a_vote_without_the_token_or_from_another_site_is_refused(
    session: ArenaSession, tmp_path: Path
) -> None:
    seen = post(rater_at(session), "/api/next").json()
    vote = {"rater": "anna", "ticket": seen["ticket"], "choice": "left"}
    assert rater_at(session, has_token=False).post("/api/vote", json=vote, headers=ORIGIN).status_code == 403
    browser = rater_at(session)
    for headers in ({}, {"origin": "http://example.com"}, {"origin": "null"}):
        assert browser.post("/api/vote", json=vote, headers=headers).status_code == 403
    assert browser.post("/api/vote", data=vote, headers=ORIGIN).status_code == 415
    long = {**vote, "reason": "x" * 70_000}
    assert browser.post("/api/vote", json=long, headers=ORIGIN).status_code == 413
    assert not (tmp_path / "votes.jsonl").exists()


def test_a_vote_that_cannot_be_saved_stays_open(
    session: ArenaSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = rater_at(session)
    seen = post(browser, "/api/next").json()

    def full(path: Path, vote: Vote) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("evaluator.web.arena_session.append_vote", full)
        refused = post(browser, "/api/vote", ticket=seen["ticket"], choice="left")
    assert refused.status_code == 507
    assert "No space left" in refused.text
    assert post(browser, "/api/vote", ticket=seen["ticket"], choice="left").status_code == 200
    assert len(read_votes([tmp_path / "votes.jsonl"])[0]) == 1


def test_a_damaged_file_of_votes_is_told_to_its_owner(
    session: ArenaSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Raters learn that voting has stopped, and no path of the machine that it runs on."""
    browser = rater_at(session)
    seen = post(browser, "/api/next").json()
    assert post(browser, "/api/vote", ticket=seen["ticket"], choice="left").status_code == 200
    path = tmp_path / "votes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"no": "vote"}\n')
    refused = post(browser, "/api/next")
    assert refused.status_code == 500
    assert "The votes cannot be read" in refused.text
    assert str(tmp_path) not in refused.text
    assert "votes.jsonl, line 2" in caplog.text
    path.write_bytes(whole)
    assert post(browser, "/api/next").json()["votes"] == 1


def test_runs_without_a_question_are_told(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is nothing to vote on"):
        contest([Run(runs[0]), Run(runs[0])], ["one", "the same"])
    for path in tmp_path.glob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match="no image has a picture at hand"):
        contest([Run(path) for path in runs], SYSTEMS)


def test_the_command_says_what_is_asked_and_where_the_votes_are(
    command: Callable[..., Any], runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluator.web.server.Served.wait", lambda served: None)
    done = command("arena", *runs, "--votes", 200, "--port", 0, "--no-browser")
    assert done.returncode == 0, done.stderr
    votes = Path("runs/votes.jsonl")
    assert f"120 questions; {votes} holds 0 votes on them" in done.stdout
    assert "separate two systems of which one wins 66 % of the votes or more" in done.stdout
    assert f"evaluator arena results {votes}" in done.stdout
    assert command("arena", runs[0]).returncode == 2
    (tmp_path / "odd.jsonl").write_text("[1]\n")
    odd = command("arena", *runs, "--output", "odd.jsonl", "--no-browser")
    assert odd.returncode == 2
    assert "odd.jsonl: line 1: a vote is an object" in odd.stderr


@contextmanager
def arena_of(runs: list[Path], votes: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it prints."""
    options = ["--output", votes, "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-m", "evaluator", "arena", *runs, *options],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    ) as arena:
        assert arena.stdout
        try:
            yield arena, next(line for line in arena.stdout if line.startswith("http")).strip()
        finally:
            arena.kill()


def rater_on(browser: Any, address: str, rater: str, width: int) -> tuple[Any, list[str]]:
    """A page on which a rater has begun, and what it complains about."""
    page = browser.new_context(viewport={"width": width, "height": 740}).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.text} {message.location.get('url')}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#who button:enabled")
    page.fill("#rater", rater)
    page.keyboard.press("Enter")
    page.wait_for_selector("#question:visible")
    assert width_of(page, "#picture") == 60
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert HOSTILE in page.inner_text("#left")
    edges = [page.locator(part).bounding_box() for part in ("#right", "#reason")]
    assert len({round(edge["x"] + edge["width"]) for edge in edges}) == 1  # captions have all the room
    return page, complaints


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_two_raters_vote_by_keyboard_and_a_kill_loses_nothing(
    browser: Any, runs: list[Path], tmp_path: Path
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    votes = tmp_path / "votes.jsonl"
    keys = ["a", "b", "ArrowLeft", "ArrowRight", "t", "x"]
    for begun in (0, 30):
        with arena_of(runs, votes) as (arena, address):
            raters = [rater_on(browser, address, *each) for each in (("anna", 1280), ("ben", 360))]
            if not begun:
                SCREENSHOTS.mkdir(parents=True, exist_ok=True)
                for (page, _), name in zip(raters, ("arena", "arena_phone"), strict=True):
                    assert not [one["id"] for one in axe.Axe().run(page).response["violations"]]
                    page.screenshot(path=SCREENSHOTS / f"{name}.png")
            for number in range(15):
                for (page, _), rater in zip(raters, ("anna", "ben"), strict=True):
                    page.keyboard.press(keys[number % len(keys)])
                    page.wait_for_selector(f"#counts >> text={rater}: {begun // 2 + number + 1},")
            assert [complaints for _, complaints in raters] == [[], []]  # afterwards no server answers
            arena.send_signal(signal.SIGKILL)
            arena.wait(30)
        told = [json.loads(line) for line in votes.read_text().splitlines()]
        assert [one["rater"] for one in told[begun:]] == ["anna", "ben"] * 15
        raters[0][0].keyboard.press("a")
        raters[0][0].wait_for_selector("#notice >> text=this one is not")
        for page, _ in raters:
            page.context.close()
    found, warnings = read_votes([votes])
    assert (len(found), warnings) == (60, [])
    # Nobody is asked the same twice, but for swapped sides.
    assert len({(vote.rater, vote.question, vote.left) for vote in found}) == 60
