"""Paths as they may stand in a page that is passed on: without the folders of the machine it was made on."""

from __future__ import annotations

import re

# Behind a quote or an equals sign folders may hold spaces; elsewhere a space ends the path. What begins
# within a word, such as "images/s", "runs/demo" or a web address, is no absolute path.
_FOLDERS = re.compile(
    r"""
    (?: (?<=['"=]) (?:file://)? (?:~\w*/|/|[A-Za-z]:[\\/]) (?:[^/\\'"\n]+[/\\])*
      | (?<![\w/:.…'"=~-]) (?:file://)? (?:~\w*/|/|[A-Za-z]:[\\/]) (?:[^\s/\\'":,;()]+[/\\])*
    ) (?=[^\s/\\])""",
    re.VERBOSE,
)


def without_folders(text: str) -> str:
    """The text with the folders of each absolute path left out.

    >>> without_folders("/home/ada/pictures/7.jpg: the file is empty")
    '…/7.jpg: the file is empty'
    >>> without_folders("data.images='/home/ada/my pictures' at 24 images/s, https://a.org/b/c")
    "data.images='…/my pictures' at 24 images/s, https://a.org/b/c"
    """
    return _FOLDERS.sub("…/", text)
