"""Folders of the machine are left out, and nothing that only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.report.redact import redact_paths, redacted

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789-_", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ada/7.jpg: there is no such file", "…/7.jpg: there is no such file"),
        ("cannot read /srv/a/b/c.json (torn)", "cannot read …/c.json (torn)"),
        ("--images=/data", "--images=…/data"),
        ("~/pictures/7.jpg and ~ada/8.jpg", "…/7.jpg and …/8.jpg"),
        ("file:///home/ada/7.jpg", "…/7.jpg"),
        (r"C:\Users\ada\7.jpg", "…/7.jpg"),
        ("'/home/ada/my pictures/7.jpg'", "'…/7.jpg'"),
        ("data.images=/home/ada/my pictures/coco", "data.images=…/coco"),
    ],
)
def test_an_absolute_path_keeps_its_name_only(text: str, shown: str) -> None:
    assert redact_paths(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "runs/demo/scores.json",
        "./a/b ../c/d",
        "24.1 images/s and/or more",
        "see https://huggingface.co/openai/clip",
        "CIDEr / BLEU",
        "begins with b'\\x89PNG\\r\\n'",
        "",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert redact_paths(text) == text


@given(
    st.lists(WORDS, min_size=1, max_size=4),
    WORDS,
    st.sampled_from(["{}: is gone", "x='{}'", "({})", "a {} b"]),
)
def test_no_folder_is_left(folders: list[str], name: str, sentence: str) -> None:
    path = "/" + "/".join([*folders, name])
    assert redact_paths(sentence.format(path)) == sentence.format(f"…/{name}")


def test_a_page_shows_no_secret_of_an_older_run() -> None:
    typed = "model.base_url=https://ada:pw@example.com/v1?key=abc model.extra_body={k: sk-proj-abc123defg45}"
    shown = "model.base_url=https://***@example.com/v1?key=*** model.extra_body={k: ***}"
    assert redacted(typed) == shown
