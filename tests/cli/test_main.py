"""The real command, as it is typed: exit codes, messages, figures, formats, and what is imported for them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from evaluator import __version__
from evaluator.config.compose import quoted
from evaluator.config.run_config import run_configs
from evaluator.store.run_folder import RunFolder
from tests.forked import Forked, command_line

Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]

CLIP = Path(__file__).parents[2] / "evaluator" / "demo" / "models" / "clip"
SYSTEMS = {"blip2_opt2.7b_coco_finetuned": "blip2", "magic": "magic"}
REFERENCE_NAMES = {
    "BLEU-1": "Bleu_1",
    "BLEU-2": "Bleu_2",
    "BLEU-3": "Bleu_3",
    "BLEU-4": "Bleu_4",
    "METEOR": "METEOR",
    "ROUGE-L": "ROUGE_L",
    "CIDEr": "CIDEr",
}
ODD_NAME = 'it\'s a "b",c=d \\ ${e} [f] {g} (h) 100% #ü\\'


def scores(run: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    return document


def refused(done: Done) -> str:
    """What the command said when it refused: one message, no traceback, nothing on stdout."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.lower().count("error: ") == 1
    assert done.stdout == ""
    return done.stderr


@pytest.fixture(scope="module")
def systems(real_data: Path, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """A folder with the runs of two published systems, each scored by one command."""
    folder = tmp_path_factory.mktemp("systems")
    environment = os.environ | {"HOME": str(folder), "EVALUATOR_CACHE": str(home / "cache")}
    for name, output in SYSTEMS.items():
        captions = real_data / "systems" / f"{name}.json"
        references = real_data / "coco" / "captions_karpathy_test.json"
        line = command_line("score", captions, "--references", references, "--output", output)
        done = Forked(line, folder, environment).finish()
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", ["blip2", "magic"])
def test_published_captions_get_the_reference_programs_scores(
    systems: Path, real_data: Path, name: str
) -> None:
    known = json.loads((real_data / "systems" / "scores.json").read_text())
    expected = known["blip2_opt2.7b_coco_finetuned" if name == "blip2" else name]
    computed = scores(systems / name)["scores"]
    recomputed = expected["recomputed_with_pycocoevalcap_1.2"]
    for metric, reference in REFERENCE_NAMES.items():
        value = computed[metric]["value"]
        if reference in recomputed:
            assert value == pytest.approx(recomputed[reference], abs=1e-9)
        if name == "blip2":  # reported by its authors at full precision
            assert value == pytest.approx(expected["reported"]["scores"][reference], abs=1e-9)
        assert computed[metric]["low"] < value < computed[metric]["high"]


def test_captions_that_a_file_lacks_lower_the_coverage_and_nothing_else(
    systems: Path, command: Command
) -> None:
    document = scores(systems / "magic")
    assert document["outcomes"] == {"ok": 4982, "missing": 18}
    assert {score["images"] for score in document["scores"].values() if score["computed"]} == {4982}
    assert "99.64 %" in command("compare", systems / "magic").stdout


def test_runs_are_compared_on_the_images_that_both_captioned(systems: Path, command: Command) -> None:
    runs = [systems / "blip2", systems / "magic"]
    shared = json.loads(command("compare", *runs, "--format", "json").stdout)
    (warning,) = shared["warnings"]
    assert warning == (
        "compared on the 4,982 of 5,000 images that all runs captioned: "
        "magic has no caption for 18 (18 missing)"
    )
    assert shared["images"] == 4982
    on_both, of_magic = (run["scores"]["CIDEr"] for run in shared["runs"])
    assert "|images:4982|" in on_both["signature"]  # computed anew, with the same document frequencies
    assert of_magic["value"] == scores(systems / "magic")["scores"]["CIDEr"]["value"]
    assert [run["rank"] for run in shared["runs"]] == [[1, 1], [2, 2]]
    found = {one["metric"]: one for one in shared["differences"]}
    assert found["CIDEr"]["value"] == pytest.approx(of_magic["value"] - on_both["value"], abs=1e-12)
    assert found["CIDEr"]["p_corrected"] < 0.01
    assert found["CIDEr"]["images"] == 4982
    alone = json.loads(command("compare", *runs, "--format", "json", "--on", "all").stdout)
    own = scores(systems / "blip2")["scores"]["CIDEr"]["value"]
    assert alone["runs"][0]["scores"]["CIDEr"]["value"] == own != on_both["value"]
    turned = json.loads(command("compare", *runs, "--format", "json", "--baseline", runs[1]).stdout)
    assert {one["run"] for one in turned["differences"]} == {"blip2"}
    assert "is not among the runs" in refused(command("compare", *runs, "--baseline", "nowhere"))


def first_images(real_data: Path, folder: Path, images: int) -> list[Path]:
    """The references of the first images in the folder, and what each of the two systems says of them."""
    references = json.loads((real_data / "coco" / "captions_karpathy_test.json").read_text())
    references["images"] = references["images"][:images]
    ids = {image["id"] for image in references["images"]}
    references["annotations"] = [note for note in references["annotations"] if note["image_id"] in ids]
    (folder / "references.json").write_text(json.dumps(references))
    written = []
    for name, output in SYSTEMS.items():
        captions = json.loads((real_data / "systems" / f"{name}.json").read_text())
        few = [caption for caption in captions if caption["image_id"] in ids]
        written.append(folder / f"{output}.json")
        written[-1].write_text(json.dumps(few))
    return written


def test_a_line_break_in_a_caption_changes_that_captions_score_alone(
    real_data: Path, tmp_path: Path, command: Command
) -> None:
    whole, _ = first_images(real_data, tmp_path, 200)
    lines = json.loads(whole.read_text())
    lines[80]["caption"] = f"{lines[80]['caption']}\r\nand\r\na unicorn\u2028here"
    (tmp_path / "changed.json").write_text(json.dumps(lines))
    for captions in ("blip2", "changed"):
        done = command("score", f"{captions}.json", "--references", "references.json", "--output", captions)
        assert done.returncode == 0, done.stderr
    tables = [pd.read_parquet(tmp_path / run / "per_image.parquet") for run in ("blip2", "changed")]
    before, after = (table.sort_index() for table in tables)
    for metric in REFERENCE_NAMES:
        changed = before.index[before[metric] != after[metric]]
        assert changed.tolist() == [str(lines[80]["image_id"])], metric


def test_without_pictures_clipscore_says_what_to_type(systems: Path) -> None:
    for name in ("CLIPScore", "RefCLIPScore"):
        score = scores(systems / "blip2")["scores"][name]
        assert not score["computed"]
        assert "value" not in score
        assert "--images DIR" in score["reason"]


def test_the_photographs_at_hand(real_data: Path, tmp_path: Path, command: Command) -> None:
    if not CLIP.is_dir():
        pytest.skip("the demo's CLIP is not here")
    done = command(
        *("score", real_data / "systems" / "blip2_opt2.7b_coco_finetuned.json", "--output", "run"),
        *("--references", real_data / "coco" / "captions_karpathy_test.json"),
        *("--images", real_data / "coco" / "images", "--only-with-images"),
        f"scorer.clipscore.checkpoint={CLIP}",
    )
    assert done.returncode == 0, done.stderr
    document = scores(tmp_path / "run")
    assert (document["images"], document["captioned"]) == (32, 32)
    assert {(score["computed"], score["images"]) for score in document["scores"].values()} == {(True, 32)}
    assert 0 <= document["scores"]["CLIPScore"]["value"] <= 2.5


def test_every_format_of_the_comparison_holds_every_row(
    real_data: Path, tmp_path: Path, command: Command
) -> None:
    captions = first_images(real_data, tmp_path, 100)
    captions[1].write_text(json.dumps(json.loads(captions[1].read_text())[1:]))
    for path in captions:
        done = command("score", path, "--references", "references.json", "--output", path.stem)
        assert done.returncode == 0, done.stderr
    runs = [path.with_suffix("") for path in captions]
    files = [scores(run)["scores"] for run in runs]

    def printed(form: str) -> str:
        done = command("compare", *runs, "--format", form, "--on", "all")
        assert done.returncode == 0
        # That the two are over different numbers of images is worth a warning, which no program has to read.
        assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
        return done.stdout

    frame = pd.read_csv(io.StringIO(printed("csv"))).set_index("run")
    documents = json.loads(printed("json"))["runs"]
    for run, file, document in zip(runs, files, documents, strict=True):
        for metric in REFERENCE_NAMES:
            assert frame.loc[run.name, metric] == file[metric]["value"]
            assert document["scores"][metric]["value"] == file[metric]["value"]
        assert pd.isna(frame.loc[run.name, "CLIPScore"])
        assert document["scores"]["CLIPScore"]["value"] is None
    for form, separator in (("table", "│"), ("markdown", "|"), ("latex", "&")):
        text = printed(form)
        for run, file in zip(runs, files, strict=True):
            # The first: tables of differences and of the captions' style follow.
            row = next(row for row in text.splitlines() if row.strip(" │|").startswith(run.name))
            cells = [cell.strip() for cell in row.split(separator)]
            for metric in ("BLEU-1", "BLEU-4", "ROUGE-L"):
                assert f"{100 * file[metric]['value']:.1f}" in cells
            assert any(cell.startswith(f"{100 * file['CIDEr']['value']:.1f}") for cell in cells)
            assert "not computed" in cells


def test_report_writes_one_page(systems: Path, tmp_path: Path, command: Command) -> None:
    done = command("report", systems / "blip2", systems / "magic", "--output", "both runs.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("both runs.html")
    page = (tmp_path / "both runs.html").read_text(encoding="utf-8")
    assert all(text in page for text in ("blip2", "magic", "99.64", "4,982 images that all"))


def small(references: Callable[..., Path], tmp_path: Path) -> list[object]:
    """The arguments that score two captions, of three images."""
    path = references({1: ["a dog runs"], 2: ["a cat sits"], 3: ["a bird"]})
    (tmp_path / "captions.json").write_text(
        '[{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat sits"}]'
    )
    return ["score", "captions.json", "--references", path, "--scorer", "bleu", "--output", "run"]


def test_a_run_folder_is_scored_again(
    references: Callable[..., Path], tmp_path: Path, command: Command
) -> None:
    assert command(*small(references, tmp_path)).returncode == 0
    before = (tmp_path / "run" / "scores.json").read_bytes()
    (tmp_path / "run" / "scores.json").unlink()
    assert "was not scored yet" in refused(command("compare", "run"))
    assert command("score", "run").returncode == 0
    assert (tmp_path / "run" / "scores.json").read_bytes() == before
    assert command("score", "run", "--scorer", "rouge").returncode == 0
    added = scores(tmp_path / "run")["scores"]
    assert list(added) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"]
    assert added["BLEU-1"] == json.loads(before)["scores"]["BLEU-1"]


def test_several_files_of_several_kinds_are_scored_at_once(
    references: Callable[..., Path], tmp_path: Path, command: Command
) -> None:
    path = references({1: ["a dog runs"], 2: ["a cat sits"]})
    (tmp_path / "a.json").write_text('[{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "x"}]')
    (tmp_path / "b=c.jsonl").write_text(
        '{"image_id": 1, "caption": "a dog"}\n{"image_id": 2, "caption": "x"}\n'
    )
    (tmp_path / "d.csv").write_text("image_id,caption\n1,a dog\n2,x\n")
    files = ("a.json", "b=c.jsonl", "d.csv")
    done = command("score", *files, "--references", path, "--scorer", "cider", "--output", "out", "seed=3")
    assert done.returncode == 0, done.stderr
    assert (
        sorted(folder.name for folder in (tmp_path / "out").glob("*/captions.jsonl"))
        == ["captions.jsonl"] * 3
    )
    values = [scores(tmp_path / "out" / name)["scores"]["CIDEr"]["value"] for name in ("a", "b=c", "d")]
    assert len(set(values)) == 1
    assert all(name in done.stdout for name in ("a", "b=c", "d"))
    assert command("score", "out/a", "out/d", "resamples=10").returncode == 0


def test_the_human_baseline(real_data: Path, tmp_path: Path, command: Command) -> None:
    annotations = real_data / "coco" / "captions_karpathy_test.json"
    done = command("score", "--leave-one-out", annotations, "--scorer", "cider")
    assert done.returncode == 0, done.stderr
    score = scores(tmp_path / "runs" / "human")["scores"]["CIDEr"]
    # pycocoevalcap 1.2 on each image's first reference against the others
    assert score["value"] == pytest.approx(0.8928, abs=5e-5)
    assert "refs:4-5" in score["signature"]


def test_run_replays_a_captions_file(
    references: Callable[..., Path], tmp_path: Path, command: Command
) -> None:
    command(*small(references, tmp_path))
    overrides = ["data=coco", "data.annotations=references.json", "scorer=[bleu]"]
    done = command("run", "model=replay", "model.captions=captions.json", *overrides)
    assert done.returncode == 0, done.stderr  # missing in the file, which no further run can change
    (run,) = (tmp_path / "runs").iterdir()
    assert scores(run)["scores"] == scores(tmp_path / "run")["scores"]
    assert (run / "report.html").is_file()


def test_a_scorer_can_be_left_out(references: Callable[..., Path], tmp_path: Path, command: Command) -> None:
    arguments = small(references, tmp_path)
    arguments[arguments.index("--scorer") : arguments.index("--output")] = []
    assert (
        command(*arguments, "scorer.clipscore=null", "scorer.cider=null", "scorer.meteor=null").returncode
        == 0
    )
    metrics = list(scores(tmp_path / "run")["scores"])
    assert metrics == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"]
    (tmp_path / "run" / "scores.json").unlink()
    done = command("score", "run")
    assert done.returncode == 0, done.stderr
    assert list(scores(tmp_path / "run")["scores"]) == metrics


def test_what_another_run_could_get_exits_with_3(own: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "script.json").write_text('{"2": {"error": "the server is down"}}')
    arguments = ["run", "--config-dir", own, "model=scripted", "model.script=script.json"]
    arguments += ["scorer=[bleu,words]", "limit=3", "name=one"]
    done = command(*arguments)
    assert done.returncode == 3
    assert "the command of the run tries 1 of" in done.stderr
    (tmp_path / "script.json").write_text("{}")
    assert command(*arguments).returncode == 0
    assert scores(tmp_path / "runs" / "one")["outcomes"] == {"ok": 3}
    (tmp_path / "script.json").write_text('{"1": {"refused": "no"}}')
    assert command(*arguments, "name=two").returncode == 0


def test_a_sweep_ends_in_one_comparison(own: Path, tmp_path: Path, command: Command) -> None:
    arguments = ["run", "--config-dir", own, "-m", "model=scripted", "model.style=plain,odd"]
    done = command(*arguments, "scorer=[words]", "limit=2", "sweep=styles")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "styles"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("comparison.csv", "comparison.json", "comparison.md", "experiment.md", "report.html")
    ]
    assert len(pd.read_csv(folder / "comparison.csv")) == 2
    assert len(list((tmp_path / "runs").glob("demo-scripted-none*"))) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run nosuch=1", "nosuch: there is no such option"),
        ("run +nosuch=1", "nosuch: there is no such option"),
        ("run model.nosuch=1", "model.nosuch: there is no such option"),
        ("run +model.nosuch=1", "model.nosuch: there is no such option"),
        ("run model=nosuch", "model: there is no 'nosuch'"),
        ("run scorer=[nosuch]", "scorer: there is no 'nosuch'"),
        ("run model.num_beams=abc", "model.num_beams: 'abc': is not an integer"),
        ("run model.num_beams=0", "model.num_beams: 0:"),
        ("run limit=0", "limit: 0:"),
        ("run confidence=2", "confidence: 2:"),
        ("run name=${nosuch}", "nosuch"),
        ("run limit", "option=value"),
        ("run data.annotations=a=b", "option='value'"),
        ("run data=coco", "data.annotations: it has no default. Type data.annotations="),
        ("run data.annotations=nosuch.json", "nosuch.json: there is no such file"),
        ("run model=replay model.captions=nosuch.json", "nosuch.json: there is no such file"),
        ("run model=replay model.captions=unknown.json", "for an image of the data set"),
        ("run -m model=tiny-git,tiny-blip name=one", "several runs of this sweep would share"),
        ("run --nosuch", "--nosuch"),
        ("score nosuch.json", "there is no file or folder 'nosuch.json'"),
        ("score unknown.json", "and no references. Type --references FILE"),
        ("score", "type captions files with --references FILE"),
        ("score unknown.json . --references unknown.json", "in separate commands"),
        ("score unknown.json --leave-one-out unknown.json", "in a separate command"),
        ("score .", "is not a run folder"),
        ("compare .", "is not a run folder"),
        ("compare --format nosuch .", "'nosuch' is not one of"),
        ("report nosuch", "there is no run 'nosuch'"),
        ("list nosuch", "there is no group 'nosuch'"),
        ("nosuch", "No such command 'nosuch'"),
    ],
)
def test_a_mistake_is_named(line: str, message: str, tmp_path: Path, command: Command) -> None:
    (tmp_path / "unknown.json").write_text('[{"image_id": "elsewhere", "caption": "a dog"}]')
    assert message in refused(command(*line.split()))


def test_the_choices_are_listed(own: Path, command: Command) -> None:
    listed = command("list").stdout
    assert all(choice in listed for choice in ("tiny-git", "blip2-coco", "karpathy", "clipscore", "photo"))
    assert "scripted" in command("list", "models", "--config-dir", own).stdout
    assert command("--version").stdout == f"evaluator, version {__version__}\n"


@pytest.mark.parametrize("line", ["--help", "run --help", "score --help", "list", "list models", "--version"])
def test_a_quick_question_imports_nothing_heavy(line: str) -> None:
    code = (
        "import sys\n"
        "from evaluator.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'pandas', 'pyarrow', 'hydra', 'omegaconf', 'pycocoevalcap'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *line.split()], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy: []", done.stderr


@pytest.mark.parametrize(
    "name",
    [
        *("a b", "it's", '"a"', "a,b", "a=b", "a\\b", "a\\", "a\\'b", "\\\\", "a${b}", "\\${b}", "$HOME"),
        *("[a]", "{a: b}", "(a)", "a:b", "~a", "+a", "#a", "null", "1", "é\u2028", "a\nb", "%20", ODD_NAME),
    ],
)
def test_any_path_survives_the_grammar_of_overrides(name: str) -> None:
    (config,) = run_configs([f"runs={quoted(Path('/x') / name)}", f"name={quoted(name)}"])
    assert (config.settings.runs, config.name) == (Path("/x") / name, name)


def test_folders_may_have_any_name(
    references: Callable[..., Path], tmp_path: Path, own_copy: Path, command: Command
) -> None:
    folder = tmp_path / ODD_NAME
    folder.mkdir()
    small(references, tmp_path)
    for name in ("captions.json", "references.json"):
        (tmp_path / name).rename(folder / name)
    own_copy.rename(tmp_path / 'it\'s a "conf", {a} = %20')
    Image.new("RGB", (8, 8)).save(folder / "1.png")
    done = command(
        *("score", folder / "captions.json", "--references", folder / "references.json"),
        *("--images", folder, "--config-dir", 'it\'s a "conf", {a} = %20'),
        *("--scorer", "bleu", "--scorer", "words", "--output", folder / "run"),
    )
    assert done.returncode == 0, done.stderr
    run = RunFolder(folder / "run")
    assert run.load().results.captioned == 2
    assert run.load().items[0].image == folder / "1.png"
    assert command("score", folder / "run", "--scorer", "bleu").returncode == 0
    assert command("compare", folder / "run").returncode == 0
