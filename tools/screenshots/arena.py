"""The pictures of the arena in README and docs: the voting page, and the report's section about votes.

    pip install scikit-image
    python -m tools.screenshots.arena docs/images

The photographs come with scikit-image and are in the public domain: an espresso by Rachel Michetti, the cat
Chelsea by Stefan van der Walt, a photographer by Lav Varshney (all CC0), and photographs of NASA and SpaceX.
The captions were written by hand, and the votes are drawn from a seed. A real server, a real browser and the
real report are shown.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from evaluator.arena.votes import Vote, append_vote, caption_digest, read_votes
from evaluator.comparison.compare import compare
from evaluator.config.run_config import run_configs
from evaluator.evaluate import evaluate
from evaluator.report.page.html import write_report
from evaluator.store.run import Run
from evaluator.web.arena_app import arena_app
from evaluator.web.arena_session import ArenaSession, contest
from evaluator.web.server import serving

# By photograph: what people wrote about it, and what each system says.
REFERENCES: Mapping[str, tuple[str, str]] = {
    "coffee": ("a cup of espresso and a spoon on a saucer", "a red cup of coffee on a wooden table"),
    "chelsea": ("a ginger cat looks to the side", "the face of a cat with green eyes"),
    "camera": (
        "a man in a coat films with a camera on a tripod",
        "a photographer on a lawn in front of a city",
    ),
    "rocket": ("a rocket on its launch pad at night", "a rocket between two towers with white smoke"),
    "astronaut": (
        "a woman in an orange space suit smiles",
        "an astronaut in front of a flag and a space shuttle",
    ),
}
CAPTIONS: Mapping[str, Mapping[str, str]] = {
    "long-and-careful": {
        "coffee": "An espresso in a red cup, with a spoon on the saucer, on a table of dark wood.",
        "chelsea": "A ginger cat with green eyes looks past the camera.",
        "camera": "A man in a long coat looks into a camera on a tripod, with a city behind the lawn.",
        "rocket": "A white rocket stands lit on its launch pad at night, between lightning towers.",
        "astronaut": "A smiling astronaut in an orange suit, with a flag and a shuttle behind her.",
    },
    "short": {
        "coffee": "a cup of coffee on a table",
        "chelsea": "a close up of a cat",
        "camera": "a man taking a picture with a camera",
        "rocket": "a rocket is launching at night",
        "astronaut": "a woman in an orange suit smiling",
    },
    "inventive": {
        "coffee": "A cup of tea beside a slice of chocolate cake on a wooden table.",
        "chelsea": "A tiger cub with yellow eyes lies in the grass.",
        "camera": "A man on a beach sets up a telescope to watch the stars.",
        "rocket": "A lighthouse shines over a harbour at night.",
        "astronaut": "A pilot in an orange suit stands in front of two flags and waves.",
    },
}
STRENGTHS = {"long-and-careful": 5.0, "short": 3.0, "inventive": 1.0}
RATERS = ("anna", "ben", "cem", "dora", "emil")
REASONS = ("says what is there, and not more", "the colour is right", "more of the picture", "reads better")


def make_runs(folder: Path) -> list[Path]:
    """The photographs with their captions, as runs that were scored."""
    import json

    from skimage import data

    (folder / "pictures").mkdir()
    for name in REFERENCES:
        Image.fromarray(getattr(data, name)()).convert("RGB").save(folder / "pictures" / f"{name}.png")
    entries = list(REFERENCES.items())
    annotations = {
        "images": [{"id": n, "file_name": f"{name}.png"} for n, (name, _) in enumerate(entries)],
        "annotations": [
            {"image_id": n, "caption": text} for n, (_, texts) in enumerate(entries) for text in texts
        ],
    }
    (folder / "references.json").write_text(json.dumps(annotations))
    runs = []
    for system, said in CAPTIONS.items():
        found = [{"image_id": n, "caption": said[name]} for n, (name, _) in enumerate(entries)]
        (folder / f"{system}.json").write_text(json.dumps(found))
        (config,) = run_configs(
            [
                *("model=replay", f"model.captions={folder / system}.json", "data=karpathy"),
                *(f"data.annotations={folder / 'references.json'}", f"data.images={folder / 'pictures'}"),
                *("scorer=[cider,rouge]", f"runs={folder / 'runs'}", f"name={system}"),
            ]
        )
        evaluate(config)
        runs.append(config.folder)
    return runs


def drawn_votes(runs: list[Path]) -> Iterator[Vote]:
    """Each rater answers every question; who is better wins more often."""
    random = Random(1)
    said = {
        path.name: {image: each.text or "" for image, each in Run(path).captions.items()} for path in runs
    }
    names = list(said)
    for number in range(len(RATERS) * len(REFERENCES) * len(names)):
        rater = RATERS[number % len(RATERS)]
        image = str(number // len(RATERS) % len(REFERENCES))
        a, b = [name for name in names if name != names[number // len(RATERS) // len(REFERENCES)]]
        chance = STRENGTHS[a] / (STRENGTHS[a] + STRENGTHS[b])
        winner = random.choices(("a", "b", "tie"), (chance, 1 - chance, 0.15))[0]
        yield Vote(
            image,
            a,
            b,
            winner,  # type: ignore[arg-type]
            rater,
            random.choice(("a", "b")),
            f"2026-05-04T10:{number // 60:02}:{number % 60:02}Z",
            random.choice(REASONS) if random.random() < 0.3 and winner != "tie" else "",
            caption_digest(said[a][image]),
            caption_digest(said[b][image]),
        )


def write_jpeg(page: Any, path: Path, **options: Any) -> None:
    """The page as a JPEG of some 100 KB; the browser's own are twice as large."""
    picture = Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB")
    picture.save(path, quality=82, optimize=True, progressive=True)
    print(path, picture.size)


def take(output: Path) -> None:
    """Make runs and votes in a folder of their own, and take both pictures."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        runs = make_runs(folder)
        session = ArenaSession(
            contest([Run(path) for path in runs], [path.name for path in runs]),
            folder / "session.jsonl",
            Random(4),
        )
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        with serving(arena_app(session, 200), "127.0.0.1", None) as served:
            page.goto(served.addresses("/")[0])
            page.wait_for_selector("#who button:enabled")
            page.fill("#rater", "anna")
            page.keyboard.press("Enter")
            page.wait_for_selector("#question:visible")
            for number in range(1, 7):
                page.keyboard.press("a")
                page.wait_for_selector(f"#counts >> text=anna: {number},")
            page.locator("#picture").evaluate("async (image) => { await image.decode() }")
            write_jpeg(page, output / "arena.jpg")
        for vote in drawn_votes(runs):
            append_vote(folder / "runs" / "votes.jsonl", vote)
        assert read_votes([folder / "runs" / "votes.jsonl"])[0]
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(write_report(compare(runs), folder / "report.html").as_uri())
        page.locator("#list:not([aria-busy]):not(:empty)").wait_for(state="attached")
        page.locator("#votes").evaluate("(heading) => heading.scrollIntoView()")
        write_jpeg(page, output / "votes.jpg")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
