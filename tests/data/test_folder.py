"""A folder of pictures as a data set."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import evaluator.demo
from evaluator.cli.main import cli
from evaluator.config.run_config import run_configs
from evaluator.core import Item
from evaluator.core.errors import ConfigError, DataError
from evaluator.data.folder import PictureFolder
from evaluator.store.run_folder import RunFolder

DEMO = Path(evaluator.demo.__file__).parent


def files(folder: Path, **contents: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_pictures_in_the_order_of_their_paths_with_the_texts_beside_them(tmp_path: Path) -> None:
    folder = files(
        tmp_path / "own",
        **{"b.JPG": "", "a/2.png": "", "a/1.heic": "", ".hidden/3.png": "", "notes.txt": "", "b.pdf": ""},
        **{"b.txt": "A kite.\n\n  A red kite. \n", "a/2.png.txt": "\ufeffA cat."},
    )
    assert PictureFolder(folder).load() == [
        Item("a/1.heic", folder / "a" / "1.heic"),
        Item("a/2.png", folder / "a" / "2.png", ("A cat.",)),
        Item("b.JPG", folder / "b.JPG", ("A kite.", "A red kite.")),
    ]
    assert [item.tags for item in PictureFolder(folder, tags="folders").load()] == [("a",), ("a",), ()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("refs.csv", "image,caption\na/cat.png,A cat.\na/cat.png,A pet.\nDOG.jpg,A dog.\n"),
        ("refs.json", '{"cat": ["A cat.", "A pet."], "dog.jpeg": ["A dog."]}'),
        (
            "refs.jsonl",
            '{"image": "cat.png", "caption": ["A cat.", "A pet."]}\n{"image": "dog", "caption": "A dog."}',
        ),
    ],
)
def test_a_file_of_references_names_the_pictures(tmp_path: Path, name: str, content: str) -> None:
    folder = files(
        tmp_path / "own", **{"a/cat.png": "", "dog.jpg": "", "bird.jpg": "", "bird.txt": "A bird."}
    )
    table = files(tmp_path, **{name: content}) / name
    assert {item.id: item.references for item in PictureFolder(folder, table).load()} == {
        "a/cat.png": ("A cat.", "A pet."),
        "bird.jpg": ("A bird.",),
        "dog.jpg": ("A dog.",),
    }


def test_no_folder_and_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        PictureFolder(tmp_path / "nowhere").load()
    with pytest.raises(DataError, match="there are no pictures in this folder"):
        PictureFolder(files(tmp_path / "texts", **{"a.txt": ""})).load()


def test_a_name_that_is_no_text_is_one_item(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb"):
        pass
    (item,) = PictureFolder(tmp_path).load()
    assert item.id == "caf\\udce9.jpg"
    assert item.image
    assert item.image.exists()


def test_two_folders_are_two_runs_and_one_folder_is_one() -> None:
    names = [run_configs(["data=folder", f"data.images={name}"])[0].name for name in ("a", "b", "a")]
    assert names[0] == names[2] != names[1]


def test_without_references_the_pictures_are_captioned_and_text_metrics_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "more").mkdir(parents=True)
    for number, place in ((1, "own"), (2, "own/more")):
        shutil.copy(DEMO / "data" / "images" / f"{number:012}.png", place)
    overrides = ["data=folder", "data.images=own", "model=tiny-git", "scorer=[bleu,cider,clipscore]"]
    clip = f"scorer.clipscore.checkpoint={DEMO / 'models' / 'clip'}"
    done = CliRunner().invoke(cli, ["run", *overrides, clip, "name=own"], standalone_mode=False)
    assert done.exception is None
    scores = json.loads((tmp_path / "runs" / "own" / "scores.json").read_text(encoding="utf-8"))
    computed = {name: score["computed"] for name, score in scores["scores"].items()}
    assert computed["CLIPScore"]
    assert not any(computed[name] for name in ("BLEU-4", "CIDEr", "RefCLIPScore"))
    captions = RunFolder(tmp_path / "runs" / "own").load().captions
    assert sorted(captions) == ["000000000001.png", "more/000000000002.png"]


def test_pictures_without_annotations_are_pointed_here() -> None:
    with pytest.raises(
        ConfigError, match=r"data\.annotations: it has no default.*data=folder data\.images=DIR"
    ):
        run_configs(["model=tiny-git", "data=coco", "data.images=own"])
