"""Scored runs made by hand, and a page read back into a tree."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.core import Caption, Item, Measurement, NotComputed, Outcome, Reply, Results, Score, Signature
from evaluator.store.counts import count_outcomes, per_image_table
from evaluator.store.manifest import Environment, Manifest
from evaluator.store.run_folder import RunFolder

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


def scored_run(
    path: Path,
    captions: Mapping[str, str | Caption],
    scores: Mapping[str, Sequence[float]],
    items: Sequence[Item] | None = None,
    margin: float = 0.02,
    reasons: Mapping[str, str] | None = None,
    signature: str = "{metric}|v:0",
    higher_is_better: bool = True,
    images_per_second: float | None = None,
    cost_usd: float | None = None,
    **manifest: Any,
) -> Path:
    """A run folder; the scores are those of its captions in their order, and a mean of them each."""
    items = items or [Item(item_id, None, (f"a reference of {item_id}",)) for item_id in captions]
    recorded = {
        item_id: Caption(item_id, Outcome.OK, Reply(text)) if isinstance(text, str) else text
        for item_id, text in captions.items()
    }
    environment = {
        name: manifest.pop(name) for name in ("versions", "machine", "command") if name in manifest
    }
    of_run = {
        "choices": {"data": "pets", "model": path.name, "prompt": "none"},
        "identity": {"data": {}, "model": {}, "prompt": {"name": "none", "text": ""}},
        "dataset_digest": "d1",
        "images": len(items),
        "environment": Environment(**environment),
    }
    folder = RunFolder(path)
    folder.begin(Manifest(**(of_run | manifest)), {}, items)
    with folder.ledger() as ledger:
        for caption in recorded.values():
            ledger.record(caption)
    measurements = [
        Measurement(
            metric,
            np.array([[value, 1.0] for value in values]),
            "mean",
            Signature(signature.format(metric=metric)),
            higher_is_better,
        )
        for metric, values in scores.items()
    ]
    results = Results(
        images=len(items),
        outcomes=count_outcomes(recorded.values()),
        scores=tuple(
            Score(
                measurement.name,
                measurement.value,
                measurement.value - margin,
                measurement.value + margin,
                measurement.signature,
                higher_is_better,
                images=int(measurement.scored.sum()),
            )
            for measurement in measurements
        ),
        not_computed=tuple(NotComputed(metric, reason) for metric, reason in (reasons or {}).items()),
        images_per_second=images_per_second,
        cost_usd=cost_usd,
    )
    ids = [item_id for item_id, caption in recorded.items() if caption.text is not None]
    table = per_image_table(recorded, ids, measurements)
    folder.write_results(folder.load().scored(results, ids, measurements, table))
    return path


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes a scored run of this name in the test's own folder."""

    def make(name: str, *arguments: Any, **options: Any) -> Path:
        return scored_run(tmp_path / name, *arguments, **options)

    return make


@pytest.fixture
def read_page() -> Callable[[Path], Node]:
    return parsed


@pytest.fixture
def read_gallery() -> Callable[[Path], dict[str, Any]]:
    """What the page's script unpacks, and under "shown" the pictures that it has."""

    def read(path: Path) -> dict[str, Any]:
        data, pictures = (node.text for node in parsed(path).find("script") if "id" in node.attributes)
        document = json.loads(gzip.decompress(base64.b64decode(data, validate=True)))
        assert isinstance(document, dict)
        return document | {"shown": json.loads(pictures)}

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
