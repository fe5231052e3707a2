"""Who may import whom: the table of docs/architecture.md, read from the source.

Every import counts: those inside functions, and those for type checkers only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import evaluator

PACKAGE = Path(evaluator.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"


def table() -> dict[str, set[str]]:
    """Each row of the table: a folder or file of the package, and what else of the package it may import."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|$", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        name: set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", allowed)))
        for names, allowed in rows
        for name in re.findall(r"`(\w+)`", names)
    }


ALLOWED = {name: allowed for name, allowed in table().items() if allowed != {"everything"}}
TOP = table().keys() - ALLOWED.keys()
ALLOWED = {name: allowed - {"nothing"} for name, allowed in ALLOWED.items()}
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
    "ray",
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
    "ray",
)
# What is imported at once, by the module that is there for it.
AT_ONCE = {
    "files/images": {"PIL"},
    "files/perturbed_pictures": {"PIL"},
    "models/httpx_client": {"httpx2"},
    "models/requests_adapter": {"requests"},
    "scorers/clip/features": {"PIL"},
}


def name_of(module: Path) -> str:
    return ".".join(("evaluator", *module.with_suffix("").parts)).removesuffix(".__init__")


NAMES = {name_of(module): module for module in MODULES}


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imports(source: ast.Module) -> Iterator[str]:
    """The full name of every module that this source imports, names of a package included."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            assert node.module
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from inner & NAMES.keys()
            if inner - NAMES.keys():
                yield node.module


def imports_at_once(module: Path) -> Iterator[str]:
    """The packages that importing the module imports."""
    later = {
        id(inner)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree(module)):
        if id(node) not in later and isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif id(node) not in later and isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def room(name: str) -> str:
    """The row of the table for a module: `evaluator.store.run` belongs to `store`."""
    return name.split(".")[1] if "." in name else "__init__"


def test_the_table_has_a_row_for_each_folder_and_fits_on_a_screen() -> None:
    assert {room(name) for name in NAMES} == ALLOWED.keys() | TOP
    assert {"__init__", "__main__", "cli"} == TOP
    assert len(ALLOWED) <= 24


def test_a_module_imports_only_what_its_folder_may() -> None:
    forbidden = {
        name: found
        for name, module in NAMES.items()
        if room(name) not in TOP
        if (found := {room(each) for each in imports(tree(module)) if each.split(".")[0] == "evaluator"})
        - {room(name)}
        - ALLOWED[room(name)]
    }
    assert not forbidden


def test_there_is_no_circle_of_modules() -> None:
    graph = {
        name: {found for found in imports(tree(module)) if found in NAMES and found != name}
        for name, module in NAMES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1][::-1]))


def test_there_is_no_circle_of_folders() -> None:
    try:
        TopologicalSorter(ALLOWED).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1][::-1]))


def test_an_import_is_seen_wherever_it_stands() -> None:
    source = """
def f():
    import evaluator.core.errors
if TYPE_CHECKING:
    from evaluator.core import values, Item
"""
    assert set(imports(ast.parse(source))) == {
        "evaluator.core.errors",
        "evaluator.core.values",
        "evaluator.core",
    }


def test_heavy_packages_are_imported_when_used() -> None:
    too_early = {
        name: found
        for name, module in NAMES.items()
        if (found := set(HEAVY).intersection(imports_at_once(module)))
        - AT_ONCE.get(module.with_suffix("").as_posix(), set())
    }
    assert not too_early


def test_a_module_is_small_and_has_a_name_of_its_own() -> None:
    for name, module in NAMES.items():
        lines = (PACKAGE / module).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 420, name
        assert module.stem not in {"utils", "common", "helpers", *LIBRARIES}, name
        assert module.stem == "__main__" or lines[0].startswith(('"""', 'r"""')), name
