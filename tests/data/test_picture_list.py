"""Lists of pictures, fetched from a server on loopback."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import evaluator.demo
from evaluator.config.settings import Settings
from evaluator.core.errors import DataError, ImageError
from evaluator.data.picture_list import PictureList, read_list
from evaluator.files import public_addresses
from evaluator.files.downloads import download_to
from evaluator.files.public_addresses import refuse_private
from evaluator.prepare import chosen
from tests.files.test_downloads import file_server

PICTURE = (Path(evaluator.demo.__file__).parent / "data" / "images" / "000000000001.png").read_bytes()
A, B = "http://x.org/a", "http://x.org/b.jpg?size=large"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{A}\n\n{B}\r\n", {A: (), B: ()}),
        (f"a dog runs\t{A}\na cat\t{B}\na pet\t{A}\n", {A: ("a dog runs", "a pet"), B: ("a cat",)}),
        (f"{A}\ta dog\n", {A: ("a dog",)}),
        (f'url,caption\n{A},"a dog, big"\n', {A: ("a dog, big",)}),
        (f'{{"url": "{A}", "caption": "a dog"}}\n', {A: ("a dog",)}),
        ("a dog\tdogs/1.jpg\n", {"dogs/1.jpg": ("a dog",)}),
    ],
)
def test_the_forms_of_a_list(tmp_path: Path, content: str, expected: object) -> None:
    (tmp_path / "list.tsv").write_text(content)
    assert read_list(tmp_path / "list.tsv") == expected


def test_a_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{A}\nno address\n")
    with pytest.raises(DataError, match=r"line 2: expected an address"):
        read_list(tmp_path / "list.txt")


def test_only_what_a_run_needs_is_fetched_and_only_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here.png").write_bytes(PICTURE)
    files = {"/a": PICTURE, "/page": b"<html>", "/d": PICTURE}
    with file_server(files) as address:
        places = [f"{address}/a", f"{address}/page", f"{address}/gone", "here.png", f"{address}/d"]
        (tmp_path / "list.tsv").write_text("".join(f"text\t{place}\n" for place in places))
        dataset = PictureList(tmp_path / "list.tsv", allow_private=True)
        items = chosen(dataset, dataset.load(), Settings(limit=4))
    assert [item.id for item in items] == places[:4]
    assert [bool(item.image and item.image.exists()) for item in items] == [True, False, False, True]
    assert "2 of 3 pictures could not be fetched" in caplog.text
    assert "what the server sends is no picture" in caplog.text
    assert "the server answers 404" in caplog.text
    assert not any(item.image and item.image.exists() for item in dataset.load()[4:])
    caplog.clear()
    chosen(dataset, dataset.load(), Settings(limit=1))  # the server is gone
    assert not caplog.records


def test_an_address_of_this_machine_is_refused_unless_allowed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    with file_server({"/a": PICTURE}) as address, caplog.at_level(logging.WARNING):
        (tmp_path / "list.txt").write_text(f"{address}/a\n{address.replace('127.0.0.1', 'localhost')}/a\n")
        dataset = PictureList(tmp_path / "list.txt")
        dataset.fetch(dataset.load())
    assert "2 of 2 pictures could not be fetched" in caplog.text
    assert "data.allow_private=true" in caplog.text


@pytest.mark.parametrize("address", ["https://127.0.0.1:1/a", "http://[::1]:1/a", "http://localhost:1/a"])
def test_nothing_is_sent_to_this_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(ImageError, match="is an address of this machine"):
        download_to(address, tmp_path / "a", allow_private=False)


def test_a_redirect_to_a_private_address_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback stands for the public server, and another address of loopback for a private one."""

    def refuse(host: str) -> None:
        if host != "127.0.0.1":
            refuse_private(host)

    monkeypatch.setattr(public_addresses, "refuse_private", refuse)
    files: dict[str, bytes | str] = {"/a": PICTURE}
    with file_server(files) as address:
        files["/moved"] = f"{address.replace('127.0.0.1', '127.0.0.2')}/a"
        download_to(f"{address}/a", tmp_path / "a", allow_private=False)
        with pytest.raises(ImageError, match=r"127\.0\.0\.2 is an address of this machine"):
            download_to(f"{address}/moved", tmp_path / "moved", allow_private=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1", "ff02::1"),
        *("255.255.255.255", "64:ff9b::7f00:1"),
    ],
)
def test_networks_that_are_not_public(host: str) -> None:
    with pytest.raises(ImageError, match="private network"):
        refuse_private(host)


@pytest.mark.parametrize("host", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_networks_that_are(host: str) -> None:
    refuse_private(host)


def test_a_name_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    (tmp_path / "own" / "a.jpg").write_bytes(PICTURE)
    (tmp_path / "own" / "list.txt").write_text(f"a.jpg\n../secret.jpg\n{tmp_path}/secret.jpg\n")
    items = PictureList(tmp_path / "own" / "list.txt").load()
    assert [item.image for item in items if item.image and item.image.exists()] == [
        tmp_path / "own" / "a.jpg"
    ]
