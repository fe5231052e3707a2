"""Batch interfaces: every image once and nothing paid twice, whatever becomes of jobs and commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from evaluator.core import Caption, Item, Outcome
from evaluator.core.errors import ConfigError, ModelError, StoreError
from evaluator.runner import jobs
from evaluator.runner.batch import BatchRunner
from evaluator.runner.default import DefaultRunner
from evaluator.runner.prices import Price, price_of
from evaluator.store.attempts import read_attempts, without_final_outcome
from evaluator.store.ledger import AppendedFile, Ledger
from evaluator.store.merge import appended
from evaluator.store.run_files import FolderFiles
from tests.batch_server import BatchServer, Job
from tests.forked import Forked
from tests.models.backends import PROMPT, ask, captioner
from tests.models.conftest import server  # noqa: F401  (a fixture)
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer, caption_of, error, rate_limited, said

providers = pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
IMAGES = 5
PATIENCE_SECONDS = 60.0
# 1,000 input tokens, 200 of them cached, and 12 output tokens, at half of these prices.
PRICES = "{{{model}: {{input: 2.0, output: 10.0, cached: 1.0, batch: 0.5}}}}"
HALF_USD = (800 * 2.0 + 200 * 1.0 + 12 * 10.0) / 1e6 / 2


class Batching:
    """A folder of a run with some pictures, and commands that work on it one after the other."""

    def __init__(self, folder: Path, running: ProviderServer, provider: str) -> None:
        self.folder, self.server, self.provider = folder / "run", running, provider
        self.folder.mkdir()
        self.items = []
        for number in range(IMAGES):
            path = folder / f"{number}.png"
            Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(path)
            self.items.append(Item(str(number), path))
        self.model = captioner(provider, running, image_tokens=(200, 1200))
        self.prices = folder / "prices.yaml"
        self.prices.write_text(PRICES.format(model=self.model.model))

    @property
    def batches(self) -> BatchServer:
        return self.server.batches

    def begin_anew(self) -> None:
        """An empty folder, and a provider that has nothing."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.server.files.clear()
        self.server.batches = BatchServer(self.server.files)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(self.folder, read_attempts(FolderFiles(self.folder)))
        try:
            yield ledger
        finally:
            ledger.close()

    def __call__(self, **options: Any) -> dict[str, Caption]:
        """One command; the outcomes that the folder holds after it."""
        runner = BatchRunner(**({"poll_seconds": 0.01, "prices": self.prices} | options))
        self.run(runner)
        return self.captions

    def run(self, runner: Any) -> None:
        with self.ledger() as ledger:
            todo = without_final_outcome(self.items, ledger.before.captions)
            spent_usd = ledger.before.cost_usd or 0.0
            if todo:
                runner.run(self.model, PROMPT, todo, ledger.record, spent_usd, ledger)

    @property
    def captions(self) -> dict[str, Caption]:
        return dict(read_attempts(FolderFiles(self.folder)).captions)

    @property
    def cost_usd(self) -> float:
        return read_attempts(FolderFiles(self.folder)).cost_usd or 0.0

    @property
    def lines(self) -> list[dict[str, Any]]:
        """captions.jsonl."""
        content = (self.folder / "captions.jsonl").read_text()
        return [json.loads(line) for line in content.splitlines()]

    def expected(self, item: Item) -> str:
        assert item.image is not None
        return caption_of(item.image.read_bytes())

    def check(self, captions: dict[str, Caption] | None = None) -> None:
        """Every image has its own caption, once, and each was paid for once."""
        captions = self.captions if captions is None else captions
        assert {name: caption.text for name, caption in captions.items()} == {
            item.id: self.expected(item) for item in self.items
        }
        assert Counter(line["item_id"] for line in self.lines if line["outcome"] == "ok") == Counter(
            item.id for item in self.items
        )
        assert self.batches.paid == Counter(self.expected(item) for item in self.items)
        assert not any(line.job for line in read_attempts(FolderFiles(self.folder)).unsettled.values())


@pytest.fixture
def batching(
    tmp_path: Path,
    server: ProviderServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Batching:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jobs, "SETTLED_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "backoff_seconds", lambda attempt, random: 0.001)
    chosen = getattr(request.node, "callspec", None)
    return Batching(tmp_path, server, chosen.params.get("provider", "openai") if chosen else "openai")


# --- the usual case ----------------------------------------------------------------------------------------


@providers
def test_handed_in_first_and_collected_later(provider: str, batching: Batching) -> None:
    batching.batches.polls = 1
    assert batching() == {}
    assert batching.cost_usd > IMAGES * HALF_USD, "open requests count with the most that they can cost"
    assert len(batching.batches.jobs) == 1
    assert batching() == {}
    batching.check(batching())
    assert batching.cost_usd == pytest.approx(IMAGES * HALF_USD)
    calls = len(batching.batches.calls)
    batching.check(batching())
    assert len(batching.batches.calls) == calls, "a finished run asks nobody"


@providers
def test_waiting_takes_one_command(provider: str, batching: Batching) -> None:
    batching.batches.polls = 2
    batching.check(batching(wait=True))


@providers
def test_a_batch_asks_what_single_requests_ask(provider: str, batching: Batching) -> None:
    """Bodies, cache keys and replies are the same: after a batch, the ordinary runner asks nothing."""
    captions = batching(wait=True)
    item = batching.items[0]
    assert item.image is not None
    (reply,) = ask(batching.model, item.image)
    sent = next(
        request.document
        for request in batching.server.requests
        if request.document and "batch" not in request.path
    )
    assert sent in batching.batches.bodies
    assert captions[item.id].reply == reply
    asked = len(batching.server.requests)
    found: list[Caption] = []
    DefaultRunner().run(batching.model, PROMPT, batching.items, found.append)
    assert len(batching.server.requests) == asked
    assert {caption.source for caption in found} == {"cache"}


@providers
def test_what_the_cache_has_is_not_handed_in(provider: str, batching: Batching) -> None:
    DefaultRunner().run(batching.model, PROMPT, batching.items[:3], lambda _: None)
    captions = batching(wait=True)
    assert [caption.source for caption in captions.values()].count("cache") == 3
    assert sum(batching.batches.paid.values()) == 2


def test_equal_pictures_are_asked_about_once(batching: Batching) -> None:
    batching.items.append(Item("again", batching.items[0].image))
    captions = batching(wait=True)
    assert captions["again"].text == captions["0"].text
    assert (captions["again"].source, captions["again"].cost_usd) == ("cache", 0.0)
    assert sum(batching.batches.paid.values()) == IMAGES
    batching.items.append(Item("once more", batching.items[0].image))
    assert batching(wait=True, cache="off")["once more"].source == "model"


@providers
def test_jobs_have_limits(provider: str, batching: Batching) -> None:
    batching.check(batching(wait=True, most_requests=2))
    assert [len(job.requests) for job in batching.batches.jobs.values()] == [2, 2, 1]


def test_bytes_limit_jobs_too(batching: Batching) -> None:
    batching.check(batching(wait=True, most_megabytes=0.0013))
    noted = [json.loads(line) for line in (batching.folder / "batches.jsonl").read_text().splitlines()]
    sizes = {job["name"]: job["size"] for job in noted}
    assert len(sizes) == len(batching.batches.jobs) == 3
    assert all(size <= 1300 for size in sizes.values())


def test_a_request_that_no_job_can_hold_is_an_error(batching: Batching) -> None:
    captions = batching(wait=True, most_megabytes=0.0001)
    assert {caption.outcome for caption in captions.values()} == {Outcome.ERROR}
    assert "Type runner=default for it" in captions["0"].error
    assert not batching.batches.jobs


def test_a_picture_that_cannot_be_read_is_its_own_error(batching: Batching) -> None:
    assert batching.items[1].image is not None
    batching.items[1].image.write_text("no picture")
    captions = batching(wait=True)
    assert [name for name, caption in captions.items() if caption.outcome is not Outcome.OK] == ["1"]


def test_uploads_are_deleted_when_they_are_answered(batching: Batching) -> None:
    batching(wait=True)
    assert [name for name, _ in batching.batches.uploads.values()] == ["output.jsonl"]


# --- requests and jobs that fail ---------------------------------------------------------------------------


@providers
def test_single_failures_are_outcomes_and_tried_again(provider: str, batching: Batching) -> None:
    first, second, third = (batching.expected(item) for item in batching.items[:3])
    code = "INVALID_ARGUMENT" if provider == "gemini" else "invalid_request_error"
    overloaded = {"openai": 503, "anthropic": 529, "gemini": 503}[provider]
    batching.batches.by_caption = {
        first: error(provider, 400, code, "Could not process image"),
        second: error(provider, overloaded, "overloaded_error"),
        third: said(
            provider,
            "a dog on a",
            {"openai": "length", "anthropic": "max_tokens"}.get(provider, "MAX_TOKENS"),
        ),
    }
    captions = batching(wait=True)
    assert [captions[str(number)].outcome for number in range(IMAGES)] == [
        *(Outcome.ERROR, Outcome.ERROR, Outcome.TRUNCATED, Outcome.OK, Outcome.OK)
    ]
    assert "Could not process image" in captions["0"].error
    assert captions["1"].error.startswith("overloaded (1 attempts): ")
    assert (captions["0"].cost_usd, captions["1"].cost_usd) == (0.0, 0.0)
    assert captions["2"].cost_usd == pytest.approx(HALF_USD)
    batching.batches.by_caption = {}
    captions = batching(wait=True)
    assert captions["0"].text == first
    assert captions["2"].outcome is Outcome.TRUNCATED
    assert batching.cost_usd == pytest.approx(IMAGES * HALF_USD)


@providers
@pytest.mark.parametrize("ending", ["expired", "cancelled"])
def test_a_job_that_ends_early_keeps_what_it_answered(provider: str, ending: str, batching: Batching) -> None:
    """Gemini gives no answers of such a job."""
    answered = 0 if provider == "gemini" else 2
    batching.batches.answered = answered
    batching.batches.endings.append(ending)
    captions = batching(wait=True)
    assert [captions[str(number)].outcome for number in range(IMAGES)] == [
        *[Outcome.OK] * answered,
        *[Outcome.ERROR] * (IMAGES - answered),
    ]
    assert ending in captions["4"].error
    if provider == "gemini":  # the provider does not say that it is free
        assert batching.cost_usd > IMAGES * HALF_USD
    else:
        assert batching.cost_usd == pytest.approx(2 * HALF_USD)
    batching.batches.answered = None
    batching.check(batching(wait=True))


def test_a_job_that_is_refused_ends_the_run_and_frees_its_images(batching: Batching) -> None:
    batching.batches.endings.append("failed")
    with pytest.raises(ModelError, match="the provider refuses a job: invalid_json_line"):
        batching(wait=True)
    assert batching.captions == {}
    assert batching.cost_usd == 0.0
    batching.check(batching(wait=True))


def test_a_full_queue_waits_for_a_job_to_end(batching: Batching) -> None:
    batching.batches.endings.extend(["completed", "full"])
    batching.batches.polls = 2
    batching.check(batching(wait=True, most_requests=2))


def test_a_full_queue_without_a_job_says_so(batching: Batching) -> None:
    batching.batches.endings.append("full")
    with pytest.raises(ModelError, match=r"takes no job now.*smaller runner\.most_requests"):
        batching(wait=True)
    batching.check(batching(wait=True))


@providers
def test_a_rate_limit_of_jobs_is_such_a_queue(provider: str, batching: Batching) -> None:
    path = {"openai": "POST /v1/batches", "anthropic": "POST", "gemini": "batchGenerateContent"}[provider]
    batching.batches.scripted.append((path, rate_limited(provider)))
    with pytest.raises(ModelError, match="takes no job now"):
        batching()
    batching.check(batching(wait=True))


@providers
def test_a_job_that_is_lost_stops_the_run_until_that_is_accepted(provider: str, batching: Batching) -> None:
    batching.batches.endings.append("lost")
    with pytest.raises(ModelError, match=r"does not know the job .*runner\.lost_jobs=error"):
        batching(wait=True)
    assert batching.captions == {}
    captions = batching(lost_jobs="error")
    assert {caption.outcome for caption in captions.values()} == {Outcome.ERROR}
    lost_usd = batching.cost_usd
    assert lost_usd > IMAGES * HALF_USD
    captions = batching(wait=True)
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    assert batching.cost_usd == pytest.approx(lost_usd + IMAGES * HALF_USD)


@providers
def test_answers_that_come_twice_and_answers_to_nothing(
    provider: str, batching: Batching, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(lines: list[Any]) -> list[Any]:
        name = "key" if provider == "gemini" else "custom_id"
        strangers = [{**lines[0], name: other} for other in ("evaluator-else-1", f"{lines[0][name]}9", "")]
        return [*lines, "{torn", [], {"neither": 1}, *strangers, *lines]

    batching.batches.wrap = odd
    batching.check(batching(wait=True))
    assert "3 answers to requests that it never had: they are ignored" in caplog.text
    assert len(batching.lines) == IMAGES


def test_an_answer_that_is_missing_counts_with_the_most(batching: Batching) -> None:
    batching.batches.wrap = lambda lines: lines[1:]
    captions = batching(wait=True)
    (missing,) = [caption for caption in captions.values() if caption.outcome is Outcome.ERROR]
    assert "left out of the answers" in missing.error
    assert missing.cost_usd is not None
    assert missing.cost_usd > HALF_USD


def test_the_first_failures_stop_a_run_after_they_are_recorded(batching: Batching) -> None:
    batching.batches.by_caption = {
        batching.expected(item): error("openai", 400, "invalid_request_error", "no such option")
        for item in batching.items
    }
    with pytest.raises(ModelError, match="the first 3 images have failed in the same way"):
        batching(wait=True, stop_after_failures=3)
    assert len(batching.captions) == IMAGES


@providers
def test_a_provider_that_cannot_be_reached_is_tried_again(provider: str, batching: Batching) -> None:
    batching.batches.scripted.extend([("GET", error(provider, 500)), ("GET", error(provider, 503))])
    batching.check(batching(wait=True))


# Where each provider makes a job, and where its answers are.
STEPS = {
    "openai": ("POST /v1/batches", "/content"),
    "anthropic": ("POST /v1/messages/batches", "/results"),
    "gemini": ("batchGenerateContent", ":download"),
}


@providers
@pytest.mark.parametrize("odd", ["<html>Sign in</html>", "null", "[]", '{"id": '])
def test_a_page_instead_of_an_answer_costs_no_job(provider: str, odd: str, batching: Batching) -> None:
    """A proxy may answer each step with status 200 and anything at all: it is tried again, and paid once."""
    make, answers = STEPS[provider]
    kind = "text/html" if odd.startswith("<") else "application/json"
    page = Answer(body=odd, content_type=kind)
    batching.batches.scripted.extend([(make, page), ("GET", page), (answers, page)])
    batching.check(batching(wait=True))
    assert not batching.batches.scripted
    assert len(batching.batches.jobs) == 1


def test_a_provider_that_asks_to_wait_for_long_is_not_waited_for(batching: Batching) -> None:
    """How long a command without runner.wait=true may take is nothing that a header decides."""
    batching(wait=False)
    batching.batches.scripted.append(("GET", rate_limited("openai", 1e9)))
    with pytest.raises(ModelError, match="again after 1,000,000,000 seconds to continue"):
        batching(wait=False)
    batching.check(batching(wait=False))


@providers
def test_a_wrong_key_ends_the_run(provider: str, batching: Batching) -> None:
    batching.batches.scripted.append(("", error(provider, 401, "authentication_error", "no such key")))
    if provider == "gemini":  # whose upload has an address of its own
        batching.batches.scripted.clear()
        batching.batches.scripted.append(("batchGenerate", error(provider, 403, "PERMISSION_DENIED", "no")))
    with pytest.raises(ModelError, match="rejects the key"):
        batching(wait=True)
    batching.check(batching(wait=True))


# --- steps whose end is not known --------------------------------------------------------------------------


@providers
@pytest.mark.parametrize("was_made", [True, False], ids=["made", "not made"])
def test_a_job_whose_making_was_not_answered(provider: str, was_made: bool, batching: Batching) -> None:
    path = {"openai": "POST /v1/batches", "anthropic": "POST", "gemini": "batchGenerateContent"}[provider]
    if was_made:
        batching.batches.lost.append(path)
    else:
        batching.batches.scripted.append((path, error(provider, 502)))
    batching.check(batching(wait=True))
    assert len(batching.batches.jobs) == 1


@pytest.mark.parametrize("provider", ["anthropic"])
def test_a_job_of_the_same_size_may_be_somebody_else_s(provider: str, batching: Batching) -> None:
    """Anthropic keeps no name of a job: only its answers tell whose it is, once it has ended."""
    requests = {f"else-{number}": None for number in range(IMAGES)}
    batching.batches.jobs["other"] = other = Job("other", "anthropic", requests, "completed", polls=1)
    batching.batches.scripted.append(("POST", error("anthropic", 502)))
    assert batching() == {}
    assert [call for call in batching.batches.calls if "POST" in call] == ["POST /v1/messages/batches"]
    other.polls = 0
    batching.check(batching(wait=True))
    assert len(batching.batches.jobs) == 2


def test_a_server_without_lists_is_not_asked_for_another_job(batching: Batching) -> None:
    """Nobody can tell whether the first one was made."""
    no_list = Answer(404, "<h1>Not Found</h1>")
    batching.batches.scripted.extend([("POST /v1/batches", error("openai", 502)), ("GET", no_list)])
    with pytest.raises(ModelError, match=r"does not list its jobs.*from batches\.jsonl"):
        batching(wait=True)
    assert not batching.batches.jobs
    (batching.folder / "batches.jsonl").unlink()
    batching.check(batching(wait=True))


@providers
def test_an_upload_that_was_not_answered_is_made_again(provider: str, batching: Batching) -> None:
    """An upload costs nothing, and within one command nobody waits for it to show up."""
    if provider == "openai":
        batching.batches.lost.append("POST /v1/files")
    batching.check(batching(wait=True))


# The steps of a command: each line that it appends, and each exchange with the provider.


class KilledAt:
    """Ends the process before or after the nth step, as kill -9 does."""

    def __init__(self, batching: Batching, number: int) -> None:
        self.batching, self.left = batching, number

    def __call__(self) -> None:
        append, send = AppendedFile.append, httpx2.AsyncClient.send

        def append_or_die(file: AppendedFile, line: bytes) -> None:
            self.step()
            append(file, line)

        async def send_or_die(client: httpx2.AsyncClient, *args: Any, **options: Any) -> httpx2.Response:
            if client.event_hooks["request"]:  # not the client that sends nothing
                self.step()
            response = await send(client, *args, **options)
            if client.event_hooks["request"]:
                self.step()
            return response

        AppendedFile.append = append_or_die  # type: ignore[method-assign]
        httpx2.AsyncClient.send = send_or_die  # type: ignore[method-assign]
        self.batching(wait=True, cache="off", decode_workers=1)

    def step(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@providers
def test_kill_9_at_each_step(provider: str, batching: Batching, tmp_path: Path) -> None:
    """The same command, typed again, leaves what it would have left without the kill."""
    batching.items = batching.items[:2]
    for step in count():
        batching.begin_anew()
        process = Forked(KilledAt(batching, step), tmp_path, imports=())
        done = process.finish(PATIENCE_SECONDS)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, done.stderr
        batching.check(batching(wait=True, cache="off"))
        assert len(batching.batches.jobs) == 1, f"a kill at step {step} made another job"
        assert batching.cost_usd == pytest.approx(2 * HALF_USD)
    batching.check()
    assert step >= 14, "the steps are no longer met"


# --- money -------------------------------------------------------------------------------------------------


def test_a_budget_holds_before_anything_is_uploaded(batching: Batching) -> None:
    most_usd = BatchRunner(prices=batching.prices).policy(batching.model.usage(PROMPT), 0.0).most_usd
    batching.batches.polls = 1
    assert set(batching(budget_usd=0.9 * most_usd)) == {item.id for item in batching.items}
    assert not batching.batches.calls
    budget_usd = 3.1 * most_usd
    captions = batching(budget_usd=budget_usd)
    assert Counter(caption.outcome for caption in captions.values()) == {Outcome.SKIPPED: IMAGES}
    assert batching.cost_usd == pytest.approx(3 * most_usd)
    assert batching(budget_usd=budget_usd)
    assert [len(job.requests) for job in batching.batches.jobs.values()] == [3]


def test_a_command_that_waits_spends_what_comes_back(batching: Batching) -> None:
    most_usd = BatchRunner(prices=batching.prices).policy(batching.model.usage(PROMPT), 0.0).most_usd
    budget_usd = 3.1 * most_usd
    captions = batching(wait=True, budget_usd=budget_usd)
    assert [caption.outcome for caption in captions.values()].count(Outcome.OK) == 4
    assert batching.cost_usd <= budget_usd
    assert budget_usd - batching.cost_usd < most_usd


def test_half_the_price_where_the_price_s_seller_says_so() -> None:
    gpt, claude, gemini = (
        price_of(model) for model in ("gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash")
    )
    assert gpt
    assert claude
    assert gemini
    for price in (gpt, claude, gemini):
        half = price.in_batch()
        assert (half.input, half.output) == (price.input / 2, price.output / 2)
        assert half.batch_page in half.page
    assert gpt.cached is not None
    assert gpt.in_batch().cached == gpt.cached / 2
    assert gemini.in_batch().cached == gemini.cached
    assert Price(1.0, 2.0).in_batch() == Price(1.0, 2.0)


# --- other runners and other models ------------------------------------------------------------------------


def test_another_runner_does_not_pay_for_what_a_job_has(batching: Batching) -> None:
    batching.batches.polls = 10
    batching()
    with pytest.raises(StoreError, match=r"in batch\s+jobs that have not been collected.*runner=batch"):
        batching.run(DefaultRunner())
    assert not [request for request in batching.server.requests if request.path.endswith("completions")]


def test_a_part_that_waits_for_jobs_is_not_merged(batching: Batching) -> None:
    batching.batches.polls = 1
    batching()
    with pytest.raises(StoreError, match="answers of batch jobs have not been collected"):
        appended([FolderFiles(batching.folder)], "captions.jsonl")
    batching(wait=True)
    captions, requests = appended([FolderFiles(batching.folder)], "captions.jsonl")
    assert (len(captions), len(requests)) == (IMAGES, IMAGES)


def test_ctrl_c_leaves_the_jobs_where_they_are(batching: Batching, caplog: pytest.LogCaptureFixture) -> None:
    batching.batches.polls = 1_000_000

    def interrupt_at_the_first_poll() -> None:
        while not any(call.startswith("GET /v1/batches/") for call in batching.batches.calls):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_at_the_first_poll)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        batching(wait=True, poll_seconds=PATIENCE_SECONDS)
    thread.join()
    assert "batch jobs at the provider: 1, with 5 requests" in caplog.text
    (job,) = batching.batches.jobs.values()
    job.polls = 0
    batching.check(batching())


def test_what_has_no_batch_interface_says_so(
    tmp_path: Path,
    server: ProviderServer,  # noqa: F811
) -> None:
    older = captioner("generativeai", server)
    with pytest.raises(ConfigError, match=r"no batch interface.*Type runner=default"):
        BatchRunner().check(older, PROMPT)
    with pytest.raises(ConfigError, match="this command has none"):
        BatchRunner().run(captioner("openai", server), PROMPT, [], lambda _: None)


@providers
def test_a_server_without_one_says_so(provider: str, batching: Batching) -> None:
    path = {"openai": "POST /v1/files", "anthropic": "POST", "gemini": "batchGenerateContent"}[provider]
    batching.batches.scripted.append((path, Answer(404, "<h1>Not Found</h1>")))
    with pytest.raises(ModelError, match=r"has no batch interface for .*Type runner=default"):
        batching()
    assert batching.cost_usd == 0.0
