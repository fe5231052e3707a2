"""What to type to install an optional part of this program.

>>> install_line("openai").startswith("pip install ")
True
"""

from __future__ import annotations

import re
from importlib import metadata

DISTRIBUTION = "evaluator"


def install_line(extra: str) -> str:
    """The command that installs what an extra names, in a checkout and wherever this program is installed.

    It names the packages themselves: the program may have been installed from a folder, a file or an address,
    and its own name may be somebody else's at a package registry.
    """
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return f"pip install '.[{extra}]'"
    packages = [
        requirement.partition(";")[0].strip()
        for requirement in requirements
        if re.search(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""", requirement)
    ]
    return "pip install " + " ".join(f"'{package}'" for package in packages)
