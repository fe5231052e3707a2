"""Who may import whom: the table of docs/architecture.md, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import evaluator

PACKAGE = Path(evaluator.__file__).parent
ROOT = ("core", "errors", "images", "cache_folder", "json_file", "captions_file", "kinds")
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

# A room -> what it may import of ours, besides `evaluator` itself for its version.
ALLOWED = {
    "core": (),
    "errors": ("core",),
    "images": ROOT,
    "cache_folder": ROOT,
    "json_file": ROOT,
    "captions_file": ROOT,
    "kinds": (),
    "style": ("core",),
    "store": ROOT,
    "significance": ROOT,
    "paired_tests": (*ROOT, "significance"),
    "contrasts": (*ROOT, "store", "significance", "paired_tests"),
    "data": (*ROOT, "data"),
    "models": (*ROOT, "models"),
    "runner": (*ROOT, "runner"),
    "scorers": (*ROOT, "scorers"),
    "components": ("errors",),
    "config": ("core", "errors", "components", "kinds"),
    "provenance": ("core", "config"),
    "sampling": ("core",),
    "evaluate": (
        *("core", "errors", "config", "data", "provenance", "runner", "sampling"),
        *("significance", "store", "style"),
    ),
    "regress": (*ROOT, "paired_tests", "contrasts", "compare"),
    "experiment": ("compare",),
    "compare": (*ROOT, "store", "significance", "contrasts"),
    "report": (
        *(*ROOT, "store", "style", "significance", "paired_tests", "contrasts", "compare", "regress"),
        "report",
    ),
    "demo": (*ROOT, "data", "demo"),
    "demo/measure": (*ROOT, "data", "demo", "models", "scorers"),
    "demo/train": (*ROOT, "data", "demo", "models", "scorers"),
    "api": (*ROOT, "scorers"),
    "verify": ("api", "errors"),
    "__init__": ("api",),
    "__main__": ("cli",),
    "plan": (*ROOT, "config", "evaluate", "runner", "store"),
    "commands": None,
    "cli": None,  # everything
}
# The names of libraries that we use, which a module of ours must not take.
LIBRARIES = {
    "hydra",
    "click",
    "rich",
    "numpy",
    "pandas",
    "torch",
    "transformers",
    "statistics",
    "types",
    "anthropic",
    "httpx2",
    "yaml",
}
HEAVY = (
    "torch",
    "transformers",
    "pandas",
    "pyarrow",
    "hydra",
    "omegaconf",
    "pydantic",
    "jinja2",
    "scipy",
    "PIL",
    "openai",
    "anthropic",
    "google",
    "httpx2",
    "requests",
    "dotenv",
)
# What is imported at once, by the module that is there for it.
AT_ONCE = {
    "images": {"PIL"},
    "demo/scenes": {"PIL"},
    "demo/train": {"PIL"},
    "scorers/clip_features": {"PIL"},
    "report/tables": {"pandas"},
}


def room(module: Path) -> str:
    """The entry of ALLOWED that a module falls under."""
    name = module.with_suffix("").as_posix()
    return name if name in ALLOWED else module.parts[0].removesuffix(".py")


def imports(module: Path, only_at_once: bool = False) -> Iterator[str]:
    """The full names that a module imports, those for type checkers left out."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        or (only_at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if inner is not node
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: a relative import"
            if node.module == "evaluator":
                yield from (f"evaluator.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_its_room_may(module: Path) -> None:
    allowed = ALLOWED[room(module)]
    if allowed is None:
        return
    for name in imports(module):
        parts = name.split(".")
        if parts[0] == "evaluator" and len(parts) > 1 and parts[1] != "__version__":
            assert parts[1] in allowed, f"{module} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_heavy_packages_are_imported_when_used(module: Path) -> None:
    at_once = {name.split(".")[0] for name in imports(module, only_at_once=True)} & set(HEAVY)
    assert at_once <= AT_ONCE.get(module.with_suffix("").as_posix(), set())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_small_and_has_a_name_of_its_own(module: Path) -> None:
    lines = (PACKAGE / module).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 420
    assert module.stem not in {"utils", "common", "helpers", *LIBRARIES}
    assert module.stem == "__main__" or lines[0].startswith(('"""', 'r"""'))


def test_every_module_can_be_the_first_one_imported() -> None:
    """No module needs another to be imported before it: there is no circle."""
    names = [
        ".".join(("evaluator", *module.with_suffix("").parts)).removesuffix(".__init__")
        for module in MODULES
        if module.stem != "__main__"
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    for loaded in [key for key in sys.modules if key.split('.')[0] == 'evaluator']:\n"
        "        del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
