"""Files as people have them, from public reports and repositories: read, or named for what they are.

Each case is a pair of a captions file and a references file in the folder of real cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluator.core import Item, Prompt
from evaluator.core.errors import DataError
from evaluator.data.coco import COCO
from evaluator.data.karpathy import Karpathy
from evaluator.models.replay import Replay

SIX = [str(number) for number in range(101, 107)]
CAPTIONS = {
    "101": "a cat sleeps on a red sofa",
    "102": "two children fly a kite at the beach",
    "103": "a man on a bike waits at a red light",
    "104": "a bowl of soup with noodles and an egg",
    "105": "a yellow tram drives over a bridge",
    "106": "a clock on a brick wall",
}
FIRST_REFERENCES = (
    "a tabby cat naps on a red sofa",
    "a striped cat asleep on the couch",
    "a cat curled up on a sofa",
)


@pytest.fixture
def cases(real_data: Path) -> Path:
    if not (real_data / "cases").is_dir():
        pytest.skip("the folder of cases is missing beside the real COCO data")
    return real_data / "cases"


def replayed(replay: Replay, items: list[Item], data: object = None) -> Mapping[str, str]:
    """The caption of each image, by the way that a run takes. Raises DataError as the run does."""
    captioner = replay.for_data(data, items)  # type: ignore[arg-type]
    captioner.check(Prompt("none"), items)
    with captioner.open(Prompt("none")) as session:
        answers = {item.id: session.caption([session.prepare(item)])[0] for item in items}
    return {item_id: answer.text for item_id, answer in answers.items() if hasattr(answer, "text")}


def files(cases: Path, captions: str, references: str) -> tuple[Replay, Karpathy]:
    return Replay(cases / captions), Karpathy(None, cases / references)


@pytest.mark.parametrize(
    ("captions", "references"),
    [
        ("R01/caps.json", "R01/refs.json"),
        ("R01/caps.json", "R01/coco_refs.json"),
        ("R05/caps.json", "R05/refs.json"),
        ("R08/results.json", "R08/coco_refs.json"),
        ("R08/results.json", "R08/results.json"),
        ("R12/dataset.json", "R12/dataset.json"),
        ("R18/caps.json", "R18/coco_refs.json"),
        ("R19/predictions.json", "R19/coco_refs.json"),
        ("R20/answers.jsonl", "R20/coco_refs.json"),
        ("R21/caps.json", "R21/refs.jsonl"),
        ("R24/predictions.csv", "R24/coco_refs.json"),
        ("R28/predictions.jsonl", "R28/coco_refs.json"),
        ("R33/log.json", "R33/coco_refs.json"),
        ("R33/log.json", "R33/log.json"),
        ("P05/filename.json", "P05/refs.json"),
        ("P05/float.csv", "P05/refs.json"),
        ("P05/float.json", "P05/refs.json"),
        ("P05/padded.json", "P05/refs.json"),
        ("P05/path.json", "P05/refs.json"),
        ("P05/plainname.json", "P05/refs.json"),
        ("P05/stem.json", "P05/refs.json"),
        ("P06/identical.json", "P06/refs.json"),
        ("P11/listcaps.json", "P11/good_refs.json"),
        ("P30/bom.csv", "P30/refs.json"),
        ("P30/heads.csv", "P30/refs.json"),
        ("P30/image.csv", "P30/refs.json"),
        ("P30/index.csv", "P30/refs.json"),
        ("P30/nohead.csv", "P30/refs.json"),
        ("P30/semicolon.csv", "P30/refs.json"),
        ("P30/tabs.tsv", "P30/refs.json"),
        ("P30/upper.CSV", "P30/refs.json"),
        ("P30/utf16.csv", "P30/refs.json"),
        ("P31/annos.json", "P31/refs.json"),
        ("P31/array.jsonl", "P31/refs.json"),
        ("P31/bom.json", "P31/refs.json"),
        ("P31/caps.json.gz", "P31/refs.json"),
        ("P31/lines.json", "P31/refs.json"),
        ("P31/mapping.json", "P31/refs.json"),
        ("P31/mapping_list.json", "P31/refs.json"),
        ("P31/prediction.json", "P31/refs.json"),
        ("P31/text.json", "P31/refs.json"),
        ("P31/wrapped.json", "P31/refs.json"),
        ("P48/lmms_samples.jsonl", "P48/refs.json"),
        ("P48/lmms_samples.jsonl", "P48/lmms_samples.jsonl"),
        ("P48/promptfoo.json", "P48/refs.json"),
        ("P48/llava_answers.json", "P48/refs.json"),
        ("P48/mmf.json", "P48/refs.json"),
        ("P48/caps.parquet", "P48/refs.json"),
        ("P31/bom.json", "P48/blip_list.json"),
        ("P31/bom.json", "P48/blip_flat.json"),
        ("P31/bom.json", "P51/annotations_only.json"),
        ("P31/bom.json", "P51/no_images.json"),
        ("P31/bom.json", "P51/list.json"),
        ("P31/bom.json", "P51/mapping.json"),
        ("P31/bom.json", "P51/str_ids.json"),
    ],
)
def test_a_file_is_read_as_what_it_is(cases: Path, captions: str, references: str) -> None:
    replay, data = files(cases, captions, references)
    items = data.load()
    assert [item.id for item in items] == SIX
    assert items[0].references == FIRST_REFERENCES
    assert {len(item.references) for item in items} == {3}
    assert replayed(replay, items, data) == CAPTIONS


@pytest.mark.parametrize(
    ("captions", "references"),
    [
        ("P14/caps.json", "P14/token.txt"),
        ("P14/caps.json", "P14/kaggle.txt"),
        ("P14/caps.json", "P14/results.csv"),
        ("P14/caps.json", "R23/results.csv"),
        ("R24/predictions.csv", "R24/metadata.jsonl"),
        ("R16/refs.csv", "R16/refs.csv"),
        ("R29/data.json", "R29/data.json"),
        ("R32/data.json", "R32/data.json"),
        ("P48/textcaps.json", "P48/textcaps.json"),
    ],
)
def test_references_of_flickr_and_others(cases: Path, captions: str, references: str) -> None:
    items = files(cases, captions, references)[1].load()
    assert len(items) == 6
    assert [text.removesuffix(" .") for text in items[0].references] == list(
        FIRST_REFERENCES[: 1 if references == "R24/metadata.jsonl" else 3]
    )


@pytest.mark.parametrize(
    ("captions", "references"),
    [
        ("P14/caps.json", "P14/token.txt"),
        ("P14/caps.json", "P14/results.csv"),
        ("R24/predictions.csv", "R24/metadata.jsonl"),
        ("R29/data.json", "R29/data.json"),
    ],
)
def test_captions_find_the_images_of_other_data_sets(cases: Path, captions: str, references: str) -> None:
    replay, data = files(cases, captions, references)
    assert list(replayed(replay, data.load(), data).values()) == list(CAPTIONS.values())


def test_the_one_caption_of_a_file_may_have_any_name(cases: Path) -> None:
    replay, data = files(cases, "R27/facts.jsonl", "R27/coco_refs.json")
    assert replayed(replay, data.load())["101"] == FIRST_REFERENCES[0]


@pytest.mark.parametrize(("field", "end"), [("base_caption", ""), ("lora_caption", " now")])
def test_one_of_several_columns_is_chosen(cases: Path, field: str, end: str) -> None:
    replay = Replay(cases / "R16/comparison.csv", caption_field=field)
    items = COCO(None, cases / "R16/refs.csv").load()
    assert replayed(replay, items) == {name: text + end for name, text in CAPTIONS.items()}


def test_pictures_without_references_can_be_captioned(cases: Path) -> None:
    items = COCO(None, cases / "R31/images.json").load()
    assert [(item.id, item.file_name, item.references) for item in items[:2]] == [
        ("0", "val/0000000000000065.jpg", ()),
        ("1", "val/0000000000000066.jpg", ()),
    ]


def test_an_empty_cell_is_an_empty_caption_and_an_empty_row_is_none(cases: Path) -> None:
    items = COCO(None, cases / "P30/refs.json").load()
    assert replayed(Replay(cases / "P30/gap.csv"), items)["103"] == ""
    assert replayed(Replay(cases / "P30/blank.csv"), items) == dict(
        zip(SIX, ["a cat", "two kids", "a man", "x", "y", "z"], strict=True)
    )


@pytest.mark.parametrize(
    ("captions", "references", "said"),
    [
        (
            "R10/caps.json",
            "R10/coco_refs.json",
            ["3 of its 76 captions", "'104', '105', '106'", "'101', '102'"],
        ),
        ("R16/comparison.csv", "R16/refs.csv", ["'base_caption', 'lora_caption'", "--caption-field"]),
        ("P06/differing.json", "P06/refs.json", ["[6]: image 101 already has another caption, at [0]"]),
        ("P13/caps.json", "P13/refs.json", ["none of its 3 captions", "Type: data.split=val"]),
        ("P30/short.csv", "P30/refs.json", ["line 3: 'caption' is missing: the row has 1 of 2 cells"]),
        ("P31/empty.json", "P31/refs.json", ["the file holds no captions"]),
        ("P31/zero.json", "P31/refs.json", ["the file is empty"]),
        ("P31/nan.json", "P31/refs.json", ["[0].caption: expected text", "found NaN", "Leave the image out"]),
        ("P31/null.json", "P31/refs.json", ["[5].caption: expected text", "found null"]),
        ("P31/single.json", "P31/refs.json", ["single quotes", "json.dump"]),
        ("P31/comma.json", "P31/refs.json", ["Remove the comma before the closing bracket"]),
        ("P31/refs.json", "P31/bom.json", ["a file of references, not of captions", "--references"]),
        ("R01/refs.json", "R01/caps.json", ["a file of references, not of captions"]),
        ("R05/refs.json", "R05/caps.json", ["a file of references, not of captions"]),
        ("P13/refs.json", "P13/refs.json", ["a file of references, not of captions"]),
        ("P31/bom.json", "P31/prediction.json", ["a file of captions, without references"]),
        ("P31/bom.json", "P51/null_ref.json", ["annotations[0].caption: expected text, found null"]),
        ("P31/bom.json", "P51/twice.json", ["image 101 is listed already"]),
        ("P31/bom.json", "P31/zero.json", ["the file is empty"]),
    ],
)
def test_what_cannot_be_scored_is_named(cases: Path, captions: str, references: str, said: list[str]) -> None:
    replay, data = files(cases, captions, references)
    if references == "P13/refs.json" and captions == "P13/refs.json":
        data = Karpathy(None, cases / references, "val")
    with pytest.raises(DataError) as raised:
        replayed(replay, data.load(), data)
    for words in said:
        assert words in str(raised.value)


def test_a_table_with_splits_names_the_one_that_fits(tmp_path: Path) -> None:
    rows = [
        f"{split},{number},a dog"
        for split in ("train", "val", "test")
        for number in (split + "1", split + "2")
    ]
    (tmp_path / "refs.csv").write_text("\n".join(["split,image_id,caption", *rows]))
    (tmp_path / "caps.csv").write_text("image_id,caption\nval1,a dog\nval2,a cat\n")
    data = Karpathy(None, tmp_path / "refs.csv")
    assert [item.id for item in data.load()] == ["test1", "test2"]
    with pytest.raises(DataError, match=r"Type: data\.split=val"):
        replayed(Replay(tmp_path / "caps.csv"), data.load(), data)
