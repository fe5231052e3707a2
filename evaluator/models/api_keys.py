"""API keys: from the environment, or from an env file that the user names; never from a configuration.

The configuration holds the variable's name, so that no file of a run contains a key.

    >>> import os
    >>> os.environ["SOME_API_KEY"] = " secret "
    >>> api_key("SOME_API_KEY", "https://example.com/keys")
    'secret'
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from evaluator.core.errors import ConfigError
from evaluator.core.secrets import remember

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
# A name is made of words; a long one without any break, with several digits, is a key in capitals.
KEY_IN_CAPITALS = re.compile(r"(?=(?:[A-Z]*[0-9]){2})[A-Z0-9]{16,}")


def api_key(variable: str | None, page: str, env_file: Path | None = None) -> str:
    """The key; empty where `variable` is None, for a server without keys. The environment wins.

    Raises ConfigError that names the variable and the page where one gets a key.
    """
    if variable is None:
        return ""
    check_variable(variable)
    value = os.environ.get(variable) or (read_env_file(env_file).get(variable) if env_file else "")
    if key := (value or "").strip():
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"{variable} does not hold an API key: a key has neither line breaks nor letters like é"
            )
        remember(key)
        return key
    where = f" nor in {env_file}" if env_file else ""
    raise ConfigError(
        f"there is no API key: {variable} is not set in the environment{where}. Get a key at {page} and type "
        f"export {variable}=..., or name a file that holds the line {variable}=... with model.env_file=FILE"
    )


def check_variable(variable: str) -> None:
    """Raises ConfigError, which does not repeat it, where the name of a variable may be a key."""
    if not VARIABLE.fullmatch(variable) or KEY_IN_CAPITALS.fullmatch(variable):
        raise ConfigError(
            "model.key_variable is the name of an environment variable, in capitals, and never the key "
            "itself. If you typed a key here, it is in the shell's history: replace it with a new one"
        )


def read_env_file(path: Path) -> dict[str, str | None]:
    """The variables of a file of lines NAME=value. Raises ConfigError where there is no such file."""
    from dotenv import dotenv_values

    if not path.is_file():
        raise ConfigError(f"model.env_file: there is no file {path}")
    return dotenv_values(path, interpolate=False)
