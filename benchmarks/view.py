"""How long after a caption is made `evaluator view` shows it, in headless chromium.

    python benchmarks/view.py [CAPTIONS]

A run of the demo's pictures is written by one thread, and watched through the ordinary server and page. A
stand-in for a model answers at irregular moments. A caption's time begins when the model returns it and ends
when it is in the page. It prints readable lines first and one JSON object last.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from evaluator.config.run_config import run_configs
from evaluator.core import Item, Prompt, Reply
from evaluator.evaluate import evaluate

CAPTIONS = 40
LEAST_PAUSE, MOST_PAUSE = 0.1, 0.9  # seconds between two captions

# Notes when each caption comes into the page, in Unix seconds.
NOTE_TIMES = """() => {
  window.times = {};
  new MutationObserver(() => {
    for (const { textContent } of document.querySelectorAll(".made-card .caption")) {
      window.times[textContent] ??= Date.now() / 1000;
    }
  }).observe(document.getElementById("cards"), { childList: true, subtree: true });
}"""


@dataclass(frozen=True)
class Irregular:
    """A captioner that notes when it answers."""

    pauses: random.Random = field(default_factory=lambda: random.Random(7))
    recorded_at: dict[str, float] = field(default_factory=dict)  # Unix seconds by caption

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Irregular]:
        yield self

    def prepare(self, item: Item) -> str:
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply]:
        time.sleep(self.pauses.uniform(LEAST_PAUSE, MOST_PAUSE))
        replies = [Reply(f"a picture with the number {item_id}") for item_id in prepared]
        self.recorded_at.update((reply.text, time.time()) for reply in replies)
        return replies


def delays(runs: Path, captions: int) -> list[float]:
    """The seconds from each caption's making to its showing."""
    from playwright.sync_api import sync_playwright

    from evaluator.web.app import web_app
    from evaluator.web.listed_runs import ListedRuns
    from evaluator.web.server import serving

    model = Irregular()
    (config,) = run_configs(
        [
            "data=demo",
            f"limit={captions}",
            f"runs={runs}",
            "name=live",
            "scorer=[bleu]",
            "runner.batch_size=1",
        ]
    )
    making = threading.Thread(target=evaluate, args=(replace(config, model=model),))
    with serving(web_app(ListedRuns(runs)), "127.0.0.1", 0) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(app.addresses(f"/watch?{urlencode({'run': 'live'})}")[0])
        page.wait_for_selector("text=not begun")
        page.evaluate(NOTE_TIMES)
        making.start()
        making.join()
        page.locator(".made-card").nth(captions - 1).wait_for()
        shown: dict[str, float] = page.evaluate("window.times")
        browser.close()
    return [shown[text] - made for text, made in model.recorded_at.items()]


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


def main(captions: int = CAPTIONS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = delays(Path(folder), captions)
    print(
        f"{captions} captions, seconds from made to shown: {median(seconds):.2f}, at most {max(seconds):.2f}"
    )
    print(json.dumps({"median_seconds": round(median(seconds), 3), "most_seconds": round(max(seconds), 3)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
