"""Requests to a real service that misbehaves: one outcome an image, nothing paid for lost or paid twice."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Caption, Captioner, Item, Outcome, Prompt
from evaluator.core.errors import ConfigError, ModelError
from evaluator.runner import limits
from evaluator.runner import remote as remote_run
from evaluator.runner.answer_cache import cache_path, response_cache
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import Requests
from tests.runner.conftest import Server

FAST = Requests(in_flight=8)
PROMPT = Prompt("one", "Describe it.")
# A reply of the service takes 90 + 10 tokens: $0.001 at these prices; at most 100 + 20: $0.0012.
PRICES = "test-model: {input: 10, output: 10}\n"
REPLY_USD, MOST_USD = 0.001, 0.0012


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(limits, "LONGEST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(remote_run, "FIRST_ANSWER_SECONDS", 0.1)


@pytest.fixture
def remote(own: Path, server: Server) -> Captioner:
    import own_remote  # in the folder that `own` puts on the path

    captioner: Captioner = own_remote.Remote(server.url)
    return captioner


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(PRICES)
    return path


def items(number: int, start: int = 0) -> list[Item]:
    return [Item(str(start + i), None) for i in range(number)]


def run(
    captioner: Captioner,
    asked: list[Item],
    requests: Requests = FAST,
    record: Callable[[Caption], None] | None = None,
    spent_usd: float = 0.0,
    **options: Any,
) -> dict[str, Caption]:
    captions: list[Caption] = []
    runner = DefaultRunner(requests=requests, **options)
    runner.run(captioner, PROMPT, asked, record or captions.append, spent_usd)
    assert len({caption.item_id for caption in captions}) == len(captions), "two outcomes of one image"
    return {caption.item_id: caption for caption in captions}


def test_every_image_is_asked_about_once(remote: Captioner, server: Server) -> None:
    captions = run(remote, items(100))
    assert {name: caption.text for name, caption in captions.items()} == {
        str(i): f"a picture of {i}" for i in range(100)
    }
    assert {caption.attempts for caption in captions.values()} == {1}
    assert server.requests == 100


def test_never_more_in_flight_than_allowed_and_as_many(remote: Captioner, server: Server) -> None:
    server.behave(seconds=0.02, together=20)
    run(remote, items(60), replace(FAST, in_flight=20))
    assert server.counts()["most_in_flight"] == 20


def test_few_requests_are_in_flight_before_the_first_caption(
    remote: Captioner, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails alike costs ten requests, and not the 40 that may be in flight."""
    monkeypatch.setattr(remote_run, "FIRST_ANSWER_SECONDS", 60.0)
    server.behave(seconds=0.05, by_item={str(number): "400" for number in range(100)})
    with pytest.raises(ModelError, match="the first 10 images have failed in the same way"):
        run(remote, items(100), replace(FAST, in_flight=40))
    assert 10 <= server.requests < 20
    server.behave(slow_items={str(number): 1.0 for number in range(10, 40)})
    run(remote, items(40), replace(FAST, in_flight=40))
    assert server.counts()["most_in_flight"] > 10


def test_it_is_recorded_that_requests_were_on_their_way_side_by_side(
    remote: Captioner, server: Server
) -> None:
    """What `images_per_second` is made of: each of the first 20 was sent before any of them was answered."""
    server.behave(together=20)
    captions = run(remote, items(20), replace(FAST, in_flight=20)).values()
    answered = [caption.answered_at or 0.0 for caption in captions]
    sent = [at - caption.seconds for at, caption in zip(answered, captions, strict=True)]
    assert max(sent) < min(answered)
    assert all(caption.answered_at is None for caption in run(remote, items(20)).values()), "from the cache"


@pytest.mark.parametrize("fault", ["429", "429 0.05", "503", "529", "drop", "torn", "malformed"])
def test_a_failure_that_may_mend_is_tried_again(fault: str, remote: Captioner, server: Server) -> None:
    server.behave(script=[fault, fault])
    captions = run(remote, items(10), replace(FAST, in_flight=1))
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    assert Counter(caption.attempts for caption in captions.values()) in ({1: 9, 3: 1}, {1: 8, 2: 2})
    assert server.requests == 12


@pytest.mark.parametrize(
    ("fault", "said"),
    [("429", "rate limit"), ("503", "overloaded"), ("drop", "connection"), ("malformed", "malformed")],
)
def test_attempts_end(fault: str, said: str, remote: Captioner, server: Server) -> None:
    server.behave(by_item={"3": fault})
    captions = run(remote, items(10), replace(FAST, attempts=3))
    assert captions["3"].outcome is Outcome.ERROR
    assert captions["3"].error.startswith(f"{said} (3 attempts): ")
    assert captions["3"].attempts == 3
    assert Counter(caption.outcome for caption in captions.values())[Outcome.OK] == 9
    assert server.requests == 12


def test_an_answer_that_does_not_come_is_not_waited_for(remote: Captioner, server: Server) -> None:
    server.behave(slow_items={"3": 60.0})
    captions = run(remote, items(5), replace(FAST, attempts=2, attempt_seconds=0.2))
    assert captions["3"].error.startswith("timeout (2 attempts): no answer within")
    assert Counter(caption.outcome for caption in captions.values())[Outcome.OK] == 4


def test_a_deadline_ends_the_attempts_of_an_image(remote: Captioner, server: Server) -> None:
    server.behave(slow_items={"3": 60.0})
    requests = replace(FAST, attempts=100, attempt_seconds=0.2, deadline_seconds=0.5)
    captions = run(remote, items(5), requests)
    assert captions["3"].outcome is Outcome.ERROR
    assert 2 <= captions["3"].attempts <= 4


def test_a_refusal_is_final_and_keeps_what_was_said(remote: Captioner, server: Server, prices: Path) -> None:
    server.behave(by_item={"3": "refused"})
    refused = run(remote, items(5), prices=prices)["3"]
    assert (refused.outcome, refused.attempts) == (Outcome.REFUSED, 1)
    assert refused.reply is not None
    assert refused.cost_usd == pytest.approx(REPLY_USD)
    assert server.requests == 5
    again = run(remote, items(5), prices=prices)["3"]
    assert (again.outcome, again.source, again.reply) == (Outcome.REFUSED, "cache", refused.reply)
    assert server.requests == 5, "a final refusal was asked for again"


def test_everyone_waits_where_everyone_is_refused(remote: Captioner, server: Server) -> None:
    server.behave(script=["429 0.5"])
    run(remote, items(30), replace(FAST, in_flight=1))
    (refused_at,) = [at for at, word in server.counts()["log"] if word == "429"]
    assert all(at >= refused_at + 0.5 for at, word in server.counts()["log"] if word == "200")


@pytest.mark.parametrize("cache", ["off", "read", "refresh"])
def test_answers_are_kept_between_runs(cache: str, remote: Captioner, server: Server, prices: Path) -> None:
    first = run(remote, items(10), cache=cache, prices=prices)
    assert [caption.cost_usd for caption in first.values()] == pytest.approx([REPLY_USD] * 10)
    second = run(remote, items(12), cache=cache, prices=prices)
    asked_again = cache != "read"
    assert server.requests == (22 if asked_again else 12)
    assert {name for name, caption in second.items() if caption.source == "cache"} == (
        set() if asked_again else set(first)
    )
    assert all(second[name].text == first[name].text for name in first)
    assert second["0"].cost_usd == pytest.approx(REPLY_USD if asked_again else 0.0)
    with response_cache(cache_path()) as kept:
        assert sum(row.answers for row in kept.statistics()) == (0 if cache == "off" else 12)


def test_a_failure_is_not_kept(remote: Captioner, server: Server) -> None:
    server.behave(by_item={"3": "503"})
    assert run(remote, items(5), replace(FAST, attempts=1))["3"].outcome is Outcome.ERROR
    server.behave()
    assert run(remote, items(5))["3"].outcome is Outcome.OK
    assert server.requests == 1


@pytest.mark.parametrize("option", ["model", "max_output_tokens"])
def test_another_option_or_prompt_is_another_question(option: str, remote: Captioner, server: Server) -> None:
    run(remote, items(3))
    run(replace(remote, **{option: {"model": "other", "max_output_tokens": 21}[option]}), items(3))  # type: ignore[type-var]
    assert server.requests == 6
    DefaultRunner(requests=FAST).run(remote, replace(PROMPT, text="Else?"), items(3), lambda _: None)
    assert server.requests == 9


def test_the_same_picture_twice_at_once_is_paid_for_once(
    remote: Captioner, server: Server, tmp_path: Path
) -> None:
    server.behave(seconds=0.1)
    picture = tmp_path / "a.png"
    picture.write_bytes(b"the same bytes")
    captions = run(remote, [Item(str(i), picture) for i in range(8)])
    assert len({caption.text for caption in captions.values()}) == 1
    assert server.requests == 1
    assert [caption.source for caption in captions.values()].count("cache") == 7


def test_a_picture_that_cannot_be_read_is_an_outcome(
    remote: Captioner, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import own_remote

    from evaluator.core.errors import ImageError

    whole = own_remote.RemoteSession.prepare

    def prepare(session: Any, item: Item) -> Any:
        if item.id == "3":
            raise ImageError("3 is torn")
        return whole(session, item)

    monkeypatch.setattr(own_remote.RemoteSession, "prepare", prepare)
    captions = run(remote, items(5))
    assert (captions["3"].outcome, captions["3"].error) == (Outcome.ERROR, "3 is torn")
    assert server.requests == 4


def test_pictures_are_read_in_threads_and_not_all_at_once(
    remote: Captioner, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import own_remote

    prepared: list[str] = []
    whole = own_remote.RemoteSession.prepare

    def prepare(session: Any, item: Item) -> Any:
        prepared.append(threading.current_thread().name)
        return whole(session, item)

    monkeypatch.setattr(own_remote.RemoteSession, "prepare", prepare)
    server.behave(seconds=0.02)
    seen: list[int] = []
    run(remote, items(200), record=lambda _: seen.append(len(prepared)))
    assert all(name.startswith("decode") for name in prepared)
    # Those on their way, those that are ready ahead, and those already answered.
    assert all(number <= done + FAST.in_flight * 2 + 2 for done, number in enumerate(seen))


# --- money -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget_usd", [0.0, 0.0011, 0.0105, 0.0305])
def test_a_budget_is_never_exceeded_and_used_as_far_as_it_goes(
    budget_usd: float, remote: Captioner, server: Server, prices: Path
) -> None:
    server.behave(seconds=0.02)
    captions = run(remote, items(40), budget_usd=budget_usd, prices=prices, cache="off")
    outcomes = Counter(caption.outcome for caption in captions.values())
    spent = sum(caption.cost_usd or 0.0 for caption in captions.values())
    assert len(captions) == 40
    assert outcomes[Outcome.SKIPPED] + outcomes[Outcome.OK] == 40
    assert spent <= budget_usd < spent + MOST_USD
    assert server.requests == outcomes[Outcome.OK]


def test_what_was_spent_before_counts_and_the_cache_costs_nothing(
    remote: Captioner, server: Server, prices: Path
) -> None:
    run(remote, items(5), prices=prices)
    captions = run(remote, items(20), budget_usd=0.0105, spent_usd=0.005, prices=prices)
    assert Counter(caption.outcome for caption in captions.values()) == {Outcome.OK: 10, Outcome.SKIPPED: 10}
    assert server.requests == 10


def test_answers_that_were_lost_count_with_the_most_they_may_have_cost(
    remote: Captioner, server: Server, prices: Path
) -> None:
    server.behave(script=["torn"] * 5)
    requests = replace(FAST, in_flight=1)
    captions = run(remote, items(20), requests, budget_usd=0.0105, prices=prices, cache="off")
    assert Counter(caption.outcome for caption in captions.values())[Outcome.OK] == 4
    assert server.requests == 9


def test_a_budget_without_a_price_is_refused_before_anything_is_sent(
    remote: Captioner, server: Server
) -> None:
    with pytest.raises(ConfigError, match=r"budget_usd: no price of test-model is known.*prices=FILE"):
        run(remote, items(5), budget_usd=1.0)
    assert server.requests == 0


# --- the end of a run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["401", "402"])
def test_a_bad_key_or_used_up_credit_ends_the_run_with_what_is_on_its_way(
    status: str, remote: Captioner, server: Server
) -> None:
    """In flight when the sixth request is refused are five: their answers are recorded, nothing else sent."""
    server.behave(seconds=0.3, script=["200"] * 5 + [status])
    recorded: list[Caption] = []
    with pytest.raises(ModelError, match=f"HTTP {status}"):
        run(remote, items(100), replace(FAST, in_flight=6), record=recorded.append)
    assert server.requests == 6
    assert len(recorded) == len(server.answered) == 5
    server.behave()
    run(remote, items(100))
    assert not server.answered.keys() & {caption.item_id for caption in recorded}


@pytest.mark.parametrize("fault", ["drop", "malformed"])
def test_where_nobody_ever_answers_the_run_ends(fault: str, remote: Captioner, server: Server) -> None:
    server.behave(by_item={str(i): fault for i in range(100)})
    recorded: list[Caption] = []
    with pytest.raises(ModelError, match=r"\(2 attempts\).*is the server running, and its address right"):
        run(remote, items(100), replace(FAST, attempts=2), record=recorded.append)
    assert {caption.outcome for caption in recorded} == {Outcome.ERROR}
    assert len(recorded) < 30
    server.behave(by_item={str(i): fault for i in range(99)})
    assert len(run(remote, items(100)[::-1], replace(FAST, attempts=1))) == 100, "one was answered"


def test_a_wait_beyond_the_deadline_ends_the_run(remote: Captioner, server: Server) -> None:
    server.behave(script=["429 3600"])
    with pytest.raises(ModelError, match="says to wait 3600 s"):
        run(remote, items(10))


def test_an_error_of_the_ledger_ends_the_run_and_the_answers_are_in_the_cache(
    remote: Captioner, server: Server
) -> None:
    def full(caption: Caption) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        run(remote, items(50), record=full)
    asked = server.requests
    assert asked <= 2 * FAST.in_flight
    run(remote, items(50))
    assert server.requests == 50


def interrupt_after(number: int, times: int, recorded: list[Caption]) -> Callable[[Caption], None]:
    def record(caption: Caption) -> None:
        recorded.append(caption)
        if len(recorded) == number:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)

    return record


def test_ctrl_c_waits_for_what_is_on_its_way(
    remote: Captioner, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.behave(seconds=0.1)
    recorded: list[Caption] = []
    with caplog.at_level(logging.WARNING, "evaluator"), pytest.raises(KeyboardInterrupt):
        run(remote, items(100), record=interrupt_after(20, 1, recorded))
    assert "requests in flight" in caplog.text
    assert len(recorded) == len(server.answered) == server.requests
    assert 20 < len(recorded) <= 20 + 2 * FAST.in_flight


def test_a_second_ctrl_c_ends_it_at_once(remote: Captioner, server: Server) -> None:
    server.behave(slow_items={str(i): 60.0 for i in range(10, 100)})
    recorded: list[Caption] = []
    with pytest.raises(KeyboardInterrupt):
        run(remote, items(100), record=interrupt_after(10, 2, recorded))
    assert len(recorded) == 10


def test_ctrl_c_does_what_it_did_before(remote: Captioner, server: Server) -> None:
    before = signal.getsignal(signal.SIGINT)
    run(remote, items(3))
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_a_thread_too(remote: Captioner, server: Server) -> None:
    found: list[dict[str, Caption]] = []
    thread = threading.Thread(target=lambda: found.append(run(remote, items(5))))
    thread.start()
    thread.join(60)
    assert len(found[0]) == 5


# --- limits ------------------------------------------------------------------------------------------------


def test_requests_are_paced(remote: Captioner, server: Server) -> None:
    run(remote, items(15), replace(FAST, per_minute=1200))
    times = [at for at, _ in server.counts()["log"]]
    assert times[-1] - times[0] > 14 * 0.05 / 2  # without a pace it is nearly zero


def test_tokens_are_paced_by_what_requests_really_take(remote: Captioner, server: Server) -> None:
    """Thought to take 120, they take 100: 60,000 tokens a minute are ten of them a second."""
    run(remote, items(12), replace(FAST, tokens_per_minute=60_000))
    times = [at for at, _ in server.counts()["log"]]
    assert times[-1] - times[0] > 10 * 0.1 / 2


def test_without_a_rate_many_refusals_are_lived_through(remote: Captioner, server: Server) -> None:
    server.behave(script=["429 0.01"] * 200)
    captions = run(remote, items(100), replace(FAST, in_flight=64, attempts=30))
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}


def test_without_a_rate_the_window_finds_what_is_admitted(remote: Captioner, server: Server) -> None:
    server.behave(at_once=8, seconds=0.06)
    captions = run(remote, items(500), replace(FAST, in_flight=32))
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    words = [word for _, word in server.counts()["log"]]
    assert words.count("429") < 0.2 * len(words)
    later = words[len(words) // 2 :]
    assert later.count("429") < 0.15 * len(later)


# --- notebooks ---------------------------------------------------------------------------------------------


def test_it_runs_where_an_event_loop_runs_already(remote: Captioner, server: Server) -> None:
    async def cell() -> dict[str, Caption]:
        return run(remote, items(20))

    captions = asyncio.run(cell())
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    assert run(remote, items(20)).keys() == captions.keys()
    assert server.requests == 20


def test_ctrl_c_in_a_notebook_waits_for_the_requests_in_flight(remote: Captioner, server: Server) -> None:
    server.behave(seconds=0.1)
    recorded: list[Caption] = []

    async def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            run(remote, items(100), record=interrupt_after(20, 1, recorded))

    asyncio.run(cell())
    assert len(recorded) == len(server.answered) == server.requests
    assert 20 < len(recorded) <= 20 + 2 * FAST.in_flight
