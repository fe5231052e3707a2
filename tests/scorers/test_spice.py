"""SPICE's process: what is asked, what is understood, and each way in which it goes wrong.

The parser's models cannot be fetched by a test, so a stand-in answers in the form of the real program, whose
sources lie in spice-1.0.jar (SpiceArguments, SpiceScorer, SpiceStats).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.spice import MODELS, PROGRAM, SPICE, program_folder

# Scores a caption with the share of its words that the references hold, and keeps what it was asked.
STAND_IN = """#!{python}
import json, pathlib, sys
if sys.argv[1:] == ["-version"]:
    sys.exit(print('openjdk version "{version}"', file=sys.stderr))
memory, jar, program, question = sys.argv[1:5]
options = sys.argv[5:]
assert (memory, jar, program) == ("-Xmx2G", "-jar", "spice-1.0.jar"), sys.argv
assert pathlib.Path(program).is_file()
assert pathlib.Path(options[options.index("-cache") + 1]).is_dir()
rows = json.loads(pathlib.Path(question).read_bytes().decode("ascii"))
pathlib.Path(__file__).with_name("asked.json").write_text(json.dumps(rows))
{behaviour}
def share(row):
    words = row["test"].split()
    return sum(word in " ".join(row["refs"]).split() for word in words) / max(len(words), 1)
answer = [dict(image_id=row["image_id"], scores=dict(All=dict(f=share(row)))) for row in reversed(rows)]
pathlib.Path(options[options.index("-out") + 1]).write_text(json.dumps(answer))
"""

ITEMS = [
    Item("a", None, ("a red cat", "the cat")),
    Item("b", None),
    Item("c", None, ("two dogs",)),
]
CAPTIONS = ["A red bird.", "nobody knows", "two dogs"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder that looks as pycocoevalcap's does after its models were fetched."""
    folder = tmp_path / "spice"
    (folder / "lib").mkdir(parents=True)
    (folder / PROGRAM).touch()
    for name in MODELS:
        (folder / "lib" / name).touch()
    return folder


def spice(program: Path, behaviour: str = "", version: str = "1.8.0_292", seconds: float = 60) -> SPICE:
    java = program.parent / "java"
    java.write_text(STAND_IN.format(python=sys.executable, version=version, behaviour=behaviour))
    java.chmod(0o755)
    return SPICE(str(java), str(program), "2G", seconds)


def asked(program: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((program.parent / "asked.json").read_text())
    return found


def test_each_image_gets_its_own_score_and_one_without_references_none(program: Path) -> None:
    (measurement,) = spice(program).score(ITEMS, CAPTIONS)
    assert measurement.name == "SPICE"
    assert measurement.per_image.tolist() == pytest.approx([2 / 3, float("nan"), 1.0], nan_ok=True)
    assert measurement.value == pytest.approx((2 / 3 + 1) / 2)
    assert measurement.signature.startswith("SPICE|tok:ptb|refs:1-2|images:2|")


def test_captions_are_tokenized(program: Path) -> None:
    spice(program).score(ITEMS, CAPTIONS)
    assert asked(program)[0] == {"image_id": 0, "test": "a red bird", "refs": ["a red cat", "the cat"]}


@pytest.mark.parametrize(
    "caption", ["", "a\r\ncat\u2028x", '"; rm -rf /', "\ud800", "🐈 köşe\x00 {%s}", "|||"]
)
def test_any_character_is_passed_safely(program: Path, caption: str) -> None:
    (before,) = spice(program).score(ITEMS, CAPTIONS)
    (after,) = spice(program).score(ITEMS, [caption, *CAPTIONS[1:]])
    assert after.per_image[2] == before.per_image[2]
    assert len(asked(program)) == 2


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("sys.exit('Error: Could not score batched file input:')", "Could not score batched"),
        ("import time; time.sleep(600)", "stopped after 2 seconds"),
        ("rows = rows[:-1]", "without the scores of all images"),
        ("sys.exit()", "without the scores of all images"),
        (
            "pathlib.Path(options[1]).write_text('[{'); sys.exit()",
            "without the scores of all images",
        ),
        ("sys.exit('java.lang.OutOfMemoryError: GC overhead limit exceeded')", r"scorer\.spice\.memory="),
    ],
)
def test_what_goes_wrong_is_not_a_score(program: Path, behaviour: str, reason: str) -> None:
    seconds = 2.0 if "sleep" in behaviour else 60.0
    with pytest.raises(MetricError, match=reason):
        spice(program, behaviour, seconds=seconds).score(ITEMS, CAPTIONS)


def test_a_java_that_is_too_new_is_named(program: Path) -> None:
    with pytest.raises(MetricError, match=r"Java 8 to 14, and .* is Java 17"):
        spice(program, version="17.0.12").score(ITEMS, CAPTIONS)


def test_without_java_it_says_what_to_install(program: Path) -> None:
    with pytest.raises(MetricError, match=r"Java 8 to 14, and there is no program .* adoptium\.net"):
        SPICE("/nowhere/java", str(program)).score(ITEMS, CAPTIONS)


def test_without_models_it_says_how_to_fetch_them(program: Path) -> None:
    (program / "lib" / MODELS[1]).unlink()
    with pytest.raises(MetricError, match=r"python -m pycocoevalcap\.spice\.get_stanford_models"):
        spice(program).score(ITEMS, CAPTIONS)


def test_a_folder_without_the_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match=r"scorer\.spice\.folder="):
        program_folder(str(tmp_path))


def test_the_installed_program_is_found_and_its_missing_models_named() -> None:
    package = importlib.util.find_spec("pycocoevalcap")
    if package is None or not package.submodule_search_locations:
        pytest.skip("pycocoevalcap is not installed")
    library = Path(package.submodule_search_locations[0]) / "spice" / "lib"
    if (library / MODELS[0]).is_file():
        pytest.skip("the models are there")
    with pytest.raises(MetricError, match="get_stanford_models"):
        program_folder(None)


def test_java_is_named_before_the_download_that_needs_it(program: Path) -> None:
    (program / "lib" / MODELS[1]).unlink()
    with pytest.raises(MetricError, match="Java 8 to 14"):
        spice(program, version="17.0.12").score(ITEMS, CAPTIONS)


def test_no_references_at_all() -> None:
    with pytest.raises(MetricError, match="references"):
        SPICE().score(ITEMS[1:2], CAPTIONS[1:2])
