"""model.compile: the captions stay the same, and a machine that cannot compile says what it lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from evaluator.core import Item, Prompt, Reply  # noqa: E402
from evaluator.core.errors import ModelError  # noqa: E402
from evaluator.models import compiled  # noqa: E402
from evaluator.models.compiled import check_compiler  # noqa: E402
from evaluator.models.git import GIT  # noqa: E402


def test_captions_of_a_compiled_model_are_the_same(
    git_checkpoint: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is traced and its graphs run as they are: torch's own compiler would take minutes."""
    monkeypatch.setattr(compiled, "BACKEND", "eager")
    said: list[list[str]] = []
    traced: list[int] = []
    for is_compiled in (False, True):
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        model = GIT(str(git_checkpoint), device="cpu", max_new_tokens=4, compile=is_compiled)
        with model.open(Prompt("none")) as session:
            prepared = [session.prepare(Item(str(n), path)) for n, path in enumerate(pictures[:3])]
            answers = [*session.caption(prepared), *session.caption(prepared[:2])]
        said.append([answer.text if isinstance(answer, Reply) else str(answer) for answer in answers])
        traced.append(torch._dynamo.utils.counters["stats"]["calls_captured"])
    assert said[0] == said[1]
    assert traced[0] == 0 < traced[1]


def test_a_machine_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    check_compiler("cpu")
    monkeypatch.setattr(compiled, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"needs Triton\. Type: pip install triton"):
        check_compiler("cuda")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match=r"needs a C\+\+ compiler\. Type: apt install g\+\+"):
        check_compiler("cpu")
