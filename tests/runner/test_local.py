"""The batch loop: everything captioned once, failures as outcomes, memory that does not suffice."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import Caption, Item, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, ImageError, OutOfMemory
from evaluator.runner.default import DefaultRunner

NONE = Prompt("none")


@dataclass
class Scripted:
    """A captioner whose pictures, memory and refusals are scripted by the items' ids."""

    memory: int = 1000
    unreadable: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    batches: list[int] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Scripted]:
        yield self

    def prepare(self, item: Item) -> str:
        self.threads.add(threading.current_thread().name)
        self.prepared.append(item.id)
        if item.id in self.unreadable:
            raise ImageError(f"{item.id} is torn")
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        self.batches.append(len(prepared))
        if len(prepared) > self.memory:
            raise OutOfMemory(f"a batch of {len(prepared)} pictures does not fit into memory")
        return [
            CaptionError(Outcome.REFUSED, "no") if name in self.refused else Reply(f"picture {name}")
            for name in prepared
        ]


def items(number: int) -> list[Item]:
    return [Item(str(i), None) for i in range(number)]


def run(captioner: Scripted, number: int, **options: int | None) -> list[Caption]:
    captions: list[Caption] = []
    DefaultRunner(**options).run(  # type: ignore[arg-type]
        captioner, NONE, items(number), captions.append
    )
    return captions


@settings(max_examples=80, deadline=None)
@given(
    number=st.integers(0, 40),
    batch_size=st.integers(1, 12),
    workers=st.integers(1, 3),
    memory=st.integers(1, 12),
    unreadable=st.frozensets(st.integers(0, 39).map(str)),
    refused=st.frozensets(st.integers(0, 39).map(str)),
)
def test_every_item_gets_exactly_one_outcome(
    number: int,
    batch_size: int,
    workers: int,
    memory: int,
    unreadable: frozenset[str],
    refused: frozenset[str],
) -> None:
    captioner = Scripted(memory, unreadable, refused)
    options = {"batch_size": batch_size, "decode_workers": workers, "stop_after_failures": None}
    captions = run(captioner, number, **options)
    assert sorted(caption.item_id for caption in captions) == sorted(item.id for item in items(number))
    for caption in captions:
        if caption.item_id in unreadable:
            assert (caption.outcome, caption.reply, caption.error) == (
                Outcome.ERROR,
                None,
                f"{caption.item_id} is torn",
            )
        elif caption.item_id in refused:
            assert (caption.outcome, caption.error) == (Outcome.REFUSED, "no")
        else:
            assert caption.text == f"picture {caption.item_id}"
    assert sorted(captioner.prepared) == sorted(item.id for item in items(number)), "a picture was read twice"


def test_a_batch_is_halved_and_so_are_those_after_it(caplog: pytest.LogCaptureFixture) -> None:
    captioner = Scripted(memory=3)
    with caplog.at_level(logging.WARNING, "evaluator"):
        captions = run(captioner, 30, batch_size=16)
    assert len(captions) == 30
    assert captioner.batches == [16, 8, 4, *[2] * 15]
    assert "continuing with batches of 2" in caplog.text


def test_a_single_picture_that_does_not_fit_is_an_outcome() -> None:
    captions = run(Scripted(memory=0), 3, batch_size=2)
    assert {caption.outcome for caption in captions} == {Outcome.ERROR}
    assert "does not fit into memory" in captions[0].error


def test_what_a_library_raises_over_a_picture_is_its_outcome() -> None:
    """Each picture of the batch is tried alone; nothing helps where a GPU failed."""

    class Failing(Scripted):
        def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
            if "5" in prepared:
                raise IndexError("index out of range in self")
            return super().caption(prepared)

    captioner = Failing()
    captions = run(captioner, 10, batch_size=4)
    (failed,) = [caption for caption in captions if caption.outcome is not Outcome.OK]
    assert (failed.item_id, failed.error) == ("5", "the model failed: IndexError: index out of range in self")
    assert len(captions) == 10
    assert captioner.batches == [4, 1, 1, 1, 2]

    class Broken(Scripted):
        def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
            raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="CUDA error"):
        run(Broken(), 3, batch_size=2)


def test_pictures_are_read_in_other_threads_and_not_all_at_once() -> None:
    captioner = Scripted()
    seen: list[int] = []
    DefaultRunner(batch_size=4, decode_workers=2).run(
        captioner, NONE, items(100), lambda caption: seen.append(len(captioner.prepared))
    )
    assert threading.main_thread().name not in captioner.threads
    assert seen[0] <= 12, "the whole data set was read before the first caption"


def test_what_was_captioned_before_a_crash_was_recorded() -> None:
    captions: list[Caption] = []

    class Crashing(Scripted):
        def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
            if len(captions) >= 8:
                raise KeyboardInterrupt
            return super().caption(prepared)

    with pytest.raises(KeyboardInterrupt):
        DefaultRunner(batch_size=4).run(Crashing(), NONE, items(100), captions.append)
    assert len(captions) == 8
