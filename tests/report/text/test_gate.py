"""A regression check as text: what a model said is shown as text, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from evaluator.comparison.gate import parse_gate, regress
from evaluator.core import Item
from evaluator.report.text.gate import markdown

MakeRun = Callable[..., Path]


def test_changed_images_in_markdown(make_run: MakeRun) -> None:
    items = [Item(str(number), None, ("a dog", "one | dog")) for number in range(30)]
    before = {item.id: "<b>a|dog</b>\n`x`" for item in items}
    after = {item.id: "a cat" for item in items}
    runs = [
        make_run("before", before, {"CIDEr": [0.9] * 30}, items),
        make_run("after", after, {"CIDEr": [0.5] * 30}, items),
    ]
    lines = markdown(regress(*runs, [parse_gate("CIDEr>=-1.0")])).splitlines()
    assert lines[0] == "**after fails against before (30 captions differ): CIDEr>=-1.0**"
    assert "| ✗ | `CIDEr>=-1.0` | 90 | 50 | fails: -40.0 points (-42.6 to -37.4) |" in lines
    start = lines.index("<details><summary>worst changes on CIDEr</summary>")
    assert lines[start + 1 : start + 5] == [
        "",
        "| image | points | baseline | candidate | references |",
        "| --- | --- | --- | --- | --- |",
        r"| 0 | -40 | &lt;b>a\|dog&lt;/b> \`x\` | a cat | a dog<br>one \| dog |",
    ]
    assert lines[start + 14 : start + 16] == ["", "</details>"]
