"""One small tree of exceptions.

    EvaluatorError                 everything of ours
    ├── ConfigError                an option or command is wrong: says which and what to type
    ├── DataError                  a data set, references or captions file is wrong: says where
    ├── ImageError                 a picture cannot be read: becomes the image's outcome
    ├── ModelError                 a checkpoint or provider cannot be used at all: stops the run
    ├── CaptionError               one image got no caption: carries its outcome
    ├── RetryableError             a request failed and may succeed later: carries the wait
    ├── OutOfMemory                a batch was too large: the runner halves it
    ├── StoreError                 a run folder cannot be read or written
    ├── MissingPackage             an optional package is not installed: says the install line
    └── MetricError                a metric cannot be computed here: says why and what to type

The command line prints the message of any of these and exits with 2, without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluator.core.install import install_line
from evaluator.core.values import Outcome, Reply


class EvaluatorError(Exception):
    """Base of all errors that carry a message for the user."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets the same error: Exception would call the class with the message alone."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[EvaluatorError], arguments: tuple[Any, ...], state: dict[str, Any]
) -> EvaluatorError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class ConfigError(EvaluatorError):
    """An option or command is wrong."""


class DataError(EvaluatorError):
    """A data set, references or captions file is wrong."""


class ImageError(EvaluatorError):
    """A picture cannot be read."""


class ModelError(EvaluatorError):
    """A checkpoint or provider cannot be used at all."""


class CaptionError(EvaluatorError):
    """One image got no caption; `outcome` says in which way, `reply` what came back if anything.

    `may_be_billed` is false where the provider certainly takes no money, as for a request that it rejects.
    """

    def __init__(
        self, outcome: Outcome, message: str, reply: Reply | None = None, may_be_billed: bool = True
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.reply = reply
        self.may_be_billed = may_be_billed


class RetryableError(EvaluatorError):
    """A request failed and may succeed later: a rate limit, an overload, a broken connection.

    `kind` labels the failure in statistics; `NOT_CONNECTED` means that no server was reached.
    `retry_after_seconds` is the wait that the provider asked for. `affects_all_requests` is true for limits
    of the whole account. `reply` is what an answer that cannot be used was billed for. `most_attempts` is how
    often the image is asked about at most, where another attempt costs as much as this one.
    """

    NOT_CONNECTED = "no connection"

    def __init__(
        self,
        message: str,
        kind: str,
        retry_after_seconds: float | None = None,
        affects_all_requests: bool = False,
        reply: Reply | None = None,
        most_attempts: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds
        self.affects_all_requests = affects_all_requests
        self.reply = reply
        self.most_attempts = most_attempts

    @property
    def may_be_billed(self) -> bool:
        """Whether the provider may have taken money: not for a request that it refused or never got."""
        return not self.affects_all_requests and self.kind != self.NOT_CONNECTED


class OutOfMemory(EvaluatorError):
    """A batch did not fit into memory."""


class StoreError(EvaluatorError):
    """A run folder cannot be read or written."""


class MissingPackage(EvaluatorError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed. Type: {install_line(extra)}")


class MetricError(EvaluatorError):
    """A metric cannot be computed here; the message says why and what to type."""


def together(problems: Sequence[tuple[str, EvaluatorError]]) -> EvaluatorError:
    """One error for all problems, each named once with what has it; a single problem is its own error.

    >>> no_key, no_file = ConfigError("no key"), DataError("no file")
    >>> print(together([("git", no_file), ("gpt", no_key), ("gpt", no_file)]))
    2 problems:
      git, gpt: no file
      gpt: no key
    """
    whose: dict[str, list[str]] = {}
    for name, error in problems:
        whose.setdefault(str(error), []).append(name)
    if len(whose) == 1:
        return problems[0][1]
    lines = (f"  {', '.join(dict.fromkeys(names))}: {message}" for message, names in whose.items())
    return ConfigError("\n".join([f"{len(whose)} problems:", *lines]))
