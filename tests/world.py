"""A folder with everything that the commands of the README and the guides name, so that they can be run.

The drawn scenes stand for COCO's files, and the hub's cache holds the tiny models under the names of the real
checkpoints.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

import evaluator
from tests.forked import Forked, command_line

DEMO = Path(evaluator.__file__).parent / "demo"
CHECKPOINTS = {
    "microsoft/git-base-coco": "git",
    "Salesforce/blip-image-captioning-base": "blip",
    "Salesforce/blip2-opt-2.7b": "blip2",
    "openai/clip-vit-base-patch32": "clip",
}


def make_world(folder: Path, images: int = 4) -> Path:
    """COCO's annotations and pictures by their names, a captions file, some photos, the hub's cache."""
    document = json.loads((DEMO / "data" / "captions.json").read_bytes())
    document["images"] = document["images"][:images]
    ids = {image["id"] for image in document["images"]}
    document["annotations"] = [note for note in document["annotations"] if note["image_id"] in ids]
    for name in ("captions_val2017.json", "dataset_coco.json"):
        (folder / name).write_text(json.dumps(document))
    shutil.copy(DEMO / "data" / "instances.json", folder / "instances_val2017.json")
    results = [{"image_id": number, "caption": "a red circle"} for number in sorted(ids)]
    (folder / "captions.json").write_text(json.dumps(results))
    shutil.copy(DEMO / "data" / "images" / document["images"][0]["file_name"], folder / "photo.jpg")
    for name in ("val2017", "val2014", "holiday"):
        (folder / name).mkdir()
    for image in document["images"]:
        picture = DEMO / "data" / "images" / image["file_name"]
        for name in ("val2017", "val2014"):
            shutil.copy(picture, folder / name)
        Image.open(picture).convert("RGB").save(folder / "holiday" / f"{picture.stem}.jpg")
        (folder / "holiday" / f"{picture.stem}.txt").write_text("A red cross.\nA cross on the left.\n")
    for name, tiny in CHECKPOINTS.items():
        repository = folder / "hub" / f"models--{name.replace('/', '--')}"
        shutil.copytree(DEMO / "models" / tiny, repository / "snapshots" / ("0" * 40))
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("0" * 40)
    return folder


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a Markdown page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """The lines that a page tells its reader to type, without comments."""
    joined = "".join(blocks(page, "sh")).replace("\\\n", " ")
    return [re.sub(r"\s+#.*|\s+$", "", line) for line in joined.splitlines() if line.strip()]


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the world, as somebody who has set no API key. The shell reads the line."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HF_HUB_CACHE": str(folder / "hub"),
    }
    program, _, rest = command.partition(" ")
    line = f"printf '%s\\0' {rest}" if program == "evaluator" else command
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if program != "evaluator":
        return done
    return Forked(command_line(*done.stdout.split("\0")[:-1]), folder, environment).finish()
