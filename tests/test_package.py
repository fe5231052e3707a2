"""The built wheel holds all that is needed, and runs the demo from an empty folder of another environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MEGABYTES = 12


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_what_is_needed_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    for path in [*ROOT.glob("conf/**/*.yaml"), *ROOT.glob("evaluator/**/*")]:
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in name:
            assert (f"evaluator/{name}" if name.startswith("conf/") else name) in sizes, name
    assert {name.split("/")[0] for name in sizes if ".dist-info/" not in name} == {"evaluator"}
    assert any(name.endswith("LICENSE") for name in sizes)
    assert wheel.stat().st_size < MEGABYTES * 1_000_000


def test_an_installed_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    """Nothing is downloaded: the new environment sees this one's packages, but not this checkout."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    packages = Path(sysconfig.get_paths()["purelib"])
    # A .pth line adds the folder, but not what the .pth files in it add: the editable checkout stays out.
    (site / "packages.pth").write_text(f"{packages}\n")
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install"]
    offline = ["--no-deps", "--no-index", "--quiet", "--ignore-installed", "--disable-pip-version-check"]
    subprocess.run([*pip, *offline, str(wheel)], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=empty, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    python = str(environment / "bin" / "python")
    where = run(python, "-c", "import evaluator; print(evaluator.__file__)")
    assert Path(where.strip()).is_relative_to(environment)
    table = run(str(environment / "bin" / "evaluator"), "run", "experiment=demo", "limit=4")
    assert all(name in table for name in ("tiny-git", "tiny-blip", "tiny-blip2", "CIDEr", "RefCLIPScore"))
    assert "not computed" not in table
    assert [path.name for path in empty.iterdir()] == ["runs"]
