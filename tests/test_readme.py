"""README.md does what it says: its files are written, its commands are typed, in its order.

The data of its examples are a few of the drawn scenes under the names that the commands use, and the hub's
cache holds the tiny models under the names of the real checkpoints, so each command runs as it stands.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import evaluator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = Path(evaluator.__file__).parent / "demo"
IMAGES = 4
CHECKPOINTS = {
    "microsoft/git-base-coco": "git",
    "Salesforce/blip-image-captioning-base": "blip",
    "Salesforce/blip2-opt-2.7b": "blip2",
    "openai/clip-vit-base-patch32": "clip",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    joined = "\n".join(blocks("sh")).replace("\\\n", " ")
    return [re.sub(r"\s+#.*|\s+$", "", line) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the commands of the README name."""
    made = tmp_path_factory.mktemp("readme")
    document = json.loads((DEMO / "data" / "captions.json").read_bytes())
    document["images"] = document["images"][:IMAGES]
    ids = {image["id"] for image in document["images"]}
    document["annotations"] = [note for note in document["annotations"] if note["image_id"] in ids]
    for name in ("captions_val2017.json", "dataset_coco.json"):
        (made / name).write_text(json.dumps(document))
    results = [{"image_id": number, "caption": "a red circle"} for number in sorted(ids)]
    (made / "captions.json").write_text(json.dumps(results))
    shutil.copy(DEMO / "data" / "images" / document["images"][0]["file_name"], made / "photo.jpg")
    for name in ("val2017", "val2014", "holiday"):
        (made / name).mkdir()
    for image in document["images"]:
        picture = DEMO / "data" / "images" / image["file_name"]
        for name in ("val2017", "val2014"):
            shutil.copy(picture, made / name)
        Image.open(picture).convert("RGB").save(made / "holiday" / f"{picture.stem}.jpg")
        (made / "holiday" / f"{picture.stem}.txt").write_text("A red cross.\nA cross on the left.\n")
    for language in ("python", "yaml"):
        for block in blocks(language):
            (name,) = re.findall(r"^# (\S+\.(?:py|yaml))$", block, flags=re.MULTILINE)
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
    for name, tiny in CHECKPOINTS.items():
        repository = made / "hub" / f"models--{name.replace('/', '--')}"
        shutil.copytree(DEMO / "models" / tiny, repository / "snapshots" / ("0" * 40))
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("0" * 40)
    return made


def without_a_key(command: str, folder: Path) -> str:
    """What a command says that would ask a cloud model."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if "API_KEY" not in key} | {"PATH": path}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


def typed(command: str, folder: Path) -> str:
    """What the command prints; the test fails where it fails."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HF_HUB_CACHE": str(folder / "hub"),
    }
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    # 1 is the gate's answer for captions that are worse, as those of tiny models to a question are.
    assert done.returncode in ((0, 1) if "evaluator regress" in command else (0,)), (
        f"{command}\n{done.stderr}"
    )
    return done.stdout


def test_every_command_works(folder: Path) -> None:
    typed("evaluator score captions.json --references dataset_coco.json --output runs/ours", folder)
    typed_here = [command for command in commands() if command.startswith("evaluator ")]
    assert len(typed_here) >= 9
    needing_a_key = [c for c in typed_here if "model=gemini" in c and not c.startswith("evaluator plan")]
    assert len(needing_a_key) == 2
    for command in needing_a_key:
        assert "GEMINI_API_KEY" in without_a_key(command, folder)
    printed = {command: typed(command, folder) for command in typed_here if command not in needing_a_key}
    assert "US dollars" in next(text for command, text in printed.items() if "evaluator plan" in command)
    (six_runs,) = (text for command, text in printed.items() if "model=git,blip,blip2" in command)
    assert all(
        f"{model} {prompt}" in six_runs for model in ("git", "blip", "blip2") for prompt in ("none", "photo")
    )
    made = [path.name for path in (folder / "runs").glob("coco-*-*-*") if "gemini" not in path.name]
    assert len(made) == 7  # six, and one with prompt=vqa
    assert "Shouting" in next(text for command, text in printed.items() if "shouting" in command)
    assert (folder / "leaderboard.html").is_file()
    assert "CIDEr|variant:D" in typed(f"{sys.executable} library.py", folder)


def test_the_makefile_has_every_target_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {word for command in commands() if command.startswith("make ") for word in command.split()[1:]}
    assert named
    assert all(
        re.search(rf"^{target}:", makefile, re.MULTILINE) for target in {*named, "test", "lint", "bench"}
    )


def test_every_link_leads_somewhere() -> None:
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
    ):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
