"""What Hydra composes, in two layers: the YAML files that are chosen, and the options that are typed.

Hydra takes some 0.15 s to compose the files. A process does this once for each choice of files, as long as
no file changes, and sets the options in a copy, as Hydra does.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

MOST_ENTRIES = 2000  # of a folder whose files are looked at before each composition


def composed(overrides: Sequence[str], folders: Sequence[Path]) -> DictConfig:
    """The node that `hydra.compose` gives for config.yaml in the first of the folders.

    A second folder holds choices of the user's own. Raises what Hydra and OmegaConf raise.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.utils import setup_globals

    typed = OverridesParser.create().parse_overrides(list(overrides))
    options = [override for override in typed if _sets_an_option(override, folders)]
    chosen = tuple(str(override.input_line) for override in typed if override not in options)
    setup_globals()  # the resolvers that a composition of files would register
    node: DictConfig = pickle.loads(_files(chosen, tuple(folders), tuple(map(_state, folders))))
    ConfigLoaderImpl._apply_overrides_to_config(options, node)
    # What ${hydra:...} may refer to, and depends on more than the files.
    task = [override for override in typed if not override.is_hydra_override()]
    node.hydra.overrides.task = [override.input_line for override in task]
    node.hydra.job.override_dirname = get_overrides_dirname(task, **node.hydra.job.config.override_dirname)
    node.hydra.runtime.cwd = os.getcwd()
    return node


def _sets_an_option(override: Override, folders: Sequence[Path]) -> bool:
    """Whether it leaves the choice of files as it is. Hydra itself refuses values that are swept over."""
    if override.is_hydra_override() or override.is_sweep_override():
        return False
    is_group = any((folder / override.key_or_group).is_dir() for folder in folders)
    return not is_group or isinstance(override.value(), dict)


@lru_cache(maxsize=64)
def _files(chosen: Sequence[str], folders: Sequence[Path], states: Sequence[object]) -> bytes:
    """The node of the chosen files, pickled: that is copied six times as fast as the node itself."""
    import hydra

    with hydra.initialize_config_dir(str(folders[0]), version_base="1.3"):
        return pickle.dumps(hydra.compose("config", list(chosen), return_hydra_config=True))


def _state(folder: Path) -> object:
    """What differs once anything in the folder does; new each time where the folder is too large to tell."""
    entries = tuple(islice(_entries(folder), MOST_ENTRIES + 1))
    return entries if len(entries) <= MOST_ENTRIES else object()


def _entries(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """The path and the state of everything below a folder, in the order in which the system lists it."""
    with suppress(OSError), os.scandir(folder) as listed:
        for entry in listed:
            with suppress(OSError):  # a link that leads nowhere
                status = entry.stat()
                yield entry.path, status.st_ino, status.st_mtime_ns, status.st_size
            if entry.is_dir():
                yield from _entries(Path(entry.path))
