r"""What must not be in a configuration, since a run's files hold it: secrets, and what reads the environment.

>>> refuse_secrets(["model=gemini", "model.base_url=https://ada:password@example.com"])
Traceback (most recent call last):
evaluator.core.errors.ConfigError: model.base_url: a user or password in an address. A run's files hold ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from evaluator.core.errors import ConfigError
from evaluator.core.secrets import known_secrets, remember

# What an interpolation may call: nothing that reads the environment or a file.
RESOLVERS = frozenset(
    {
        *("package", "hydra", "now", "python_version"),
        *("oc.select", "oc.decode", "oc.create", "oc.deprecated", "oc.dict.keys", "oc.dict.values"),
    }
)
# `${name:`, not escaped, where the name is not itself made by an interpolation.
CALL = re.compile(r"(?<!\\)(?:\\\\)*\$\{\s*((?:[^{}:$]|\$\{[^{}]*\})*?)\s*:")
ADVICE = (
    "A run's files hold every option as it was typed, so a key belongs into an environment variable, which "
    "model.key_variable names. What was typed is in the shell's history: replace that key with a new one"
)


def refuse_secrets(typed: Sequence[str]) -> None:
    """Raises ConfigError, which does not repeat it, for a secret in what was typed."""
    secrets = known_secrets()
    for argument in typed:
        if kind := secrets.kind_of_secret(argument):
            option = argument.partition("=")[0]
            where = f"{option}: " if option != argument and not secrets.kind_of_secret(option) else ""
            raise ConfigError(f"{where}{kind}. {ADVICE}")


def refuse_secrets_in(document: Any, model: Any) -> None:
    """The same for a document that a run's files will hold; the key of this model is known, too."""
    # A missing key is reported when it is needed. A captioner of one's own may mean another thing by it.
    with suppress(ConfigError, TypeError):
        if callable(read_key := getattr(model, "key", None)) and isinstance(key := read_key(), str):
            remember(key)
    if found := known_secrets().found_in(document):
        raise ConfigError(f"{found}. {ADVICE}")


def refuse_resolvers(document: Any) -> None:
    """Raises ConfigError for an interpolation that could read a secret into an option."""
    for text in texts_of(document):
        for name in CALL.findall(text):
            if name not in RESOLVERS:
                raise ConfigError(
                    f"${{{name[:40]}:...}} is not resolved in a configuration, since a run's files would "
                    'hold what it stands for. Type the value itself, which the shell can insert: "$VARIABLE"'
                )


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from texts_of(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_of(each)
    elif isinstance(value, str):
        yield value
