"""Pictures that are made harder: the same each time, harder with the severity, wherever they come from."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluator.core import perturbation as names
from evaluator.core.errors import ConfigError, ImageError
from evaluator.core.perturbation import KINDS, SEVERITIES, Perturbation, perturbation_from
from evaluator.files import perturbed_pictures
from evaluator.files.images import file_of, is_file, read_file, read_picture, thumbnail
from evaluator.files.perturbed_pictures import STRENGTHS, perturbed_path


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waves with a little noise, not square."""
    rows, columns = np.mgrid[0:96, 0:128]
    waves = 110 + 50 * np.sin(rows / 7) + 40 * np.cos(columns / 5)
    noise = np.random.default_rng(0).normal(0, 6, (96, 128, 3))
    path = tmp_path_factory.mktemp("pictures") / "waves.jpg"
    Image.fromarray((waves[..., None] + noise).clip(0, 255).astype(np.uint8)).save(path, quality=95)
    return path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(read_picture(path).resize((128, 96)), np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_harder_with_the_severity_and_the_same_each_time(
    kind: names.Kind, picture: Path, tmp_path: Path
) -> None:
    plain = pixels(picture)
    changes = []
    for severity in SEVERITIES:
        path = perturbed_path(picture, Perturbation(kind, severity))
        assert is_file(path)
        assert file_of(path) == picture
        assert read_file(path) == read_file(path)
        changes.append(np.abs(pixels(path) - plain).mean())
    assert changes[0] > 0.2, "the picture is as it was"
    assert changes[-1] > changes[0]
    # Where the picture lies decides nothing.
    copy = tmp_path / "another name.jpg"
    copy.write_bytes(picture.read_bytes())
    assert read_file(perturbed_path(copy, Perturbation(kind, 2))) == read_file(
        perturbed_path(picture, Perturbation(kind, 2))
    )


def test_what_is_random_differs_between_pictures(picture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    read_picture(picture).save(other)  # the same pixels, other bytes
    noise = Perturbation("noise", 1)
    assert read_file(perturbed_path(picture, noise)) != read_file(perturbed_path(other, noise))


def test_sizes(picture: Path) -> None:
    assert read_picture(perturbed_path(picture, Perturbation("crop", 4))).size == (64, 48)
    for kind in set(KINDS) - {"crop"}:
        assert read_picture(perturbed_path(picture, Perturbation(kind, 5))).size == (128, 96)


def test_noise_and_brightness_by_numbers(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (128, 96), (100, 100, 100)).save(path)
    noisy = pixels(perturbed_path(path, Perturbation("noise", 1)))
    assert noisy.std() == pytest.approx(0.08 * 255, rel=0.05)
    assert read_picture(perturbed_path(path, Perturbation("brightness", 2))).getpixel((0, 0)) == (
        151,
        151,
        151,
    )


def test_a_perturbation_of_a_perturbation(picture: Path) -> None:
    twice = perturbed_path(perturbed_path(picture, Perturbation("blur", 2)), Perturbation("rotate", 1))
    assert is_file(twice)
    assert file_of(twice) == picture
    assert thumbnail(twice)


def test_pictures_that_are_not_there(tmp_path: Path) -> None:
    path = perturbed_path(tmp_path / "none.jpg", Perturbation("blur", 1))
    assert not is_file(path)
    with pytest.raises(ImageError, match=r"none\.jpg: there is no such file"):
        read_file(path)
    # A folder of somebody's that is called alike is no perturbed picture, and its files are read as they are.
    folder = tmp_path / "perturbed" / "blur1"
    folder.mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    assert read_file(folder / "a.png") == (folder / "a.png").read_bytes()
    with pytest.raises(ImageError, match=r"b\.png: there is no such file"):
        read_file(folder / "b.png")


def test_the_names_of_perturbations() -> None:
    assert all(len(strengths) == len(SEVERITIES) for strengths in STRENGTHS.values())
    assert list(STRENGTHS) == list(KINDS)
    for module in (names, perturbed_pictures):
        assert doctest.testmod(module).failed == 0
    for wrong in ("blurr", "blur:0", "blur:6", "blur:x", "", "3", 5, ["blur"]):
        with pytest.raises(ConfigError, match=r"data\.perturb"):
            perturbation_from(wrong)
    with pytest.raises(ConfigError, match="blur"):
        perturbation_from("blurr")
