"""The loader of captioners and of the CLIP scorer: devices, number types, and what it refuses.

What it says of damaged checkpoints is in test_families.py and tests/scorers/test_clipscore.py.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from evaluator.core import Item, Placement, Prompt, Reply  # noqa: E402
from evaluator.core.errors import ModelError  # noqa: E402
from evaluator.models.checkpoints import (  # noqa: E402
    choose_device,
    choose_dtype,
    is_out_of_memory,
    saved_dtype,
)
from evaluator.models.git import GIT  # noqa: E402


@pytest.mark.parametrize(
    ("nvidia", "apple", "device"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_is_the_best_device(
    nvidia: bool, apple: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: nvidia)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    assert choose_device("auto") == torch.device(device)


def test_a_device_that_is_not_there() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ModelError, match=r"model\.device: cannot use 'gpu' .* Type model\.device=auto"):
        choose_device("gpu")
    with pytest.raises(
        ModelError, match=r"scorer\.x\.device: cannot use 'gpu' .* Type scorer\.x\.device=auto"
    ):
        choose_device("gpu", "scorer.x")


def test_auto_is_half_precision_on_cuda_alone() -> None:
    for saved in (None, torch.float32, torch.float16):
        assert choose_dtype("auto", torch.device("cuda"), saved) is torch.float16
    for saved in (None, torch.float32, torch.float16, torch.bfloat16):
        assert choose_dtype("auto", torch.device("mps"), saved) is torch.float32
        assert choose_dtype("auto", torch.device("cpu"), saved) is torch.float32
        assert choose_dtype("bfloat16", torch.device("cpu"), saved) is torch.bfloat16


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_every_device_says_in_its_own_way_that_memory_is_short(error: RuntimeError, memory: bool) -> None:
    assert is_out_of_memory(error) == memory


def test_a_model_that_does_not_fit_on_its_device(
    git_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def to(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.nn.Module, "to", to)
    git = GIT(str(git_checkpoint))
    with pytest.raises(ModelError, match=r"does not fit into the memory of cpu\. Type model\.device=cpu"):
        git.loader().open()


def test_a_checkpoint_without_a_tokenizer(git_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "git"
    shutil.copytree(git_checkpoint, folder)
    for path in folder.glob("*token*"):
        path.unlink()
    (folder / "vocab.txt").unlink(missing_ok=True)
    git = GIT(str(folder))
    with pytest.raises(ModelError, match=r"lacks its tokenizer|cannot be loaded"):
        git.loader().open()


def test_code_of_a_checkpoint_is_never_run_where_no_option_allows_it(
    git_checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "git"
    shutil.copytree(git_checkpoint, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    loader = replace(GIT(str(folder)).loader(), group="scorer.clipscore", trust_remote_code=None)
    with pytest.raises(ModelError, match="brings code of its own, which is not run") as raised:
        loader.open()
    assert "trust_remote_code=true" not in str(raised.value)
    with pytest.raises(ModelError, match=r"scorer\.clipscore\.trust_remote_code=true"):
        replace(loader, trust_remote_code=False).open()
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_saved_in_bfloat16(
    git_checkpoint: Path, tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is computed in it where a GPU can, and on the CPU in float32, unless bfloat16 is typed."""
    saved = tmp_path / "checkpoint"
    shutil.copytree(git_checkpoint, saved)
    transformers.GitForCausalLM.from_pretrained(git_checkpoint, dtype=torch.bfloat16).save_pretrained(saved)
    config = transformers.AutoConfig.from_pretrained(saved)
    assert saved_dtype(config) is torch.bfloat16
    cuda = torch.device("cuda")
    for gpu_has_it, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda found=gpu_has_it, **_: found)
        assert choose_dtype("auto", cuda, saved_dtype(config)) is expected
    plain = transformers.AutoConfig.from_pretrained(git_checkpoint)
    assert choose_dtype("auto", cuda, saved_dtype(plain)) is torch.float16
    for dtype, expected in (("auto", "float32"), ("bfloat16", "bfloat16")):
        with GIT(str(saved), dtype=dtype, device="cpu", max_new_tokens=4).open(Prompt("none")) as session:
            assert session.placement == Placement("cpu", "", expected)
            (reply,) = session.caption([session.prepare(Item("0", pictures[0]))])
            assert isinstance(reply, Reply)
