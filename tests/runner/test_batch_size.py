"""The largest batch that fits: found by a real captioner that runs out of memory, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import evaluator.demo  # noqa: E402
from evaluator.core import Caption, Item, Placement, Prompt  # noqa: E402
from evaluator.models.git import GIT  # noqa: E402
from evaluator.models.local import LocalSession  # noqa: E402
from evaluator.runner.batch_size import USUAL, BatchSize, size_in  # noqa: E402
from evaluator.runner.default import DefaultRunner  # noqa: E402

DEMO = Path(evaluator.demo.__file__).parent
IMAGES = 110
SHORT = GIT(str(DEMO / "models" / "git"), max_new_tokens=3)
Captioned = Callable[..., tuple[list[int], dict[str, str | None]]]


@pytest.fixture
def captioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Captioned:
    """Captions on a "GPU" with room for so many pictures: the batches that were tried, and the captions."""
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path))
    pictures = sorted((DEMO / "data" / "images").glob("*.png"))[:IMAGES]

    def run(
        room: int, device: str = "cuda:0", model: GIT = SHORT, images: int = IMAGES, **options: Any
    ) -> Any:
        tried: list[int] = []
        plain = LocalSession.caption

        def limited(session: LocalSession, prepared: Any) -> Any:
            generate = session.model.generate

            def with_limit(pixel_values: Any, **rest: Any) -> Any:
                tried.append(len(pixel_values))
                if len(pixel_values) > room:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
                return generate(pixel_values=pixel_values, **rest)

            with monkeypatch.context() as inner:
                inner.setattr(session.model, "generate", with_limit)
                return plain(session, prepared)

        captions: list[Caption] = []
        with monkeypatch.context() as patched:
            placement = Placement(device, "GPU of the test", "float32")
            patched.setattr(LocalSession, "placement", placement)
            patched.setattr(LocalSession, "caption", limited)
            items = [Item(path.stem, path) for path in pictures[:images]]
            DefaultRunner(**options).run(model, Prompt("none"), items, captions.append)
        return tried, {caption.item_id: caption.text for caption in captions}

    return run


def test_the_largest_batch_is_found_once_for_a_model_on_a_device(
    captioned: Captioned, tmp_path: Path
) -> None:
    tried, captions = captioned(room=40)
    assert tried == [32, 64, 32, 32, 14]
    assert captioned(room=40) == ([32, 32, 32, 14], captions)  # 64 is not tried again
    assert captioned(room=20) == ([32, *[16] * 6, 14], captions)  # another program takes memory now
    assert captioned(room=20)[0] == [*[16] * 6, 14]
    # Other beams, another device: each has a size of its own.
    assert captioned(room=1000, images=33, model=replace(SHORT, num_beams=2))[0] == [32, 1]
    assert captioned(room=1000, images=33, device="cuda:1")[0] == [32, 1]
    # A number that was typed is taken, whatever was found.
    assert captioned(room=1000, images=33, batch_size=64)[0] == [33]
    (kept,) = (tmp_path / "batch-sizes").iterdir()
    assert size_in(kept) == 16
    for content in (b"", b"[]", b'{"batch_size": 1e99}', b'{"batch_size": "9"}', b"\xff\0"):
        kept.write_bytes(content)
        assert size_in(kept) is None
    assert captioned(room=1000, images=33)[0] == [32, 1]


def test_on_the_cpu_the_usual_size_is_taken(captioned: Captioned, tmp_path: Path) -> None:
    assert captioned(room=1000, device="cpu", images=65)[0] == [32, 32, 1]
    assert not (tmp_path / "batch-sizes").exists()


def test_a_size_grows_only_where_full_batches_fit() -> None:
    size = BatchSize(USUAL, 100)
    size.fitted(10)
    assert size.now == USUAL
    for expected in (64, 100, 100):
        size.fitted(size.now)
        assert size.now == expected
    size.failed(7)  # of pictures with a shape of their own
    assert size.now == 3
