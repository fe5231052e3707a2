"""Whatever people have: odd pictures, odd captions, files that lie, disks that are full. Nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.config.run_config import run_configs
from evaluator.core import Outcome, Results
from evaluator.core.errors import DataError, ModelError, StoreError
from evaluator.evaluate import evaluate
from evaluator.files.images import read_picture
from evaluator.store.run_folder import RunFolder

References = Callable[..., Path]

DEMO = Path(__file__).parents[1] / "evaluator" / "demo"
TEXT_METRICS = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
TEXT_SCORERS = "scorer=[bleu,rouge,cider]"


def run(tmp_path: Path, *overrides: str, conf: Path | None = None) -> tuple[Results, RunFolder]:
    defaults = [f"runs={tmp_path / 'runs'}", "name=one", "resamples=10", TEXT_SCORERS]
    (config,) = run_configs([*defaults, *overrides], conf)
    return evaluate(config).results, RunFolder(config.folder)


def replay(
    tmp_path: Path,
    references: Path,
    captions: Mapping[Any, str],
    *overrides: str,
    conf: Path | None = None,
) -> tuple[Results, RunFolder]:
    entries = [{"image_id": item_id, "caption": text} for item_id, text in captions.items()]
    (tmp_path / "captions.json").write_text(json.dumps(entries), encoding="utf-8")
    data = ["data=coco", f"data.annotations={references}"]
    return run(
        tmp_path, *data, "model=replay", f"model.captions={tmp_path}/captions.json", *overrides, conf=conf
    )


# Pictures.


def bomb(path: Path, side: int = 20_000) -> None:
    """A PNG of 50 kB that would be 1.2 GB as RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def turned(picture: Image.Image, path: Path) -> None:
    """Lying on its side, with a note in EXIF to turn it back."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(path, "PNG", exif=exif)


def sixteen_bits(picture: Image.Image, path: Path) -> None:
    greys = picture.convert("L")
    Image.frombytes("I;16", greys.size, b"".join(struct.pack("<H", 257 * v) for v in greys.tobytes())).save(
        path, "PNG"
    )


def truncated(picture: Image.Image, path: Path) -> None:
    picture.resize((300, 300)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:2000])


def wrong_checksum(picture: Image.Image, path: Path) -> None:
    picture.save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[content.rindex(b"IEND") - 5] ^= 1  # of the pixels
    path.write_bytes(content)


# Those that show the same picture, and those that show the same greys, have the same caption.
SAME: dict[str, Callable[[Image.Image, Path], object]] = {
    "plain": lambda picture, path: picture.save(path, "PNG"),
    "alpha": lambda picture, path: picture.convert("RGBA").save(path, "PNG"),
    "animated": lambda picture, path: picture.convert("RGB").save(
        path, "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", picture.size)]
    ),
    "turned": turned,
}
GREY: dict[str, Callable[[Image.Image, Path], object]] = {
    "grey": lambda picture, path: picture.convert("L").save(path, "PNG"),
    "grey-rgb": lambda picture, path: picture.convert("L").convert("RGB").save(path, "PNG"),
    "sixteen-bits": sixteen_bits,
}
READABLE: dict[str, Callable[[Image.Image, Path], object]] = {
    "cmyk": lambda picture, path: picture.convert("CMYK").save(path, "JPEG"),
    "gif": lambda picture, path: picture.save(path, "GIF", save_all=True, append_images=[picture]),
    "transparent": lambda picture, path: Image.new("RGBA", (9, 9)).save(path, "PNG"),
    "one-pixel": lambda picture, path: Image.new("1", (1, 1)).save(path, "PNG"),
    "ribbon": lambda picture, path: Image.new("RGB", (3000, 20)).save(path, "PNG"),
}
UNREADABLE: dict[str, tuple[Callable[[Image.Image, Path], object], str]] = {
    "missing": (lambda picture, path: None, "no such file"),
    "truncated": (truncated, "damaged or cut off"),
    "text": (lambda picture, path: path.write_text("<html>404</html>"), "not a picture"),
    "empty": (lambda picture, path: path.write_bytes(b""), "0 bytes"),
    "folder": (lambda picture, path: path.mkdir(), "a folder"),
    "bomb": (lambda picture, path: bomb(path), "more than the 200 million"),
    "thin": (lambda picture, path: Image.new("1", (1, 3_000_000)).save(path, "PNG"), "200 times the other"),
    "pipe": (lambda picture, path: os.mkfifo(path), "not an ordinary file"),
    "checksum": (wrong_checksum, "damaged or cut off"),
}


def test_odd_pictures_are_captioned_or_counted_and_the_run_goes_on(
    tmp_path: Path, references: References
) -> None:
    (tmp_path / "pictures").mkdir()
    kinds = SAME | GREY | READABLE | {name: make for name, (make, _) in UNREADABLE.items()}
    with Image.open(DEMO / "data" / "images" / "000000000001.png") as opened:
        picture = opened.convert("RGB")
    for name, make in kinds.items():
        make(picture, tmp_path / "pictures" / f"{name}.png")
    annotations = references({name: ["a red cross on the left"] for name in kinds})
    options = ["model=tiny-git", "data=coco", f"data.annotations={annotations}", "runner.batch_size=4"]
    results, folder = run(tmp_path, *options, f"data.images={tmp_path}/pictures")
    captions = folder.load().captions
    assert results.outcomes == {"ok": len(kinds) - len(UNREADABLE), "error": len(UNREADABLE)}
    assert results.is_incomplete
    for name, (_, message) in UNREADABLE.items():
        assert captions[name].outcome is Outcome.ERROR
        assert message in captions[name].error
        assert f"{name}.png" in captions[name].error
    for group in (SAME, GREY):
        assert len({captions[name].text for name in group}) == 1
    assert captions["plain"].text == "a red cross on the left"
    for name in UNREADABLE:
        path = tmp_path / "pictures" / f"{name}.png"
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        picture.save(path)
    results, _ = run(tmp_path, *options, f"data.images={tmp_path}/pictures")
    assert results.outcomes == {"ok": len(kinds)}
    assert {folder.load().captions[name].text for name in UNREADABLE} == {captions["plain"].text}


def test_a_bad_picture_costs_no_other_image_and_no_metric_its_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLIPScore over pictures and paths of every bad kind: the readable ones are scored, and so is BLEU."""
    (tmp_path / "pictures").mkdir()
    with Image.open(DEMO / "data" / "images" / "000000000001.png") as opened:
        picture = opened.convert("RGB")
    names = [f"{name}.png" for name in ("plain", "grey", *UNREADABLE)]
    odd = ["x" * 300 + ".png", "nul\0.png", "half \ud800.png", "y/" * 3000 + "deep.png"]
    make = SAME | GREY | {name: make for name, (make, _) in UNREADABLE.items()}
    for name in names:
        make[name.removesuffix(".png")](picture, tmp_path / "pictures" / name)
    document = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate([*names, *odd])],
        "annotations": [
            {"image_id": number, "caption": "a red cross"} for number in range(len(names) + len(odd))
        ],
    }
    (tmp_path / "references.json").write_text(json.dumps(document))
    options = ["scorer=[bleu,clipscore]", f"scorer.clipscore.checkpoint={DEMO / 'models' / 'clip'}"]
    captions = dict.fromkeys(range(len(names) + len(odd)), "a red cross")
    results, _ = replay(
        tmp_path, tmp_path / "references.json", captions, f"data.images={tmp_path}/pictures", *options
    )
    scored = {score.name: score.images for score in results.scores}
    assert scored["CLIPScore"] == scored["RefCLIPScore"] == 2
    assert scored["BLEU-4"] == len(captions)
    seen, _ = replay(
        *(tmp_path, tmp_path / "references.json", captions, "name=seen", "only_with_images=true"),
        *(f"data.images={tmp_path}/pictures", "scorer=[bleu]"),
    )
    assert seen.images == len(names) - 3, "a folder, a pipe and a missing file are no picture files"


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("too large"), RecursionError("too deep")])
def test_whatever_a_processor_raises_is_the_outcome_of_its_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The error of a library, injected where a real model's processor reads the second picture."""
    pytest.importorskip("torch")
    from evaluator.models import local

    def read(path: Path) -> Image.Image:
        if path.name == "000000000002.png":
            raise error
        return read_picture(path)

    monkeypatch.setattr(local, "read_picture", read)
    results, folder = run(tmp_path, "model=tiny-git", "limit=3", "scorer=[bleu]")
    assert results.outcomes == {"ok": 2, "error": 1}
    assert type(error).__name__ in folder.load().captions["2"].error


def test_a_scorer_that_fails_does_not_stop_the_others(
    own: Path, tmp_path: Path, references: References
) -> None:
    """Whatever it raises: here a scorer of one's own that does not expect an image without a picture."""
    results, _ = replay(tmp_path, references({1: ["a dog"]}), {1: "a dog"}, "scorer=[bleu,broken]", conf=own)
    assert [score.name for score in results.scores] == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]
    (failed,) = results.not_computed
    assert failed.reason == "the scorer failed with AttributeError: 'NoneType' object has no attribute 'name'"


# Data sets and captions files.


def test_without_references_nothing_is_zero(tmp_path: Path, references: References) -> None:
    results, _ = replay(tmp_path, references({1: [], 2: []}), {1: "a dog", 2: "a cat"})
    assert results.captioned == 2
    for score in results.scores:
        assert (score.value, score.low, score.high) == (None, None, None)
        assert "none of the 2 images has any" in score.reason


def test_an_image_without_references_is_left_out_of_the_scores(
    tmp_path: Path, references: References
) -> None:
    some = references({1: ["a dog runs"], 2: [], 3: ["a cat sits"]}, "some.json")
    results, _ = replay(tmp_path, some, {1: "a dog", 2: "a cow", 3: "a cat"})
    both = references({1: ["a dog runs"], 3: ["a cat sits"]}, "both.json")
    expected, _ = replay(tmp_path, both, {1: "a dog", 3: "a cat"}, "name=two")
    assert results.captioned == 3
    assert {score.images for score in results.scores} == {2}
    assert [score.value for score in results.scores] == [score.value for score in expected.scores]


def test_the_ids_of_a_file_may_be_numbers_or_texts(tmp_path: Path, references: References) -> None:
    texts = references({"1": ["a dog"], "2": ["a cat"], "ü/../3": ["a cow"]})
    results, folder = replay(tmp_path, texts, {1: "a dog", "2": "a cat", "ü/../3": "a cow"})
    assert results.outcomes == {"ok": 3}
    assert folder.load().scored_ids == ["1", "2", "ü/../3"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the file holds no captions"),
        ({"1": 3}, "expected a list"),
        ([{"image_id": 1}], "no field holds captions"),
        ([{"image_id": 1, "caption": None}], r"\[0\].caption: expected text, found null"),
        ([{"image_id": 1, "caption": "a"}, {"image_id": "1", "caption": "b"}], "already has another caption"),
        ([{"image_id": 9, "caption": "a"}], "none of its 1 captions is for an image of the data set"),
    ],
)
def test_a_captions_file_that_is_wrong_is_refused(
    tmp_path: Path, references: References, document: Any, message: str
) -> None:
    (tmp_path / "captions.json").write_text(json.dumps(document))
    data = ["data=coco", f"data.annotations={references({1: ['a dog']})}"]
    with pytest.raises(DataError, match=message):
        run(tmp_path, *data, "model=replay", f"model.captions={tmp_path}/captions.json")


def test_a_data_set_that_lists_an_image_twice_is_refused(tmp_path: Path) -> None:
    document = {"images": [{"id": 1}, {"id": "1"}], "annotations": []}
    (tmp_path / "twice.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"images\[1\]: image 1 is listed already, at images\[0\]"):
        run(tmp_path, "data=coco", f"data.annotations={tmp_path}/twice.json")


def test_captions_of_unknown_images_are_left_out_with_a_warning(
    tmp_path: Path, references: References, caplog: pytest.LogCaptureFixture
) -> None:
    known = references({1: ["a dog"], 2: ["a cat"]})
    results, folder = replay(tmp_path, known, {1: "a dog", 7: "a cow"})
    assert results.outcomes == {"ok": 1, "missing": 1}
    assert "1 of 2 captions are for images outside the data set, such as '7'" in caplog.text
    assert list(folder.load().captions) == ["1", "2"]


# Captions.

ODD_TEXTS = {
    "empty": "",
    "spaces": " \t ",
    "newline": "a dog\nand a cat",
    "CR": "a dog\rand a cat",
    "CRLF": "a dog\r\nand a cat\r\n",
    "VT and FF": "a dog\x0band\x0ca cat",
    "NEL and separators": "a\x85dog\x1c\u2028and\u2029a cat",
    "emoji": "a 🐕‍🦺 and a 🐈",
    "NUL": "a dog\0and a cat\0",
    "half a surrogate pair": "a dog \ud83d and a cat",
    "right to left": "כלב ‏וחתול",
    "combining": "e\u0301" * 50,
    "markup": "</script><img src=x onerror=alert(1)> | a & b \\\\ $x_1$ [red]bold[/red]",
    "many words": "a dog and a cat " * 2000,
    "one long word": "a" * 10_000,
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_an_odd_caption_is_kept_and_shifts_no_other(
    tmp_path: Path, references: References, text: str
) -> None:
    wanted = {n: [f"a dog and a cat of colour {n}", text.strip() or "two animals"] for n in range(5)}
    said = {n: f"a dog of colour {n}" for n in range(5)}
    annotations = references(wanted)
    _, plain = replay(tmp_path, annotations, said, "name=plain")
    results, odd = replay(tmp_path, annotations, said | {2: text})
    assert results.outcomes == {"ok": 5}
    assert {score.images for score in results.scores} == {5}
    others = ["0", "1", "3", "4"]
    before, after = (folder.load().per_image[TEXT_METRICS].loc[others] for folder in (plain, odd))
    assert before.equals(after)
    assert odd.load().captions["2"].text == text
    assert odd.load().items[2].references[1] == (text.strip() or "two animals")
    coco = json.loads((odd.path / "captions.coco.json").read_bytes())
    assert [entry["caption"] for entry in coco] == [text if n == 2 else said[n] for n in range(5)]
    assert len((odd.path / "captions.jsonl").read_bytes().split(b"\n")) == 6
    assert odd.load().per_image.loc["2", "caption"] == text.encode(errors="replace").decode()


@pytest.mark.parametrize("item_id", ["a\nb", "\0a", "a/b", "..", "é\u2028", "0" * 300, "1.5", " 1 "])
def test_an_odd_id_is_kept(tmp_path: Path, references: References, item_id: str) -> None:
    results, folder = replay(tmp_path, references({item_id: ["a dog"], 1: ["a cat"]}), {item_id: "a dog"})
    assert results.outcomes == {"ok": 1, "missing": 1}
    assert list(folder.load().captions) == [item_id, "1"]
    assert folder.load().scored_ids == [item_id]


@pytest.mark.parametrize("item_id", ["a\0", "a\ud83d"])
def test_an_id_that_no_table_can_hold_is_refused(
    tmp_path: Path, references: References, item_id: str
) -> None:
    with pytest.raises(DataError, match=r"images\[0\].id: an image id must neither end in NUL"):
        replay(tmp_path, references({item_id: ["a dog"]}), {item_id: "a dog"})


def test_odd_captions_reach_every_format(
    tmp_path: Path, references: References, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    texts = dict(enumerate(ODD_TEXTS.values()))
    replay(tmp_path, references({n: ["a dog and a cat"] for n in texts}), texts)
    for form in ("table", "markdown", "latex", "csv", "json"):
        assert command("compare", "runs/one", "--format", form).returncode == 0
    done = command("report", "runs/one")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<img src=x onerror" not in page


# Folders.


@pytest.mark.parametrize("runs", ["a file/runs", "/proc/runs", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_an_error_of_ours(
    tmp_path: Path, references: References, runs: str
) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*one: "):
        replay(tmp_path, references({1: ["a dog"]}), {1: "a dog"}, f"runs='{tmp_path / runs}'")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.jsonl", '{"item_id": "1"}'),
        ("captions.jsonl", '{"item_id": "1", "outcome": "lost", "reply": null}'),
        ("items.jsonl", '{"id": "1"}'),
        ("scores.json", "{}"),
        ("scores.json", '{"images": '),
        ("manifest.json", "[]"),
        ("manifest.json", '{"format_version": 99}'),
        ("config.yaml", "scorer: [bleu"),
        ("config.yaml", "scorer: 3"),
    ],
)
def test_a_run_folder_that_was_tampered_with_is_named(
    tmp_path: Path,
    references: References,
    command: Callable[..., subprocess.CompletedProcess[str]],
    name: str,
    content: str,
) -> None:
    replay(tmp_path, references({1: ["a dog"]}), {1: "a dog"})
    (tmp_path / "runs" / "one" / name).write_text(content)
    # Scoring puts new scores in the place of damaged ones; readers name them.
    done = command("compare" if name == "scores.json" else "score", "runs/one")
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("error: ") == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_that_is_damaged_says_how_to_make_it_again(tmp_path: Path, references: References) -> None:
    _, folder = replay(tmp_path, references({1: ["a dog"]}), {1: "a dog"})
    (folder.path / "statistics.npz").write_bytes(b"PK")
    with pytest.raises(StoreError, match=r"statistics\.npz.* Delete "):
        _ = folder.load().scored_ids
    (folder.path / "statistics.npz").unlink()
    (folder.path / "per_image.parquet").write_bytes(b"PK")  # for other programs: not read here
    replay(tmp_path, references({1: ["a dog"]}), {1: "a dog"})
    assert folder.load().scored_ids == ["1"] == list(folder.load().per_image.index)


# Checkpoints.


def checkpoint(folder: Path, kind: str) -> Path | str:
    """A checkpoint of tiny-git's with something wrong, or none at all."""
    if kind in ("nosuch/checkpoint", "./nosuch"):
        return kind
    shutil.copytree(DEMO / "models" / "git", folder)
    config = json.loads((folder / "config.json").read_text())
    match kind:
        case "bert" | "clip" | "no such type":
            (folder / "config.json").write_text(json.dumps(config | {"model_type": kind}))
        case "no weights":
            (folder / "model.safetensors").unlink()
        case "torn weights":
            weights = (folder / "model.safetensors").read_bytes()
            (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
        case "pickled weights":
            (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
        case "no config":
            (folder / "config.json").unlink()
        case "config is no JSON":
            (folder / "config.json").write_text("{")
        case "no processor":
            (folder / "processor_config.json").unlink()
    return folder


@pytest.mark.parametrize(
    "kind",
    [
        *("nosuch/checkpoint", "./nosuch", "bert", "clip", "no such type", "no weights", "pickled weights"),
        *("no config", "config is no JSON", "no processor"),
        *("torn weights", "no tokenizer"),
    ],
)
def test_a_checkpoint_that_is_no_captioner_is_named(tmp_path: Path, kind: str) -> None:
    where = checkpoint(tmp_path / "checkpoint", kind)
    with pytest.raises(ModelError, match=r"model\.checkpoint: ") as refusal:
        run(tmp_path, "model=tiny-git", f"model.checkpoint={where}", "limit=2")
    assert str(where) in str(refusal.value)
    assert RunFolder(tmp_path / "runs" / "one").load().captions == {}
