"""What is read for an image before it is captioned: whatever goes wrong there is that image's outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from evaluator.core import Item
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError

Prepared = TypeVar("Prepared")

logger = logging.getLogger(__name__)


def prepared_or_error(
    prepare: Callable[[Item], Prepared], item: Item
) -> Prepared | ImageError | CaptionError:
    """What `prepare` makes of the item, or the error that becomes the image's outcome.

    Libraries raise anything over a picture that nobody has tried before, from MemoryError to OverflowError:
    none of it may end the run. Errors of this program that are not about one image are raised.
    """
    try:
        return prepare(item)
    except (ImageError, CaptionError) as error:
        return error
    except EvaluatorError:
        raise
    except Exception as error:
        logger.debug("%s", item.image, exc_info=True)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return ImageError(f"{item.image}: the picture cannot be prepared for the model: {reason}")
