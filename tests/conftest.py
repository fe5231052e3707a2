"""What the tests share: the real data, a home folder of their own, and a summary of what was skipped."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestModule
from click.testing import CliRunner
from hypothesis import settings

from evaluator.core import Item

# No test asserts how long something takes, because machines are busy.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell starts background programs with Ctrl-C ignored; without this, tests of Ctrl-C would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The hub's client reads this when it is imported, which may happen before any fixture.
os.environ["HF_HUB_OFFLINE"] = "1"
# Models this small gain nothing from threads, and threads that wait for a busy core cost ten times as much.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# As the program does: what a test makes has few cycles, and there is much else to look through for them.
gc.set_threshold(100_000)

# The folder of the real COCO references, published captions and photographs. It is never part of the project.
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


NO_REAL_DATA = "the real COCO data is missing: set EVALUATOR_TEST_DATA to its folder, as CONTRIBUTING.md says"

# Those that take the most processor time.
LONG_FILES = (
    *("/cli/test_main.py", "/config/test_run_config.py", "/judging/test_run.py", "/models/test_cloud.py"),
    *("/local/test_chat_families.py", "/local/test_families.py", "/local/test_transformers_serve.py"),
    *("/page/test_browser.py", "/page/test_images_in_browser.py", "/runner/test_attacks.py"),
    *("/runner/test_soak.py", "/scorers/test_clipscore.py", "/store/test_hostile_folders.py"),
    *("/test_evaluate.py", "/test_first_version.py", "/test_guides.py", "/test_package.py"),
    *("/test_prepare.py", "/test_readme.py", "/test_resume.py"),
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say last, before pytest's own last line, how many tests were skipped and why."""
    yield
    if skipped := terminalreporter.stats.get("skipped", []):
        tests = sum(isinstance(report, pytest.TestReport) for report in skipped)
        files = f" and {len(skipped) - tests} whole file(s)" if len(skipped) > tests else ""
        terminalreporter.section(f"skipped: {tests} test(s){files}")
        for line in skip_summary(str(report.longrepr[2]) for report in skipped):
            terminalreporter.write_line(line)


def skip_summary(reasons: Iterable[str]) -> list[str]:
    """One line per reason, the missing real data first, then the most frequent.

    >>> absent = "Skipped: could not import 'torch': No module named 'torch'"
    >>> for line in skip_summary([absent, "Skipped: torch is not installed", f"Skipped: {NO_REAL_DATA}"]):
    ...     print(line)
       1  the real COCO data is missing: set EVALUATOR_TEST_DATA to its folder, as CONTRIBUTING.md says
       2  torch is not installed: `make test` installs it
    """
    plain = (reason.removeprefix("Skipped: ") for reason in reasons)
    plain = (re.sub(r"could not import '([\w.]+)'.*", r"\1 is not installed", reason) for reason in plain)
    counts = Counter(plain)
    return [
        f"{counts[reason]:4}  {reason}"
        + (": `make test` installs it" if re.fullmatch(r"[\w.]+ is not installed", reason) else "")
        for reason in sorted(counts, key=lambda reason: (reason != NO_REAL_DATA, -counts[reason], reason))
    ]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[Any], list[Any]]:
    """A file of tests has no doctests; looking for some would import each of them a second time."""
    found = yield
    if file_path.name.startswith("test_"):
        return [collector for collector in found if not isinstance(collector, DoctestModule)]
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no process ends with one of them alone."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONG_FILES))


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: it is not searched for cycles again and again."""
    gc.freeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with coco/ and systems/. A test that asks for it is skipped where it is missing."""
    if not (REAL_DATA / "coco" / "captions_karpathy_test.json").is_file():
        pytest.skip(NO_REAL_DATA)
    return REAL_DATA


@pytest.fixture(scope="session")
def published(real_data: Path) -> Callable[[str], tuple[list[Item], list[str]]]:
    """A published system -> the images of the Karpathy test split that it captioned, and its captions."""
    references: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_text())["annotations"]:
        references.setdefault(row["image_id"], []).append(row["caption"])

    def captioned(system: str) -> tuple[list[Item], list[str]]:
        rows = json.loads((real_data / "systems" / f"{system}.json").read_text())
        rows = [row for row in rows if row["image_id"] in references]
        items = [Item(str(row["image_id"]), None, tuple(references[row["image_id"]])) for row in rows]
        return items, [row["caption"] for row in rows]

    return captioned


@pytest.fixture(scope="session")
def meteor_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What METEOR prepares in its cache, which takes 20 seconds: all processes of pytest-xdist share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    (folder / "meteor").mkdir(exist_ok=True)
    return folder / "meteor"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, meteor_tables: Path) -> Path:
    """The home folder of the tests."""
    folder = tmp_path_factory.getbasetemp() / "home"
    if not folder.exists():  # the doctest of this file has a session of its own
        (folder / "cache").mkdir(parents=True)
        (folder / "cache" / "meteor").symlink_to(meteor_tables)
    return folder


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No test uses the network or the home folder."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("EVALUATOR_CACHE", str(home / "cache"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright. Its event loop would disturb the tests of other modules."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `evaluator ARGUMENTS` in the test's own folder, within this process: starting one takes seconds.

    The test is skipped where the command needs torch and torch is not installed.
    """

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        from evaluator.cli.main import exit_code

        line = ["evaluator", *map(str, arguments)]
        with monkeypatch.context() as patched, warnings.catch_warnings(), CliRunner().isolation() as streams:
            warnings.simplefilter("default")
            patched.chdir(tmp_path)
            patched.setattr(sys, "argv", line)
            code = exit_code()
            output, errors = (stream.getvalue().decode() for stream in streams[:2])
        logger = logging.getLogger("evaluator")
        logger.handlers, logger.level = [], logging.NOTSET
        if "torch is not installed" in errors and not find_spec("torch"):
            pytest.skip("torch is not installed")
        return subprocess.CompletedProcess(line, code, output, errors)

    return run


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The conf/ of a user's own repository, whose components can be imported. No test writes into it."""
    repository = Path(__file__).parent / "own"
    monkeypatch.syspath_prepend(repository)
    return repository / "conf"


@pytest.fixture
def own_copy(own: Path, tmp_path: Path) -> Path:
    """The same repository in the test's own folder."""
    shutil.copytree(own.parent, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "conf"


@pytest.fixture
def references(tmp_path: Path) -> Callable[..., Path]:
    """Writes captions by image id as a file in COCO's format, whose pictures are named after the ids."""

    def write(captions: Mapping[int | str, Sequence[str]], name: str = "references.json") -> Path:
        document = {
            "images": [{"id": image, "file_name": f"{image}.png"} for image in captions],
            "annotations": [
                {"image_id": image, "caption": text} for image, texts in captions.items() for text in texts
            ],
        }
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
        return tmp_path / name

    return write
