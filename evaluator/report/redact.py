"""Text as it may stand in a page that is passed on: without secrets and without folders of this machine."""

from __future__ import annotations

import re

from evaluator.core.secrets import known_secrets

# After a quote or an equals sign folders may contain spaces; elsewhere a space ends the path. What begins
# within a word, such as "images/s", "runs/demo" or a web address, is not an absolute path.
_FOLDERS = re.compile(
    r"""
    (?: (?<=['"=]) (?:file://)? (?:~\w*/|/|[A-Za-z]:[\\/]) (?:[^/\\'"\n]+[/\\])*
      | (?<![\w/:.…'"=~-]) (?:file://)? (?:~\w*/|/|[A-Za-z]:[\\/]) (?:[^\s/\\'":,;()]+[/\\])*
    ) (?=[^\s/\\])""",
    re.VERBOSE,
)


def redacted(text: str) -> str:
    """The text without secrets, which run folders of earlier versions may hold, and without folders."""
    return redact_paths(known_secrets().scrubbed(text))


def redact_paths(text: str) -> str:
    """The text without the folders of its absolute paths.

    >>> redact_paths("/home/ada/pictures/7.jpg: the file is empty")
    '…/7.jpg: the file is empty'
    >>> redact_paths("data.images='/home/ada/my pictures' at 24 images/s, https://a.org/b/c")
    "data.images='…/my pictures' at 24 images/s, https://a.org/b/c"
    """
    return _FOLDERS.sub("…/", text)
