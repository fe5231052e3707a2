"""Data sets of the hub: local files with the columns that the hub's have, through the same code."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from evaluator.cli.main import cli
from evaluator.config.run_config import run_configs
from evaluator.core import Item
from evaluator.core.errors import DataError, ImageError, MissingPackage
from evaluator.data.coco import COCO
from evaluator.data.hub import Hub
from evaluator.data.known import dataset_name
from evaluator.files.images import is_file, read_file, read_picture
from evaluator.models.encoded_pictures import PictureRule, encode_picture
from evaluator.report.page.pictures import thumbnail_file
from evaluator.store.run import Run

datasets = pytest.importorskip("datasets")
# The library leaves the closing of CSV files to Python.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is kept from one test to the next."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))


def jpeg(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (number * 40, 0, 90)).save(buffer, "JPEG")
    return buffer.getvalue()


def picture(number: int, name: str | None = None) -> Mapping[str, Any]:
    return {"bytes": jpeg(number), "path": name}


def parquet(folder: Path, rows: Sequence[Mapping[str, Any]], split: str, image: str | None = "image") -> Path:
    """The rows as the hub keeps them: data/SPLIT-00000-of-00001.parquet, with the column's type."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table = datasets.Dataset.from_list(list(rows))
    if image:
        table = table.cast_column(image, datasets.Image())
    datasets.disable_progress_bars()
    table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


def chosen(name: str, *options: str) -> Any:
    """The data set of a choice of conf/data."""
    (config,) = run_configs([f"data={name}", *options, "model=tiny-git"])
    return config.data


FLICKR30K = [
    {"caption": ["A dog.", "A pet."], "sentids": ["0", "1"], "split": split, "img_id": "7", "filename": name}
    for name, split in (("1000092795.jpg", "train"), ("1007129816.jpg", "test"))
]
# Each choice with rows of its columns, the split, the picture's column, and what the first item is.
SCHEMAS: Sequence[tuple[str, Sequence[Mapping[str, Any]], str, str, Sequence[Any]]] = [
    (
        "coco-hub",
        [
            {
                "question_id": "000000000042.jpg",
                "file_name": "000000000042.jpg",
                "id": 1,
                "answer": [" A dog. ", "b"],
            }
        ],
        "val",
        "image",
        ("42", ("A dog.", "b"), ()),
    ),
    (
        "coco2014-hub",
        [{"file_name": "COCO_val2014_000000522418.jpg", "answer": ["A cake."], "id": 0}],
        "val",
        "image",
        ("522418", ("A cake.",), ()),
    ),
    ("flickr30k-hub", FLICKR30K, "test", "image", ("1007129816.jpg", ("A dog.", "A pet."), ())),
    ("flickr30k-all-hub", FLICKR30K, "test", "image", ("1000092795.jpg", ("A dog.", "A pet."), ("train",))),
    (
        "nocaps-hub",
        [{"image_id": 3, "image_file_name": "0013ea2087020901.jpg", "annotations_captions": ["A baby."]}],
        "validation",
        "image",
        ("3", ("A baby.",), ()),
    ),
    (
        "textcaps-hub",
        [
            {
                "image_id": "aef",
                "image_classes": ["Bottle", "Food"],
                "caption_str": ["A can."],
                "reference_strs": ["x"],
            }
        ],
        "val",
        "image",
        ("aef", ("A can.",), ("Bottle", "Food")),
    ),
    (
        "vizwiz-hub",
        [{"image_id": 23431, "caption": ["A phone."]}],
        "val",
        "image",
        ("23431", ("A phone.",), ()),
    ),
    (
        "flickr8k-hub",
        [{f"caption_{n}": f"Text {n}." for n in range(5)}],
        "test",
        "image",
        ("0", tuple(f"Text {n}." for n in range(5)), ()),
    ),
    (
        "detailcaps-hub",
        [
            {
                "image": "coco/a.jpg",
                "source": "COCO",
                "GT_Caption_GPT4O": "One.",
                "GT_Caption_GPT4V": "Two.",
                "GT_Caption_Gemini15Pro": None,
                "CogVLM": "no",
            }
        ],
        "test",
        "binary",
        ("coco/a.jpg", ("One.", "Two."), ("COCO",)),
    ),
    (
        "docci-hub",
        [{"example_id": "test_00000", "description": "Long."}],
        "test",
        "image",
        ("test_00000", ("Long.",), ()),
    ),
]


@pytest.mark.parametrize(
    ("choice", "rows", "split", "image", "first"), SCHEMAS, ids=[one[0] for one in SCHEMAS]
)
def test_the_columns_of_a_published_data_set(
    choice: str,
    rows: Sequence[Mapping[str, Any]],
    split: str,
    image: str,
    first: Sequence[Any],
    tmp_path: Path,
) -> None:
    content = [picture(n) if image == "image" else jpeg(n) for n, _ in enumerate(rows)]
    full = [{**row, image: data} for row, data in zip(rows, content, strict=True)]
    folder = parquet(tmp_path / "own", full, split, "image" if image == "image" else None)
    items = chosen(choice, f"data.path={folder}").load()
    assert (items[0].id, items[0].references, items[0].tags) == first
    assert read_file(items[0].image) in [jpeg(n) for n, _ in enumerate(rows)]
    assert len(items) == (1 if choice == "flickr30k-hub" else len(rows))


def test_karpathys_split_names_its_pictures(tmp_path: Path) -> None:
    row = {"filepath": "val2014", "filename": "COCO_val2014_000000000042.jpg", "cocoid": 42}
    folder = parquet(tmp_path / "own", [{**row, "sentences": ["A dog.", "A pet."]}], "test", None)
    assert chosen("karpathy-hub", f"data.path={folder}").load() == [Item("42", None, ("A dog.", "A pet."))]
    (tmp_path / "val2014").mkdir()
    (tmp_path / "val2014" / "000000000042.jpg").write_bytes(jpeg(1))
    (item,) = chosen("karpathy-hub", f"data.path={folder}", f"data.images={tmp_path}/val2014").load()
    assert item.image == tmp_path / "val2014" / "000000000042.jpg"


def test_domains_of_nocaps_come_from_its_own_file(tmp_path: Path) -> None:
    rows = [{"image_id": n, "annotations_captions": ["A baby."], "image": picture(n)} for n in (0, 1)]
    folder = parquet(tmp_path / "own", rows, "validation")
    images = [{"id": 0, "file_name": "a.jpg", "domain": "in-domain"}, {"id": 1, "domain": "out-domain"}]
    (tmp_path / "nocaps.json").write_text(json.dumps({"images": images, "annotations": []}))
    items = chosen("nocaps-hub", f"data.path={folder}", f"data.tags_from={tmp_path}/nocaps.json").load()
    assert [item.tags for item in items] == [("in-domain",), ("out-domain",)]
    assert [item.tags for item in COCO(None, tmp_path / "nocaps.json").load()] == [
        ("in-domain",),
        ("out-domain",),
    ]


# --- any files that the library reads --------------------------------------------------------------------


def in_arrow(folder: Path) -> Path:
    rows = [{"image": picture(n, f"{n}.jpg"), "caption": f"Text {n}."} for n in (0, 1)]
    datasets.Dataset.from_list(rows).cast_column("image", datasets.Image()).save_to_disk(folder)
    return folder


def an_arrow_file(folder: Path) -> Path:
    return in_arrow(folder) / "data-00000-of-00001.arrow"


def in_a_folder(folder: Path) -> Path:
    folder.mkdir()
    lines = [json.dumps({"file_name": f"{n}.jpg", "caption": f"Text {n}."}) for n in (0, 1)]
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    for n in (0, 1):
        (folder / f"{n}.jpg").write_bytes(jpeg(n))
    return folder


def in_a_tar(folder: Path) -> Path:
    folder.mkdir()
    with tarfile.open(folder / "shard-000.tar", "w") as archive:
        for n in (0, 1):
            for name, content in ((f"{n}.jpg", jpeg(n)), (f"{n}.txt", f"Text {n}.".encode())):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return folder


@pytest.mark.parametrize("is_streamed", [False, True], ids=["kept", "streamed"])
@pytest.mark.parametrize(
    ("write", "options"),
    [
        (in_arrow, {"image": "image", "references": ("caption",)}),
        (an_arrow_file, {"image": "image", "references": ("caption",)}),
        (in_a_folder, {"image": "image", "references": ("caption",)}),
        (in_a_tar, {"image": "jpg", "references": ("txt",), "id": "__key__"}),
    ],
    ids=["save_to_disk", "Arrow", "folder", "WebDataset"],
)
def test_files_with_pictures(
    write: Callable[[Path], Path], options: dict[str, Any], is_streamed: bool, tmp_path: Path
) -> None:
    path = write(tmp_path / "own")
    items = Hub(None, path, streaming=is_streamed, **options).load()
    ids = ["0", "1"] if "id" in options else ["0.jpg", "1.jpg"]
    assert [(item.id, item.references) for item in items] == [(ids[n], (f"Text {n}.",)) for n in (0, 1)]
    assert [read_file(item.image) for item in items if item.image] == [jpeg(0), jpeg(1)]
    assert items == Hub(None, path, streaming=is_streamed, **options).load()  # a second run finds the same


@pytest.mark.parametrize("name", ["captions.csv", "captions.jsonl"])
def test_rows_that_name_their_pictures(name: str, tmp_path: Path) -> None:
    rows = [("a.jpg", "A dog."), ("a.jpg", "A pet."), ("b.jpg", "A cat.")]
    is_table = name.endswith("csv")
    lines = [",".join(row) if is_table else json.dumps({"file": row[0], "text": row[1]}) for row in rows]
    (tmp_path / name).write_text("\n".join([*(["file,text"] if is_table else []), *lines]))
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    data = Hub(None, tmp_path / name, image="file", id="file", references=("text",), images=tmp_path)
    a, b = data.load()
    assert (a.id, a.references, a.image) == ("a.jpg", ("A dog.", "A pet."), tmp_path / "a.jpg")
    assert (b.references, b.image) == (("A cat.",), tmp_path / "b.jpg")


def test_fields_of_objects_rows_and_chosen_rows(tmp_path: Path) -> None:
    rows = [
        {
            "image": picture(n),
            "said": [{"by": "x", "what": f"Text {n}."}],
            "kind": n % 2,
            "note": {"mood": "calm"},
        }
        for n in range(5)
    ]
    folder = parquet(tmp_path / "own", rows, "test")
    options = {"references": ("said.what",), "where": {"kind": "0"}, "tags": ("note.mood", "kind")}
    items = Hub(None, folder, rows=2, **options).load()
    assert [(item.id, item.references, item.tags) for item in items] == [
        ("0", ("Text 0.",), ("calm", "0")),
        ("2", ("Text 2.",), ("calm", "0")),
    ]
    assert [read_file(item.image) for item in items if item.image] == [jpeg(0), jpeg(2)]


def test_pictures_are_neither_read_nor_decoded_before_they_are_needed(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": b"damaged", "path": "a.jpg"}}, {"image": picture(1, "b.jpg")}]
    damaged, whole = Hub(None, parquet(tmp_path / "own", rows, "test")).load()
    assert damaged.image is not None
    assert whole.image is not None
    assert (is_file(damaged.image), read_picture(whole.image).size) == (True, (8, 8))
    with pytest.raises(ImageError, match=r"0.a\.jpg: not a picture"):
        read_picture(damaged.image)
    rule = PictureRule(("image/jpeg",), longest_side=100, max_bytes=10_000, quality=90)
    assert (
        encode_picture(whole, rule).digest == hashlib.sha256(jpeg(1)).hexdigest()
    )  # what an answer is cached by


# --- what can go wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "train"}, r"there is no split 'train'\. It has: val\. Type data\.split="),
        ({"image": "picture"}, r"no column 'picture' \(data\.image\)\..*Its columns: image, caption, score"),
        (
            {"references": ("captions",)},
            r"no column 'captions' \(data\.references\)\. Did you mean 'caption'\?",
        ),
        ({"where": {"kind": "x"}}, r"no column 'kind' \(data\.where\)"),
        ({"where": {"caption": "x"}}, "no row is left"),
        (
            {"references": ("score",)},
            r"row 0: the column 'score' holds '0\.5', and neither a text nor a list",
        ),
        ({"id": "score"}, r"row 0: the column 'score' holds 0\.5, which is no id"),
        ({"image": "score"}, r"the column 'score' holds double, and no pictures"),
    ],
)
def test_a_wrong_option_says_what_there_is(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = parquet(tmp_path / "own", [{"image": picture(0), "caption": "A dog.", "score": 0.5}], "val")
    with pytest.raises(DataError, match=message):
        Hub(None, folder, **{"split": "val", **options}).load()


def test_what_cannot_be_found_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hub cannot be reached.*data\.path=DIR"):
        Hub("nobody/nothing").load()  # the tests are offline
    with pytest.raises(DataError, match="there is no such file or folder"):
        Hub(None, tmp_path / "missing").load()
    with pytest.raises(DataError, match=r"Type data\.path=DIR, or data\.name=OWNER/NAME"):
        Hub(None).load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="there are no files that the library `datasets` reads"):
        Hub(None, tmp_path / "empty").load()
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(DataError, match=r"torn\.parquet: the library `datasets` cannot read it"):
        Hub(None, tmp_path / "torn.parquet").load()


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingPackage, match=r"datasets.*is not installed\. Type: pip install"):
        Hub(None, tmp_path).load()


# --- a whole run -----------------------------------------------------------------------------------------


def test_real_photographs_give_the_scores_of_cocos_files(real_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    photographs = sorted((real_data / "coco" / "images").glob("*.jpg"))
    known = {
        item.id: item.references
        for file in ("captions_karpathy_test.json", "captions_val2017.json")
        for item in COCO(None, real_data / "coco" / file).load()
    }
    rows = [
        {
            "question_id": path.name,
            "file_name": path.name,
            "id": number,
            "answer": list(known[str(int(path.stem))]),
            "image": {"bytes": path.read_bytes(), "path": path.name},
        }
        for number, path in enumerate(photographs)
    ]
    assert len(rows) == 60
    parquet(tmp_path / "hub", rows, "val")
    ids = [int(path.stem) for path in photographs]
    annotations = [{"image_id": one, "caption": text} for one in ids for text in known[str(one)]]
    document = {"images": [{"id": one} for one in ids], "annotations": annotations}
    (tmp_path / "references.json").write_text(json.dumps(document))

    def run(name: str, *data: str) -> Run:
        line = [
            "run",
            *data,
            "model=tiny-git",
            "scorer=[bleu,rouge,cider]",
            f"runs={tmp_path}",
            f"name={name}",
        ]
        done = CliRunner().invoke(cli, line, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return Run(tmp_path / name)

    hub = run("hub-run", "data=coco-hub", f"data.path={tmp_path}/hub")
    files = run(
        "files-run",
        "data=coco",
        f"data.annotations={tmp_path}/references.json",
        f"data.images={real_data}/coco/images",
    )
    assert [(item.id, item.references) for item in hub.items] == [
        (one.id, one.references) for one in files.items
    ]
    assert {one.text for one in hub.captions.values()} != {None}
    assert [one.text for one in hub.captions.values()] == [one.text for one in files.captions.values()]
    assert hub.results is not None
    assert files.results is not None
    assert [score.value for score in hub.results.scores] == [score.value for score in files.results.scores]
    assert hub.manifest.source.keys() == {"source", "revision", "fingerprint"}
    assert all(hub.manifest.source.values())
    pictures = [item.image for item in hub.items if item.image]
    assert [read_file(path) for path in pictures] == [path.read_bytes() for path in photographs]
    assert len({thumbnail_file(tmp_path, path) for path in pictures[:2]}) == 2  # what the report shows


def test_a_known_data_set_is_known_wherever_it_comes_from(tmp_path: Path) -> None:
    folder = parquet(tmp_path / "own", [{"image": picture(0), "caption": "A dog."}], "val")
    data = Hub(None, folder, split="val")
    assert dataset_name("hub", data, data.load()) == "own, val split"
