"""The page holds what the run folders say, loads nothing, and shows hostile text as text."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.report.page.embedding import visible
from evaluator.report.page.html import write_report
from evaluator.report.redact import redact_paths

MakeRun = Callable[..., Path]
ReadPage = Callable[[Path], Any]

# What no page should show as anything but text.
HOSTILE = (
    "<script>alert(1)</script>",
    "</bdi></script><img src=x onerror=alert(1)>",
    "<!-- --!><svg/onload=alert(1)>",
    "]]><style>body{display:none}</style>",
    "&lt;b&gt; &amp;amp; \"quoted\" 'twice' `back`",
    "{{ 7 * 7 }} {% raw %} {# note #}",
    "a \u202egod\u202c and \u2066more",
    "a \U0001f415 and a \ufffe",
)


def two_runs(make_run: MakeRun, **options: Any) -> list[Path]:
    return [
        make_run(
            "better", {"1": "a dog", "2": "a cat"}, {"CIDEr": [1.2345, 0.5], "BLEU-4": [0.4, 0.2]}, **options
        ),
        make_run(
            "worse", {"1": "dogs", "2": "cats"}, {"CIDEr": [0.25, 0.75], "BLEU-4": [0.5, 0.3]}, **options
        ),
    ]


def test_numbers_are_those_of_the_files_in_points(
    make_run: MakeRun, read_page: ReadPage, tmp_path: Path
) -> None:
    runs = two_runs(make_run)
    page = read_page(write_report(compare(runs), tmp_path / "report.html"))
    (table,) = page.find("table")
    heads = [head.words for head in table.find("thead")[0].find("th")]
    assert heads == ["run", "rank", "CIDEr", "BLEU-4", "coverage", "images/s"]  # what decides comes first
    for line, run in zip(table.find("tbody")[0].find("tr"), runs, strict=True):
        scores = json.loads((run / "scores.json").read_bytes())["scores"]
        cells = dict(zip(heads, line.find("th") + line.find("td"), strict=True))
        assert cells["run"].words == run.name
        assert cells["coverage"].words == "100.00 %"
        for metric in ("BLEU-4", "CIDEr"):
            value, low, high = (100 * scores[metric][key] for key in ("value", "low", "high"))
            shown = re.findall(r"[\d.]+", cells[metric].words.replace("95 %", ""))
            assert [float(number) for number in shown] == pytest.approx([value, low, high], abs=0.05)
            assert scores[metric]["signature"] in cells[metric].attributes["title"]
            assert float(cells[metric].attributes["data-value"]) == scores[metric]["value"]
    # CIDEr leads, so it is what the table is sorted by, and whiskers are for headline metrics.
    assert [h.words for h in table.find("th") if "aria-sort" in h.attributes] == ["CIDEr"]
    assert len(table.find("svg", "whisker")) == 2
    best = [cell.find("b")[0].words for cell in table.find("td") if cell.find("b")]
    assert best == ["86.7", "40.0"]


def test_the_better_run_stands_first_whatever_the_order_given(
    make_run: MakeRun, read_page: ReadPage, tmp_path: Path
) -> None:
    runs = two_runs(make_run)
    page = read_page(write_report(compare(runs[::-1]), tmp_path / "report.html"))
    assert [head.words for head in page.find("tbody")[0].find("th")] == ["better", "worse"]


def test_nothing_is_loaded_and_nothing_else_may_run(
    make_run: MakeRun, read_page: ReadPage, tmp_path: Path, pictures: list[Path]
) -> None:
    items = [Item("1", pictures[0], ("see https://example.org/a.png",)), Item("2", None, ())]
    page = read_page(write_report(compare(two_runs(make_run, items=items)), tmp_path / "report.html"))
    for node in page.walk():
        for name, value in node.attributes.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"):
                assert value == "data:," or value.startswith("#"), (node.tag, name)
            assert not name.startswith("on"), (node.tag, name)
            assert name != "style", node.tag  # its hash is not in the policy
    (policy,) = (
        node.attributes["content"]
        for node in page.find("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    directives = dict(part.split(maxsplit=1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["img-src"] == "data:"
    types = [node.attributes.get("type") for node in page.find("script")]
    assert types == ["application/json"] * 2 + [None, "application/octet-stream", "application/json"]
    script = page.find("script")[2]  # the others' types make them data, which never runs
    assert not script.attributes
    for element, directive in ((script, "script-src"), (page.find("style")[0], "style-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    (style,) = page.find("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_pictures_lie_in_the_page(
    make_run: MakeRun, read_gallery: ReadPage, tmp_path: Path, pictures: list[Path]
) -> None:
    items = [Item(str(number), path, ("a colour",)) for number, path in enumerate(pictures)]
    items.append(Item("3", tmp_path / "gone.png", ("gone",)))
    (tmp_path / "torn.png").write_bytes(pictures[0].read_bytes()[:200])
    items.append(Item("4", tmp_path / "torn.png", ("torn",)))
    run = make_run("run", {item.id: "a" for item in items}, {"CIDEr": [0.5] * 5}, items=items)
    document = read_gallery(write_report(compare([run]), tmp_path / "report.html"))
    assert document["shown"]["folder"] == ""
    assert document["pictures"] == [0, 1, 2, -1, -1]
    assert document["noPicture"] == ["", "", "", "no picture at hand", "picture cannot be read"]
    colours = []
    for content in document["shown"]["shown"]:
        with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as picture:
            picture.load()
            assert picture.format == "JPEG"
            assert picture.width <= 640
            colours.append("rgb"[max(range(3), key=picture.getpixel((5, 5)).__getitem__)])
    assert colours == ["r", "g", "b"]


def test_hostile_text_is_text_wherever_it_comes_from(
    make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path
) -> None:
    items = [Item(f"{number}{text}", None, (text,)) for number, text in enumerate(HOSTILE)]
    failed = Item("failed", None, ())
    captions: dict[str, Any] = {item.id: item.references[0] for item in items}
    captions["failed"] = Caption("failed", Outcome.ERROR, error="".join(HOSTILE))
    runs = [
        make_run(
            name,
            captions,
            {f"CIDEr{HOSTILE[1]}": [0.5] * len(items)},
            items=[*items, failed],
            reasons={"SPICE": HOSTILE[0]},
            signature=f"{name}{HOSTILE[1]}",  # differs: a warning quotes it
            choices={"data": HOSTILE[0], "model": HOSTILE[1].replace("/", ""), "prompt": HOSTILE[2]},
            identity={"prompt": {"text": HOSTILE[1]}, "model": {HOSTILE[0]: HOSTILE[3]}, "data": {}},
            command=["run", HOSTILE[1]],
            versions={HOSTILE[0]: HOSTILE[1]},
        )
        for name in ("<img src=x onerror=alert(1)>", "b")
    ]
    output = write_report(compare(runs), tmp_path / "report.html")
    page = read_page(output)
    assert len(page.find("script")) == 5
    assert len(page.find("style")) == 1
    assert not page.find("img")
    assert not [name for node in page.walk() for name in node.attributes if name.startswith("on")]
    document = read_gallery(output)
    for of_run in document["answers"]:
        assert of_run["captions"] == [*HOSTILE, None]
        assert of_run["errors"] == {str(len(HOSTILE)): redact_paths("".join(HOSTILE))}
    assert [text for texts in document["references"] for text in texts] == list(HOSTILE)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(categories=None), max_size=30), min_size=1, max_size=8))
def test_any_caption_is_kept_as_it_is(
    make_run: MakeRun, read_gallery: ReadPage, tmp_path: Path, texts: list[str]
) -> None:
    run = make_run(
        "run", dict(zip(map(str, range(len(texts))), texts, strict=True)), {"CIDEr": [0.5] * len(texts)}
    )
    (answers,) = read_gallery(write_report(compare([run]), tmp_path / "report.html"))["answers"]
    (run / "captions.jsonl").unlink()  # or the next example would append to it
    assert answers["captions"] == [visible(text.encode(errors="replace").decode()) for text in texts]


def test_a_failure_is_never_a_caption(
    make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path
) -> None:
    captions: dict[str, Any] = {"good": "a dog"}
    for outcome in Outcome:
        if outcome is not Outcome.OK:
            reply = Reply(f"the words of {outcome}")
            captions[outcome] = Caption(outcome, outcome, reply, error=f"the reason of {outcome}")
    items = [Item(item_id, None, ()) for item_id in (*captions, "later")]
    run = make_run("run", captions, {"CIDEr": [0.5]}, items=items)
    output = write_report(compare([run]), tmp_path / "report.html")
    document = read_gallery(output)
    (answers,) = document["answers"]
    assert answers["captions"] == ["a dog"] + [None] * 8
    assert "the words of" not in json.dumps(document)
    shown = {
        document["outcomes"][code]: answers["errors"].get(str(place))
        for place, code in enumerate(answers["ended"])
    }
    failures = [outcome for outcome in Outcome if outcome is not Outcome.OK]
    assert shown == {"ok": None} | {str(o): f"the reason of {o}" for o in failures} | {"not tried": None}
    page = read_page(output)
    (summary,) = page.find("section", "summary")
    assert "run has captions for 1 of 9 images (11.11 %)" in summary.words
    assert "1 not tried yet" in summary.words


def test_what_was_not_computed_says_why(make_run: MakeRun, read_page: ReadPage, tmp_path: Path) -> None:
    reason = "there is no Java. Install it: /opt/java/bin is empty"
    runs = [
        make_run("one", {"1": "a dog"}, {"CIDEr": [0.5]}, reasons={"METEOR": reason, "SPICE": reason}),
        make_run("two", {"1": "a dog"}, {"CIDEr": [0.4], "SPICE": [0.2]}),
    ]
    page = read_page(write_report(compare(runs), tmp_path / "report.html"))
    heads = [head.words for head in page.find("thead")[0].find("th")]
    assert "METEOR" not in heads  # no run has it; the notes say why
    assert len(page.find("td", "absent")) == 1
    assert {cell.words for cell in page.find("td", "absent")} == {"not computed"}
    notes = [note.words for note in page.find("details", "notes")[0].find("li")]
    assert notes[:2] == [
        "METEOR, SPICE not computed for one: there is no Java. Install it: …/bin is empty",
        "METEOR not computed for two: not asked for in this run",
    ]


def test_warnings_are_shown(make_run: MakeRun, read_page: ReadPage, tmp_path: Path) -> None:
    captions = {"1": "a dog", "2": "a cat"}
    runs = [
        make_run("one", captions, {"CIDEr": [0.5, 0.5]}, signature="CIDEr|n:4"),
        make_run("two", captions, {"CIDEr": [0.4, 0.4]}, signature="CIDEr|n:3", dataset_digest="d2"),
    ]
    comparison = compare(runs)
    assert len(comparison.warnings) == 2
    page = read_page(write_report(comparison, tmp_path / "report.html"))
    (warnings,) = page.find("section", "warnings")
    assert [line.words for line in warnings.find("li")] == list(comparison.warnings)
    assert not page.find("tbody")[0].find("b"), "a best value among numbers that are not comparable"


def test_a_single_run_without_pictures_scores_or_captions(
    make_run: MakeRun, read_page: ReadPage, tmp_path: Path
) -> None:
    run = make_run("run", {}, {}, items=[Item("1", None, ())], reasons={"CIDEr": "no image has a caption"})
    page = read_page(write_report(compare([run]), tmp_path / "report.html"))
    (summary,) = page.find("section", "summary")
    assert "No metric could be computed" in summary.words
    assert "not tried" in [option.words for option in page.find("option")]
    assert not page.find("img")
    (warnings,) = page.find("section", "warnings")
    assert "run: 0 of 1 images; the run is not finished" in warnings.words


def test_no_folder_of_the_machine_is_shown(
    make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path, pictures: list[Path]
) -> None:
    home = "/home/ada/my data"
    failed = Caption("2", Outcome.ERROR, error=f"{pictures[1]}: the picture is damaged")
    run = make_run(
        "run",
        {"1": "a dog", "2": failed},
        {"CIDEr": [0.5]},
        items=[Item("1", pictures[0], ()), Item("2", pictures[1], ())],
        reasons={"CLIPScore": "'/home/ada/clip' cannot be loaded"},
        signature="CIDEr|checkpoint:'/home/ada/clip'",
        identity={"data": {"images": f"{home}/coco"}, "model": {"checkpoint": "/srv/weights"}, "prompt": {}},
        command=["run", f"data.images='{home}/coco'", "name=x"],
    )
    path = write_report(compare([run]), tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    assert "ada" not in text
    assert "my data" not in text
    assert "/srv" not in text
    assert str(tmp_path) not in text
    document = json.dumps(read_gallery(path))
    assert str(tmp_path) not in document
    assert "1.png: the picture is damaged" in document
    shown = read_page(path).text
    assert "data.images=" in shown
    assert "…/coco" in shown
    assert "…/weights" in shown


def test_runs_of_one_name_go_by_what_their_paths_do_not_share(
    make_run: MakeRun, read_page: ReadPage, tmp_path: Path
) -> None:
    choices = {"choices": {"data": "pets", "model": "git", "prompt": "none"}}
    runs = [make_run(f"{day}/mine", {"1": "a dog"}, {"CIDEr": [0.5]}, **choices) for day in ("mon", "tue")]
    page = read_page(write_report(compare(runs), tmp_path / "report.html"))
    assert [head.words for head in page.find("tbody")[0].find("th")] == ["mon/mine", "tue/mine"]


def test_the_same_runs_give_the_same_bytes(make_run: MakeRun, tmp_path: Path) -> None:
    runs = two_runs(make_run)
    first = write_report(compare(runs), tmp_path / "a.html").read_bytes()
    assert write_report(compare(runs), tmp_path / "b.html").read_bytes() == first


def test_the_page_takes_the_place_of_the_one_before(make_run: MakeRun, tmp_path: Path) -> None:
    output = tmp_path / "new" / "report.html"
    runs = two_runs(make_run)
    assert write_report(compare(runs[:1]), output) == output
    before = output.read_text(encoding="utf-8")
    write_report(compare(runs), output)
    assert output.read_text(encoding="utf-8") != before
    assert os.listdir(output.parent) == ["report.html"]


@pytest.mark.parametrize("failing", ["write_bytes", "replace"])
def test_a_full_disk_leaves_the_page_before(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    comparison = compare(two_runs(make_run))
    output = tmp_path / "out" / "report.html"
    write_report(comparison, output)
    before = output.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((Path, "write_bytes") if failing == "write_bytes" else (os, "replace")), full)
    with pytest.raises(StoreError, match=r"cannot write the report .*report\.html: No space left on device"):
        write_report(comparison, output)
    assert os.listdir(output.parent) == ["report.html"]
    assert output.read_bytes() == before


def test_a_folder_that_is_a_file_is_an_error_of_ours(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the report"):
        write_report(compare(two_runs(make_run)), tmp_path / "file" / "report.html")


def test_published_captions_of_real_photographs(
    real_data: Path, make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path
) -> None:
    document = json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())
    references: dict[int, list[str]] = {}
    for annotation in document["annotations"]:
        references.setdefault(annotation["image_id"], []).append(annotation["caption"])
    items = [
        Item(str(image), real_data / "coco" / "images" / f"{image:012}.jpg", tuple(references[image]))
        for image in references
    ]
    runs = []
    for system in ("blip2_opt2.7b_coco_finetuned", "zerocap"):
        said = json.loads((real_data / "systems" / f"{system}.json").read_bytes())
        captions = {str(line["image_id"]): line["caption"] for line in said}
        runs.append(
            make_run(
                system, {item.id: captions[item.id] for item in items}, {"CIDEr": [0.5] * 5000}, items=items
            )
        )
    output = write_report(compare(runs), tmp_path / "report.html")
    assert output.stat().st_size < 3_300_000  # of which 32 pictures take 2 MB
    document = read_gallery(output)
    assert len(document["ids"]) == 5000
    assert len(document["shown"]["shown"]) == 32
    assert "All 5,000 images, 32 of them with their picture" in read_page(output).words


def test_a_run_without_a_caption_takes_nothing_from_the_others(make_run: MakeRun, tmp_path: Path) -> None:
    """It is named, it has no score and no part in what the others are compared on."""
    said = {"1": "a dog", "2": "a cat"}
    refused = {item_id: Caption(item_id, Outcome.REFUSED) for item_id in said}
    items = [Item(item_id, None, ("a pet",)) for item_id in said]
    good = make_run("good", said, {"CIDEr": [0.5, 0.7]}, items)
    other = make_run("other", said, {"CIDEr": [0.4, 0.6]}, items)
    failed = make_run("failed", refused, {}, items, reasons={"CIDEr": "no image has a caption"})
    found = compare([good, other, failed])
    assert found.warnings == ("failed has no caption at all and is left out of the comparison",)
    assert found.pairs.images == 2
    assert [row.label for row in found.ranked("CIDEr")] == ["good", "other"]
    score = found.rows[0].score("CIDEr")
    assert score is not None
    assert score.value == pytest.approx(0.6)
    assert (
        "good leads on CIDEr (60.0); its lead over other, 10.0 points, could be chance"
        in write_report(found, tmp_path / "report.html").read_text()
    )


def test_runs_that_share_no_image_have_no_score_to_compare(make_run: MakeRun, tmp_path: Path) -> None:
    items = [Item(item_id, None, ("a pet",)) for item_id in ("1", "2")]
    one = {"1": "a dog", "2": Caption("2", Outcome.REFUSED)}
    two = {"1": Caption("1", Outcome.REFUSED), "2": "a cat"}
    runs = [
        make_run("one", one, {"CIDEr": [0.5]}, items),
        make_run("two", two, {"CIDEr": [0.5]}, items),
    ]
    found = compare(runs)
    assert "compared on the 0 of 2 images" in found.warnings[0]
    for row in found.rows:
        assert row.score("CIDEr") is None
        assert row.reason("CIDEr") == "no image that all runs captioned could be scored"
    write_report(found, tmp_path / "report.html")
