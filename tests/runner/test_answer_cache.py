"""Answers are kept, failures never; by what decides the answer; through kills and several processes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Caption, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.runner.answer_cache import ResponseCache, key_of, response_cache

ANSWERS = [outcome for outcome in Outcome if not outcome.can_be_retried]
FAILURES = [outcome for outcome in Outcome if outcome.can_be_retried]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def caption(outcome: Outcome = Outcome.OK, text: str = "a dog", cost_usd: float | None = 0.25) -> Caption:
    reply = Reply(text, "m-001", 90, 10, 2, "stop", 40)
    return Caption("7", outcome, reply, error="" if outcome is Outcome.OK else "no", cost_usd=cost_usd)


@pytest.mark.parametrize("outcome", ANSWERS)
def test_an_answer_or_final_refusal_comes_back(outcome: Outcome, path: Path) -> None:
    with response_cache(path) as cache:
        cache.put("k", "m", caption(outcome))
    with response_cache(path) as cache:
        found = cache.get("k")
        assert found is not None
        assert (found.outcome, found.reply, found.error) == (outcome, caption().reply, caption(outcome).error)
        assert (found.source, found.cost_usd, found.attempts) == ("cache", 0.0, 0)
        assert cache.get("other") is None


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_failure_is_never_kept(outcome: Outcome, path: Path) -> None:
    with response_cache(path) as cache:
        with pytest.raises(ValueError, match="is not an answer"):
            cache.put("k", "m", caption(outcome))
        assert cache.get("k") is None


def test_a_newer_answer_takes_the_place_of_the_old(path: Path) -> None:
    with response_cache(path) as cache:
        cache.put("k", "m", caption(text="a dog"))
        cache.put("k", "m", caption(text="a cat"))
        found = cache.get("k")
        assert found is not None
        assert found.text == "a cat"


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none(), st.floats(allow_nan=False))))
def test_the_key_is_of_the_content_not_of_its_order(question: dict[str, object]) -> None:
    assert key_of(question) == key_of(dict(reversed(question.items())))
    assert key_of(question) != key_of({**question, "another": 1, "option": 2})


def test_a_question_that_has_no_lasting_form_is_refused() -> None:
    with pytest.raises(TypeError):
        key_of({"options": object()})


def test_what_it_holds_and_saved(path: Path) -> None:
    with response_cache(path) as cache:
        for number in range(3):
            cache.put(str(number), "dear", caption(cost_usd=0.5))
        cache.put("x", "free", caption(cost_usd=None))
        for key in ("0", "0", "1", "x"):
            assert cache.get(key)
        assert [(s.model, s.answers, s.uses, s.saved_usd) for s in cache.statistics()] == [
            ("dear", 3, 3, 1.5),
            ("free", 1, 1, 0.0),
        ]


def test_pruning_by_age_and_model(path: Path) -> None:
    with response_cache(path) as cache:
        for key, model in (("a", "m"), ("b", "m"), ("c", "n")):
            cache.put(key, model, caption())
        cache.connection.execute("UPDATE answers SET written_at = written_at - 10 * 86400 WHERE key != 'b'")
        assert cache.prune(older_than_days=30) == 0
        assert cache.prune(older_than_days=9, model="m") == 1
        assert [cache.get(key) is not None for key in "abc"] == [False, True, True]
        assert cache.prune() == 2


def test_a_file_that_is_no_cache_is_named(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"answers\.sqlite cannot be used .*cache=off"), response_cache(path):
        pass


def test_a_full_disk_is_an_error_of_ours(path: Path) -> None:
    def fill(cache: ResponseCache) -> None:
        cache.connection.execute("PRAGMA max_page_count = 2")
        for number in range(1000):
            cache.put(str(number), "m", caption())

    with pytest.raises(StoreError, match="All captions so far are saved"), response_cache(path) as cache:
        fill(cache)


WRITER = """
import sys
from pathlib import Path
from evaluator.core import Caption, Outcome, Reply
from evaluator.runner.answer_cache import response_cache
with response_cache(Path(sys.argv[1])) as cache:
    for number in range(int(sys.argv[3])):
        cache.put(f"{sys.argv[2]}-{number}", "m", Caption("", Outcome.OK, Reply("a dog"), cost_usd=0.01))
        print(number, flush=True)
"""


def writer(path: Path, name: str, number: int) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", WRITER, str(path), name, str(number)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def test_several_processes_at_once(path: Path) -> None:
    processes = [writer(path, str(name), 200) for name in range(4)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    with response_cache(path) as cache:
        assert cache.statistics()[0].answers == 800


def test_what_was_put_outlives_a_kill(path: Path) -> None:
    process = writer(path, "a", 1_000_000)
    assert process.stdout is not None
    for _ in range(50):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = process.communicate()[0].split()
    last = int(rest[-1]) if rest else last
    with response_cache(path) as cache:
        assert all(cache.get(f"a-{number}") for number in range(last + 1))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
