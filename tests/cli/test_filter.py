"""`evaluator filter`: what is listed and what is written, for people's captions and a run's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from evaluator.config.run_config import run_configs
from tests.scorers.test_itm import saved

REFERENCES = {
    "images": [{"id": 1, "file_name": "000000000001.png"}, {"id": 2, "file_name": "000000000002.png"}],
    "annotations": [
        {"image_id": image, "caption": text, "id": number}
        for number, (image, text) in enumerate([(1, "a dog"), (1, "a red car"), (2, "a cat"), (2, "a ball")])
    ],
}


def test_captions_of_a_data_set_and_of_a_run(tmp_path: Path, command: Callable[..., Any]) -> None:
    from evaluator.demo import __file__ as demo

    (tmp_path / "refs.json").write_text(json.dumps(REFERENCES))
    pictures = Path(demo).parent / "data" / "images"
    data = ["data=coco", f"data.images={pictures}", f"data.annotations={tmp_path / 'refs.json'}"]
    itm = f"scorer.itm.checkpoint={saved(tmp_path / 'itm', 'blip')}"
    every = command("filter", *data, itm, "--threshold", "1.1", "--format", "json")
    assert every.returncode == 0, every.stderr
    judged = json.loads(every.stdout)["do_not_fit"]
    assert {(one["image_id"], one["caption"]) for one in judged} == {
        (str(one["image_id"]), one["caption"]) for one in REFERENCES["annotations"]
    }
    values = [one["ITM"] for one in judged]
    assert values == sorted(values)

    threshold = (values[1] + values[2]) / 2  # two captions on either side
    done = command("filter", *data, itm, "--threshold", str(threshold), "--output", "fitting.json")
    assert "2 of 4 captions do not fit their picture: ITM below" in done.stdout
    assert "fitting.json: the 2 captions that fit" in done.stdout
    written = json.loads((tmp_path / "fitting.json").read_text())
    assert [image["id"] for image in written["images"]] == [1, 2]
    assert {one["caption"] for one in written["annotations"]} == {one["caption"] for one in judged[2:]}

    captions = [{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat"}]
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    typed = ["--references", "refs.json", "--images", str(pictures), "--scorer", "bleu", "--output", "runs/x"]
    assert command("score", "captions.json", *typed).returncode == 0
    done = command("filter", "runs/x", itm, "--threshold", "0", "--output", "kept.json")
    assert "0 of 2 captions do not fit their picture" in done.stdout
    assert json.loads((tmp_path / "kept.json").read_text()) == captions


def test_a_threshold_that_is_no_number(command: Callable[..., Any]) -> None:
    done = command("filter", "demo", "--threshold", "nan")
    assert (done.returncode, "nan is not a number" in done.stderr) == (2, True)


def test_without_a_matching_head(command: Callable[..., Any]) -> None:
    done = command("filter", "demo", "scorer=[bleu]")
    assert done.returncode == 2
    assert "Type scorer=[itm]" in done.stderr


def test_the_demos_captions_fit_their_pictures_and_those_of_others_do_not() -> None:
    """200 captions, by the tiny model that comes with the demo."""
    (config,) = run_configs(["data=demo", "scorer=[tiny-itm]"])
    items = list(config.data.load())[:40]
    captions = [reference for item in items for reference in item.references]
    of_caption = [item for item in items for _ in item.references]
    of_next = [*of_caption[5:], *of_caption[:5]]
    (scorer,) = config.scorers.values()
    fitting, cosines = scorer.score(of_caption, captions)
    swapped, other_cosines = scorer.score(of_next, captions)
    assert fitting.value > 0.85
    assert swapped.value < 0.15
    assert (fitting.per_image > swapped.per_image).mean() > 0.95
    assert (cosines.per_image > other_cosines.per_image).mean() > 0.95


def test_the_demos_captions_are_filtered(command: Callable[..., Any], tmp_path: Path) -> None:
    done = command("filter", "demo", "scorer=[tiny-itm]", "limit=4", "--output", "fitting.json")
    assert done.returncode == 0, done.stderr
    assert "of 20 captions do not fit their picture: ITM below 0.5" in done.stdout
    assert len(json.loads((tmp_path / "fitting.json").read_text())["annotations"]) > 10
