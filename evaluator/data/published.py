"""Published data sets and where their owners offer them: published.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

PUBLISHED = Path(__file__).parent / "published.yaml"


@dataclass(frozen=True)
class PublishedFile:
    """One file that is downloaded; an archive is unpacked and then deleted."""

    address: str
    bytes: int  # about, where no sha256 is known
    digest: str | None = None  # "sha256:..." or "md5:..."
    results: tuple[str, ...] = ()  # files and folders of the archive; none: the file is no archive
    unpacked_bytes: int = 0
    is_pictures: bool = False

    @property
    def name(self) -> str:
        return urlsplit(self.address).path.rpartition("/")[2]

    @property
    def places(self) -> tuple[str, ...]:
        """What is in the target when the file has been fetched."""
        return self.results or (self.name,)


@dataclass(frozen=True)
class PublishedDataset:
    """A data set to fetch; all paths are within its folder."""

    name: str
    about: str
    folder: str  # data sets that share files share a folder
    files: tuple[PublishedFile, ...]
    data: str  # the choice of the group `data` that reads it
    annotations: str
    images: str  # the folder of the pictures
    instances: str | None = None
    picture_bytes: int = 0  # of pictures that are files of their own, at addresses in the annotations


@cache
def published_datasets() -> tuple[PublishedDataset, ...]:
    """The data sets of published.yaml."""
    import yaml

    return tuple(
        PublishedDataset(name, **{**entry, "files": tuple(_file(**file) for file in entry["files"])})
        for name, entry in yaml.safe_load(PUBLISHED.read_text(encoding="utf-8")).items()
    )


def _file(results: tuple[str, ...] = (), **others: object) -> PublishedFile:
    return PublishedFile(results=tuple(results), **others)  # type: ignore[arg-type]
