"""Scored runs by name, and a page read back into a tree."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.store.manifest import Environment
from tests.scored_runs import scored_run

VOID = ("meta", "img", "input", "br", "wbr", "hr", "link", "base", "embed", "source", "track", "area", "col")


@dataclass
class Node:
    """An element with its children, elements and texts."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def find(self, tag: str = "", kind: str = "") -> list[Node]:
        """The elements below with this tag and this class."""
        return [
            node
            for node in self.walk()
            if tag in ("", node.tag) and (not kind or kind in node.attributes.get("class", "").split())
        ]

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def words(self) -> str:
        """The text as it is shown: runs of blanks are one."""
        return " ".join(self.text.split())


class TreeBuilder(HTMLParser):
    """Fails where an end tag does not close the element that is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(path: Path) -> Node:
    builder = TreeBuilder()
    builder.feed(path.read_bytes().decode())
    builder.close()
    assert len(builder.open) == 1, [node.tag for node in builder.open]
    return builder.open[0]


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes a scored run of this name in the test's own folder."""

    def make(name: str, *arguments: Any, **options: Any) -> Path:
        environment = {
            each: options.pop(each) for each in ("versions", "machine", "command") if each in options
        }
        return scored_run(tmp_path / name, *arguments, environment=Environment(**environment), **options)

    return make


@pytest.fixture
def read_page() -> Callable[[Path], Node]:
    return parsed


@pytest.fixture
def read_gallery() -> Callable[[Path], dict[str, Any]]:
    """What the page's script unpacks, and under "shown" the pictures that it has."""

    def read(path: Path) -> dict[str, Any]:
        scripts = parsed(path).find("script")
        held = {node.attributes["id"]: node.text for node in scripts if "id" in node.attributes}
        document = json.loads(gzip.decompress(base64.b64decode(held.pop("data"), validate=True)))
        assert isinstance(document, dict)
        first, first_pictures, others = (
            json.loads(held[name]) for name in ("first", "first-pictures", "pictures")
        )
        first_pictures["shown"] += others
        return document | {"first": first, "shown": first_pictures}

    return read


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures, each of one colour, the first larger than a thumbnail."""
    made = []
    for number, (colour, size) in enumerate([("red", (800, 400)), ("green", (100, 60)), ("blue", (60, 90))]):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", size, colour).save(path)
        made.append(path)
    return made
