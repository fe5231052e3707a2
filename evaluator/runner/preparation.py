"""What is read for an image before it is captioned, ahead of the model and in the order of the items.

Whatever goes wrong with a picture is that image's outcome, also where it ends the process that prepares it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from evaluator.core import Item
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError
from evaluator.runner.picture_workers import PictureWorkers

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
        return ImageError(f"{item.image}: the picture cannot be prepared for the model: {described(error)}")


def described(error: Exception) -> str:
    """The kind of an error of a library, and what it says."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def prepare_ahead(
    workers: PictureWorkers, items: Iterable[Item], ahead: Callable[[], int]
) -> Iterator[tuple[Item, Any]]:
    """Each item with what `prepare` returned, or the error it raised.

    As many wait in memory as `ahead` says, whose answer may change.
    """
    items, size = iter(items), workers.chunk_size(ahead())
    started = ((chunk, workers.start(chunk)) for chunk in iter(lambda: list(islice(items, size)), []))
    waiting: deque[tuple[list[Item], Callable[[], list[Any]]]] = deque()
    while True:
        waiting.extend(islice(started, max(0, max(1, ahead() // size) - len(waiting))))
        if not waiting:
            return
        chunk, prepared = waiting.popleft()
        yield from zip(chunk, prepared(), strict=True)
