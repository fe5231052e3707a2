"""Who may ask the app, and what no browser can reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.core import Item
from tests.scored_runs import scored_run
from tests.web.conftest import HOST, TOKEN

pytest.importorskip("starlette")
from evaluator.web.guard import LONGEST_POST, POLICY, Guard

Visit = Callable[..., Any]
ADDRESSES = (
    "/",
    "/watch?run=git",
    "/report?run=git",
    "/api/runs",
    "/picture?run=git&image=0",
    "/static/view.css",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_the_token_nothing_is_shown(visitor: Visit, tmp_path: Path, address: str) -> None:
    scored_run(tmp_path / "git", {"1": "a secret dog"}, {"CIDEr": [0.5]})
    stranger = visitor(has_token=False)
    for headers in ({}, {"cookie": "evaluator=guess"}, {"authorization": f"Bearer {TOKEN}"}):
        answer = stranger.get(address, headers=headers)
        assert answer.status_code == 403
        assert "secret" not in answer.text
        assert "git" not in answer.text
    assert stranger.get(address, params={"token": f"{TOKEN}x"}).status_code == 403


def test_the_token_becomes_a_cookie_that_only_this_site_sends(visitor: Visit) -> None:
    browser = visitor(has_token=False)
    entry = browser.get("/watch", params={"run": "a b&c", "token": TOKEN})
    assert "url=/watch?run=a+b%26c" in entry.text
    assert TOKEN not in entry.text
    cookie = entry.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert "domain" not in cookie
    assert browser.get("/api/runs").json()["runs"] == []


def test_the_way_in_leads_to_no_other_site(visitor: Visit) -> None:
    entry = visitor(has_token=False).get(f"{HOST}//example.com/", params={"token": TOKEN})
    assert 'url=/example.com/"' in entry.text


def test_a_ticket_opens_the_app_once() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    guard = Guard(app, TOKEN, ["localhost"])
    ticket = guard.ticket()
    assert [guard._takes(ticket), guard._takes(ticket), guard._takes(TOKEN), guard._takes(TOKEN)] == [
        True,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("host", "name", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8765", 200),
        ("127.0.0.1", "localhost:9000", 200),  # a tunnel
        ("127.0.0.1", "[::1]:8765", 200),
        ("127.0.0.1", "example.com", 421),  # whose name points here
        ("127.0.0.1", "127.0.0.1.example.com", 421),
        ("127.0.0.1", "localhost.", 421),
        ("127.0.0.1", "192.168.0.7:8765", 421),
        ("127.0.0.1", "[", 421),
        ("0.0.0.0", "192.168.0.7:8765", 200),  # no page elsewhere can let an address point here
        ("0.0.0.0", "example.com", 421),
    ],
)
def test_the_host_must_be_this_machine(visitor: Visit, host: str, name: str, status: int) -> None:
    browser = visitor(host=host)
    assert browser.get("/api/runs", headers={"host": name}).status_code == status


def test_every_answer_has_the_policy(visitor: Visit) -> None:
    browser = visitor()
    for address in ("/", "/api/runs", "/nothing", "/report?run=x", "/picture?run=x&image=1"):
        headers = browser.get(address).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"origin": "http://example.com"}, "{}", 403),
        ({"origin": "null"}, "{}", 403),
        ({}, "{}", 403),
        ({"origin": HOST.replace("8765", "8766")}, "{}", 403),  # another program on this machine
        ({"origin": HOST, "content-type": "text/plain"}, "{}", 415),  # what a form can send
        ({"origin": HOST}, " " * (LONGEST_POST + 1), 413),
        ({"origin": HOST}, iter([b"{}"]), 411),
        ({"origin": HOST}, "{}", 405),  # the list of runs takes no post
    ],
)
def test_a_post_comes_from_here_and_is_small(
    visitor: Visit, headers: dict[str, str], body: Any, status: int
) -> None:
    given = {"content-type": "application/json", **headers}
    assert visitor().post("/api/runs", content=body, headers=given).status_code == status
    assert visitor(has_token=False).post("/api/runs", content=body, headers=given).status_code in (
        status,
        403,
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(visitor: Visit, method: str) -> None:
    assert visitor().request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "name", ["../git", "/etc", "..", ".", "git/../git", "git\0", "", "%2e%2e", "runs/git"]
)
def test_a_name_is_looked_up_and_never_a_path(visitor: Visit, tmp_path: Path, name: str) -> None:
    scored_run(tmp_path / "git", {"1": "a dog"}, {"CIDEr": [0.5]})
    browser = visitor()
    for address in ("/report", "/picture?image=0"):
        assert browser.get(address, params={"run": name, "image": "0"}).status_code == 404
    assert browser.get("/api/watch", params={"run": name}).json()["runs"][0]["state"] == "not begun"
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/%2Fetc%2Fpasswd",
        "/static/runs.html",
    ):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize("image", ["-1", "1", "999999999", "9999999999", "0/../1", "", "x", "²"])
def test_only_the_pictures_of_a_run_are_shown(visitor: Visit, tmp_path: Path, image: str) -> None:
    Image.new("RGB", (30, 20), "red").save(tmp_path / "red.png")
    items = [Item("1", tmp_path / "red.png", ("a red wall",))]
    scored_run(tmp_path / "git", {"1": "a dog"}, {"CIDEr": [0.5]}, items)
    browser = visitor()
    shown = browser.get("/picture", params={"run": "git", "image": "0"})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert browser.get("/picture", params={"run": "git", "image": image}).status_code == 404
    assert browser.get("/picture", params={"run": "git", "image": "0", "size": "99999"}).status_code == 404


def test_a_folder_of_somebody_else_shows_no_picture_of_this_machine(visitor: Visit, tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), "red").save(tmp_path / "private.png")
    path = scored_run(tmp_path / "git", {"1": "a dog"}, {"CIDEr": [0.5]})
    line = (path / "items.jsonl").read_text()
    (path / "items.jsonl").write_text(line.replace("null", f'"{tmp_path / "private.png"}"'))
    browser = visitor()
    (card,) = browser.get("/api/watch", params={"run": "git"}).json()["cards"]
    assert card["picture"] == ""
    assert browser.get("/picture", params={"run": "git", "image": "0"}).status_code == 404


def test_the_icon_that_browsers_ask_for_is_there(visitor: Visit) -> None:
    assert visitor().get("/favicon.ico").headers["content-type"].startswith("image/svg+xml")
