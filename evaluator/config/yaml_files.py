"""YAML files of one's own: whatever is wrong with one is a ConfigError that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluator.core.errors import ConfigError, EvaluatorError
from evaluator.core.secrets import known_secrets


@contextmanager
def reading_yaml(path: Path) -> Iterator[None]:
    """The block reads this file, or files of this folder. Raises ConfigError for anything that it raises."""
    try:
        yield
    except EvaluatorError:
        raise
    # The readers of YAML raise errors of their own, and OSError, AttributeError or RecursionError.
    except Exception as error:
        reason = known_secrets().scrubbed(" ".join(str(error).split()))[:300]
        raise ConfigError(
            f"{path}: cannot be read ({type(error).__name__}: {reason}). See conf/ for examples"
        ) from error
