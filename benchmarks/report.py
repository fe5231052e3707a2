"""How fast a report of 40,000 images opens, filters, orders, changes views and jumps, in headless chromium.

    python benchmarks/report.py [IMAGES [RUNS]]

The captions of two runs are generated, with five references per image. The peer, in the same browser, is a
plain page of the same texts: one table with one row per image, filtered by hiding rows. It prints readable
lines first and one JSON object last.
"""

from __future__ import annotations

import html
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Measurement, Outcome, Reply, Results, Score, Signature
from evaluator.report.page.html import write_report
from evaluator.store.counts import count_outcomes
from evaluator.store.manifest import Manifest
from evaluator.store.run_folder import RunFolder

IMAGES, RUNS = 40_000, 2
TAGS = ("person", "dog", "car", "bench", "pizza")
METRICS = ("METEOR", "CIDEr")
REPEATS = 5
WANTED = "w17"  # a word that about one text in forty holds


def sentence(source: random.Random) -> str:
    return "a " + " ".join(f"w{int(source.paretovariate(0.7)) % 9000}" for _ in range(9))


def generated(folder: Path, images: int, runs: int) -> list[Path]:
    """Scored run folders about the same images; one in fifty outcomes is a refusal."""
    source, numbers = random.Random(7), np.random.default_rng(7)
    items = [
        Item(str(n), None, tuple(sentence(source) for _ in range(5)), (source.choice(TAGS),))
        for n in range(images)
    ]
    return [generated_run(folder / f"system-{n}", items, source, numbers) for n in range(runs)]


def generated_run(
    path: Path, items: Sequence[Item], source: random.Random, numbers: np.random.Generator
) -> Path:
    captions = {
        item.id: Caption(item.id, Outcome.REFUSED, error="I cannot describe people.")
        if source.random() < 0.02
        else Caption(item.id, Outcome.OK, Reply(sentence(source)))
        for item in items
    }
    manifest = Manifest(
        choices={"data": "generated", "model": path.name, "prompt": "none"},
        identity={"data": {}, "model": {}, "prompt": {"name": "none", "text": ""}},
        dataset_digest="generated",
        images=len(items),
    )
    folder = RunFolder(path)
    folder.begin(manifest, {}, items)
    with folder.ledger() as ledger:
        for caption in captions.values():
            ledger.record(caption)
    ids = [item_id for item_id, caption in captions.items() if caption.text]
    measurements = [
        Measurement(
            name, np.c_[numbers.gamma(2, 0.5, len(ids)), np.ones(len(ids))], "mean", Signature(f"{name}|v:0")
        )
        for name in METRICS
    ]
    scores = tuple(
        Score(one.name, one.value, one.value - 0.01, one.value + 0.01, one.signature) for one in measurements
    )
    results = Results(len(items), count_outcomes(captions.values()), scores)
    folder.write_results(folder.load().scored(results, ids, measurements))
    return path


def plain_page(paths: Sequence[Path], output: Path) -> Path:
    """A table with everything in it, as a template writes it."""
    runs = [RunFolder(path).load() for path in paths]
    rows = "".join(
        f"<tr><td>{item.id}<td>{'<br>'.join(map(html.escape, item.references))}"
        + "".join(f"<td>{html.escape(run.captions[item.id].text or 'refused')}" for run in runs)
        for item in runs[0].items
    )
    script = """
    const rows = [...document.querySelectorAll("tr")];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    document.querySelector("input").addEventListener("input", (event) => {
      rows.forEach((row, index) => (row.hidden = !texts[index].includes(event.target.value)));
    });"""
    output.write_text(f"<!doctype html><input id=search><table>{rows}</table><script>{script}</script>")
    return output


# From an action to the frame in which its effect was painted, in milliseconds. Before all images are
# unpacked, a report lets its answer wait.
TIMED = """async ([id, kind, value]) => {
  const field = document.getElementById(id);
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event(kind));
  while (document.querySelector("#list[aria-busy]")) await new Promise((done) => setTimeout(done));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
CLICKED = """async (selector) => {
  const start = performance.now();
  document.querySelector(selector).click();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
JUMP = """async (id) => {
  const start = performance.now();
  location.hash = `image=${id}`;
  while (document.querySelector("#lightbox h2").textContent !== id) {
    await new Promise((done) => setTimeout(done));
  }
  return performance.now() - start;
}"""


def opened(browser: Any, path: Path, ready: str) -> tuple[Any, float]:
    """A page, and the seconds until it shows what is waited for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.monotonic()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector(ready, timeout=120_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return page, time.monotonic() - start


def of_several(browser: Any, path: Path, ready: str) -> tuple[Any, float]:
    """The same several times; the last of the pages."""
    seconds = []
    for _ in range(REPEATS):
        page, took = opened(browser, path, ready)
        seconds.append(took)
        if len(seconds) < REPEATS:
            page.close()
    return page, median(seconds)


def timed(page: Any, *actions: tuple[str, str, str]) -> float:
    """Seconds of the slowest action, each the median of several times."""
    slowest = 0.0
    for action in actions:
        slowest = max(slowest, median(page.evaluate(TIMED, list(action)) for _ in range(REPEATS)) / 1000)
    return slowest


def main(images: int, runs: int) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        paths = generated(folder, images, runs)
        start = time.monotonic()
        comparison = compare(paths)
        compared = time.monotonic() - start
        report = write_report(comparison, folder / "report.html")
        written = time.monotonic() - start - compared
        plain = plain_page(paths, folder / "plain.html")
        megabytes = report.stat().st_size / 1e6
        print(f"{images:,} images, {runs} runs: compared in {compared:.1f} s, written in {written:.1f} s")
        print(f"  {megabytes:.1f} MB, the plain page {plain.stat().st_size / 1e6:.1f} MB")

        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox"]
        )
        page, complete_seconds = of_several(browser, report, "#list:not([aria-busy]):not(:empty)")
        page.close()
        page, open_seconds = of_several(browser, report, "article.card")
        print(f"  opens in {open_seconds:.2f} s, all images are unpacked after {complete_seconds:.2f} s")
        first = page.evaluate(TIMED, ["search", "input", WANTED]) / 1000
        searched = timed(
            page, ("search", "input", WANTED), ("search", "input", "a w"), ("search", "input", "")
        )
        tag = page.eval_on_selector("#show", "show => [...show.options].find((o) => o.text === 'dog').value")
        shown = timed(
            page,
            *(
                ("show", "change", what)
                for what in (tag, "outcome refused", "long", "disagree", "first", "wrong", "all")
            ),
        )
        ordered = timed(
            page, *(("order", "change", what) for what in ("gain", "loss", "spread", "length", "data"))
        )
        views = max(
            median(page.evaluate(CLICKED, f"[data-view={view}]") for _ in range(REPEATS)) / 1000
            for view in ("matrix", "grid", "cards")
        )
        swapped = median(page.evaluate(CLICKED, "#swap") for _ in range(REPEATS)) / 1000
        jumped = page.evaluate(JUMP, str(images - 3)) / 1000
        print(f"  the first search {first:.3f} s, others at most {searched:.3f} s")
        print(f"  filters at most {shown:.3f} s, orders at most {ordered:.3f} s, to an image {jumped:.3f} s")
        print(f"  views at most {views:.3f} s, swapped in {swapped:.3f} s")
        page.close()
        page, plain_open = of_several(browser, plain, f"tr:nth-child({images})")
        plain_searched = timed(page, ("search", "input", WANTED), ("search", "input", ""))
        print(f"plain page: opens in {plain_open:.2f} s, searches in {plain_searched:.3f} s")
        browser.close()
        figures = {
            "open_seconds": open_seconds,
            "complete_seconds": complete_seconds,
            "filter_seconds": max(first, searched, shown),
            "order_seconds": ordered,
            "view_seconds": max(views, swapped),
            "jump_seconds": jumped,
            "megabytes": megabytes,
            "plain_open_ratio": plain_open / open_seconds,
            "plain_filter_ratio": plain_searched / searched,
        }
        print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}))


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(IMAGES, RUNS)[len(given) :])
