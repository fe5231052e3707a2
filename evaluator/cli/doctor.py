"""`evaluator doctor`: what is installed on this machine, what is missing, and what to type.

It imports no model, no torch and no SDK, fetches nothing and shows no key.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import metadata

import click

from evaluator.cli.console import echo
from evaluator.files import hub

# Each optional package as it is installed, what it is for, and the extra that brings it.
PACKAGES = (
    ("torch", "local models, CLIPScore", "local"),
    ("transformers", "local models, CLIPScore", "local"),
    ("torchvision", "the pictures of Qwen-VL, InternVL, SmolVLM and some other chat models", "chat"),
    ("num2words", "SmolVLM", "chat"),
    ("google-genai", "Gemini", "gemini"),
    ("openai", "OpenAI and compatible servers", "openai"),
    ("anthropic", "Claude", "anthropic"),
    (
        "google-generativeai",
        "Gemini by the older package; prefer google-genai",
        "google-generativeai",
    ),
    ("pycocoevalcap", "METEOR's word lists, SPICE's program (a download of 104 MB)", "coco"),
    ("datasets", "data sets of the Hugging Face hub, and local files of that kind", "data"),
    ("pooch", "evaluator data fetch", "data"),
    ("ImageHash", "evaluator data check", "data"),
    ("starlette", "evaluator view and try", "web"),
    ("uvicorn", "evaluator view and try", "web"),
    ("ray", "local models on several machines, runner=ray", "ray"),
    ("openpyxl", "captions and references in Excel's files", "excel"),
    ("pillow-heif", "HEIC, the pictures of telephones", "heic"),
)
# Prices older than this may have changed.
OLD_DAYS = 180
PATIENCE_SECONDS = 0.4  # for the hub to answer
CLIP_MB = 605  # model.safetensors of openai/clip-vit-base-patch32


# How a finding is marked: on a terminal, in other outputs, and its colour.
MARKS: Mapping[str, tuple[str, str, str]] = {
    "there": ("✓", "[ok]", "green"),
    "missing": ("✗", "[missing]", "red"),
    "to know": ("•", "[note]", "yellow"),
}


@dataclass(frozen=True)
class Finding:
    """One line; `advice` is what to type where something is missing."""

    what: str
    state: str
    advice: str = ""
    is_note: bool = False  # neither there nor missing

    @property
    def mark(self) -> str:
        return "to know" if self.is_note else "missing" if self.advice else "there"


@click.command(name="doctor")
def doctor_command() -> None:
    """Show what is installed on this machine, what is missing, and what to type."""
    all_findings = list(findings())
    on_terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if on_terminal else None
    width = max(len(each.what) for each in all_findings)
    for each in all_findings:
        symbol, word, colour = MARKS[each.mark]
        mark = symbol if on_terminal and is_printable(symbol) else f"{word:9}"
        echo(f"{mark} ", nl=False, fg=colour)  # click leaves the colour out where there is no terminal
        before = len(mark) + width + 3
        echo(f"{each.what:{width}}  {wrapped(each.state, before, columns)}")
        if each.advice:
            echo(f"{'':{before - 1}} -> {wrapped(each.advice, before + 3, columns)}")


def is_printable(symbol: str) -> bool:
    """Whether the terminal's encoding has the symbol."""
    try:
        symbol.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


def wrapped(text: str, indent: int, columns: int | None) -> str:
    """A text that begins at this column, within so many columns; on one line where there is no terminal."""
    if columns is None or columns - indent < 20:
        return text
    lines = textwrap.wrap(text, columns - indent, break_on_hyphens=False, break_long_words=False)
    return f"\n{'':{indent}}".join(lines)


def findings() -> Iterator[Finding]:
    """Everything, in the order in which one would set it up."""
    for name, purpose, extra in PACKAGES:
        yield package(name, purpose, extra)
    yield gpu()
    yield cpu()
    yield java()
    yield meteor()
    yield spice()
    yield clip()
    yield from api_keys()
    yield cache()
    yield prices(date.today())


def package(name: str, purpose: str, extra: str) -> Finding:
    from evaluator.core.install import install_line

    try:
        return Finding(name, f"{metadata.version(name)}, for {purpose}")
    except metadata.PackageNotFoundError:
        return Finding(name, f"not installed, for {purpose}", install_line(extra))


def gpu() -> Finding:
    """By NVIDIA's own program: torch would take seconds to import."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        output = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except FileNotFoundError:
        if (platform.system(), platform.machine()) == ("Darwin", "arm64"):
            return Finding("GPU", "Apple's, which local models use through MPS")
        return Finding("GPU", "no NVIDIA GPU: local models run on the CPU, slowly", is_note=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("GPU", "nvidia-smi is installed and fails", "nvidia-smi")
    gpus = output.strip().splitlines()
    if not gpus:
        return Finding("GPU", "none that nvidia-smi lists")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    only = f"; CUDA_VISIBLE_DEVICES={visible}" if visible is not None else ""
    use = "local models use it" if len(gpus) == 1 else "local models run a process on each: runner.devices"
    return Finding("GPU", f"{'; '.join(gpus)}; {use}{only}")


def cpu() -> Finding:
    """What a local model on the CPU gets, and what prepares its pictures."""
    from evaluator.core.cpus import allowed_cpus, free_cpus
    from evaluator.runner.picture_workers import CAN_FORK, THREADS

    prepared = "by processes" if CAN_FORK else f"by {THREADS} threads"
    free = max(0.0, free_cpus())
    return Finding(
        "CPU",
        f"cores for this program: {allowed_cpus():g}, free now: {free:.1f}; a model on the CPU "
        f"uses as many threads as it gains from, and its pictures are prepared {prepared}",
    )


def java() -> Finding:
    from evaluator.scorers.java import version_of

    program = shutil.which("java")
    if program is None:
        needed = "only needed for SPICE, and for METEOR with scorer.meteor.engine=java"
        return Finding("Java", f"not installed; {needed}", "apt install default-jre-headless")
    return Finding("Java", f"{version_of(program) or 'of an unknown version'}, {program}")


def meteor() -> Finding:
    from evaluator.core.errors import MetricError
    from evaluator.files.cache_folder import cache_folder
    from evaluator.scorers.meteor15.installed_files import InstalledFiles
    from evaluator.scorers.meteor15.language import VERSION

    try:
        files = InstalledFiles.find()
    except MetricError as error:
        return Finding("METEOR", "cannot be computed", str(error))
    prepared = (cache_folder("meteor") / files.digest(VERSION)).is_dir()
    return Finding(
        "METEOR", "ready" if prepared else "ready; its tables are prepared once, in about 10 seconds"
    )


def spice() -> Finding:
    from evaluator.core.errors import MetricError
    from evaluator.scorers.spice import program_folder, suitable_java

    try:  # Java first: without one that fits, the large download would be of no use
        suitable_java("java")
        program_folder(None)
    except MetricError as error:
        return Finding("SPICE", "cannot be computed", str(error))
    return Finding("SPICE", "ready; not verified: no published score was computed with it here")


def clip() -> Finding:
    """CLIPScore's default weights: on this machine, to be downloaded, or unreachable."""
    from evaluator.scorers.clipscore import CLIPScore

    name = CLIPScore().checkpoint
    if any(hub.model_folder(name).glob("snapshots/*/config.json")):
        return Finding("CLIP's weights", f"{name}, in {hub.hub_cache()}")
    address = hub.hub_address()
    if hub.is_offline():
        return Finding(
            "CLIP's weights",
            f"{name} is not on this machine, and HF_HUB_OFFLINE is set",
            "unset HF_HUB_OFFLINE",
        )
    if hub.is_reachable(attempts=1, patience=PATIENCE_SECONDS):
        return Finding(
            "CLIP's weights",
            f"{name} is not on this machine; downloaded from {address} when first used, {CLIP_MB} MB",
            is_note=True,
        )
    return Finding(
        "CLIP's weights",
        f"{name} is not on this machine, and {address} cannot be reached",
        "scorer.clipscore.checkpoint=DIR, a folder with a CLIP checkpoint",
    )


def api_keys() -> Iterator[Finding]:
    """Whether each variable that a preset names is set. Its value is never shown."""
    for variable, page in key_pages().items():
        if os.environ.get(variable, "").strip():
            yield Finding(variable, "set")
        else:
            yield Finding(variable, "not set", f"export {variable}=..., with a key from {page}")


def key_pages() -> Mapping[str, str]:
    """The variables that the presets in conf/model name, each with the page that gives keys."""
    import yaml

    from evaluator.config.compose import CONF_DIR

    presets = [
        yaml.safe_load(path.read_text("utf-8")) for path in sorted((CONF_DIR / "model").glob("*.yaml"))
    ]
    named = [preset for preset in presets if preset.get("key_variable")]
    return {preset["key_variable"]: preset["key_page"] for preset in named}


def cache() -> Finding:
    from evaluator.files.cache_folder import cache_folder, chosen_folder

    chosen = chosen_folder()
    if cache_folder() != chosen:
        return Finding(
            "cache", f"{chosen} cannot be written", "export EVALUATOR_CACHE=DIR, a folder that can be written"
        )
    size = sum(path.stat().st_size for path in chosen.rglob("*") if path.is_file())
    return Finding("cache", f"{chosen}, {size / 1e6:,.1f} MB; `evaluator cache` shows the answers in it")


def prices(today: date) -> Finding:
    from evaluator.runner.prices import table_date

    days = (today - table_date()).days
    state = f"from genai-prices {metadata.version('genai-prices')}, with price changes until {table_date()}"
    if days <= OLD_DAYS:
        return Finding("prices", state)
    return Finding("prices", f"{state}, {days} days ago", "pip install -U genai-prices")
