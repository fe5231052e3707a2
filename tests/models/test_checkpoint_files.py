"""What is said of a folder or a name that cannot be a checkpoint, before any library is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evaluator.models.checkpoint_files import fault_of, lacks_processor

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n"
INDEX = json.dumps({"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "3.safetensors"}})
ADAPTER = json.dumps({"peft_type": "LORA", "base_model_name_or_path": "somebody/base"})
FOLDERS: dict[str, tuple[dict[str, str], str | None]] = {
    "a checkpoint": ({"config.json": "{}", "model.safetensors": "x"}, None),
    "weights that can carry code": ({"config.json": "{}", "pytorch_model.bin": "x"}, None),
    "nothing": ({}, r"no config\.json, so it is no checkpoint"),
    "a trainer's": ({"checkpoint-500/config.json": "{}"}, r"Type model\.checkpoint=.*checkpoint-500$"),
    "the hub's cache": ({"snapshots/0123/config.json": "{}"}, r"Type model\.checkpoint=.*0123$"),
    "an adapter": ({"adapter_config.json": ADAPTER}, r"an adapter .* of somebody/base\. Merge"),
    "an adapter that says nothing": ({"adapter_config.json": "[]"}, r"of the model that was trained\. Merge"),
    "both": ({"config.json": "{}", "adapter_config.json": ADAPTER}, r"an adapter .* of somebody/base"),
    "GGUF": ({"model-q4.gguf": "GGUF"}, r"llama\.cpp .* model=ollama"),
    "a pointer": (
        {"config.json": "{}", "model.safetensors": POINTER},
        r"model\.safetensors is a pointer .* lfs",
    ),
    "shards": (
        {"config.json": "{}", "1.safetensors": "x", "model.safetensors.index.json": INDEX},
        r"2 of its weight files are not there, such as 2\.safetensors",
    ),
    "a damaged index": ({"config.json": "{}", "model.safetensors.index.json": "[1"}, None),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder(name: str, tmp_path: Path) -> None:
    files, said = FOLDERS[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    fault = fault_of(str(tmp_path), "model.checkpoint")
    assert (fault is None) if said is None else re.search(said, fault or "")


NAMES = {
    "owner/name": None,
    "name": None,
    "./absent": "there is no such folder",
    "/absent/folder": "there is no such folder",
    "~/mine": "Type the whole path: model.checkpoint=/",
    "https://huggingface.co/owner/name": "Type what follows the host",
    "model-q4.gguf": "GGUF files",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name(name: str) -> None:
    said, fault = NAMES[name], fault_of(name, "model.checkpoint")
    assert fault is None if said is None else said in (fault or "")


def test_a_file() -> None:
    fault = f"it is a file. Type the folder that holds it: model.checkpoint={Path(__file__).parent}"
    assert fault_of(__file__, "model.checkpoint") == fault


def test_a_folder_with_weights_alone(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert lacks_processor(tmp_path)
        (tmp_path / name).touch()
    assert lacks_processor(tmp_path)
    (tmp_path / "preprocessor_config.json").touch()
    assert not lacks_processor(tmp_path)
    assert not lacks_processor(tmp_path / "absent")
