from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evaluator.scorers.clip.features import centre


# The numbers are those of torchvision's Resize(224, bicubic) and CenterCrop(224): the longer side is
# int(224 * long / short), the margin int(round((length - 224) / 2)).
@pytest.mark.parametrize(
    ("size", "resized", "left", "top"),
    [
        ((640, 480), (298, 224), 37, 0),
        ((480, 640), (224, 298), 0, 37),
        ((640, 427), (335, 224), 56, 0),  # a margin of 111: 55.5 goes to the even 56
        ((640, 425), (337, 224), 56, 0),  # a margin of 113: 56.5 goes to the even 56
        ((100, 100), (224, 224), 0, 0),
    ],
)
def test_the_middle_of_a_picture_is_torchvisions(
    size: tuple[int, int], resized: tuple[int, int], left: int, top: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    whole = np.asarray(picture.resize(resized, Image.Resampling.BICUBIC))
    middle = np.asarray(centre(picture, 224, (224, 224), Image.Resampling.BICUBIC))
    assert np.array_equal(middle, whole[top : top + 224, left : left + 224])
