"""What is wrong with the files of a checkpoint, before anything is loaded.

The libraries say of most of this only that a file was not found, or that its beginning makes no sense.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

CONFIG, ADAPTER, INDEX = "config.json", "adapter_config.json", "model.safetensors.index.json"
OF_PICTURES = ("processor_config.json", "preprocessor_config.json")
OF_TEXTS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
POINTER = b"version https://git-lfs"  # what Git writes where a large file was not fetched


def fault_of(name: str, option: str) -> str | None:
    """Why a checkpoint cannot be loaded, and what to type; None where its files look whole.

    `option` is where the name was typed, such as model.checkpoint. A name that is no path may be one of the
    hub, of which nothing is known here.
    """
    path = Path(name)
    if path.is_dir():
        return fault_of_folder(path, option)
    if path.suffix == ".gguf":
        return gguf(name)
    if path.is_file():
        return f"it is a file. Type the folder that holds it: {option}={path.parent}"
    if "://" in name:
        return f"it is an address. Type what follows the host: {option}=OWNER/NAME"
    if name.startswith("~"):
        return f"~ is not replaced here. Type the whole path: {option}={path.expanduser()}"
    if path.is_absolute() or name.startswith("."):
        return f"there is no such folder. Check the spelling: {option}=DIR"
    return None


def fault_of_folder(folder: Path, option: str) -> str | None:
    """What `fault_of` says of a folder."""
    if (folder / ADAPTER).is_file():
        return adapter(folder)
    if not (folder / CONFIG).is_file():
        if any(folder.glob("*.gguf")):
            return gguf(str(folder))
        if within := [path.parent for form in ("*/", "snapshots/*/") for path in folder.glob(form + CONFIG)]:
            newest = max(within, key=lambda each: each.stat().st_mtime)
            return f"it has no {CONFIG}, and a folder in it has one. Type {option}={newest}"
        return f"it has no {CONFIG}, so it is no checkpoint of transformers. Type {option}=DIR, one that is"
    weights = sorted(folder.glob("*.safetensors"))
    if pointer := next((path.name for path in weights if is_pointer(path)), None):
        return f"{pointer} is a pointer of Git LFS, without the weights. Type: git -C {folder} lfs pull"
    if missing := missing_weights(folder):
        return f"{len(missing)} of its weight files are not there, such as {missing[0]}. Download it again"
    return None


def lacks_processor(folder: Path) -> bool:
    """Whether nothing in a folder prepares pictures or texts, as where only the weights were saved."""
    return folder.is_dir() and not all(
        any((folder / name).is_file() for name in names) for names in (OF_PICTURES, OF_TEXTS)
    )


def gguf(name: str) -> str:
    return (
        f"GGUF files are for llama.cpp and what is built on it. Serve {name}, for example with Ollama, and "
        "type model=ollama model.model=NAME"
    )


def adapter(folder: Path) -> str:
    """An adapter is merged once, by whoever has trained it: no other code of it runs here."""
    base = "the model that was trained"
    with suppress(OSError, ValueError, AttributeError):
        base = json.loads((folder / ADAPTER).read_bytes()).get("base_model_name_or_path") or base
    return (
        f"it is an adapter (such as LoRA) of {base}. Merge both into one checkpoint, by peft's "
        "merge_and_unload() and save_pretrained(DIR), save the processor there too, and type that folder"
    )


def is_pointer(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(POINTER)) == POINTER
    return False


def missing_weights(folder: Path) -> list[str]:
    """The weight files that a folder's index names and that are not there."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        named = set(json.loads((folder / INDEX).read_bytes())["weight_map"].values())
        return sorted(name for name in named if not (folder / name).is_file())
    return []
