"""What a score was computed with, in one line that lets somebody else compute it again.

The idea is sacrebleu's (Post 2018, https://aclanthology.org/W18-6319): the options that change a number stand
next to the number.

    >>> signature = Signature("CIDEr|variant:D|refs:5-6|idf:corpus|images:4982|v:0.1.0")
    >>> signature.metric, signature.options["idf"]
    ('CIDEr', 'corpus')
    >>> signature.recipe
    'CIDEr|variant:D|idf:corpus|v:0.1.0'
    >>> signature.over(10).options["images"]
    '10'
"""

from __future__ import annotations

from collections.abc import Mapping

# What a normalization found in the captions of this run and removed.
REMOVED = "removed"
# These depend on which images got a caption, and on the captions, not on how the score was computed.
OF_THE_IMAGES = ("refs", "images", REMOVED)


class Signature(str):
    """A line `METRIC|option:value|...`. It is its own text, so that it is written and compared as one."""

    __slots__ = ()

    @classmethod
    def of(cls, metric: str, options: Mapping[str, str | int | float]) -> Signature:
        """The signature with these options, in their order."""
        return cls("|".join([metric, *(f"{name}:{_plain(value)}" for name, value in options.items())]))

    @property
    def metric(self) -> str:
        return self.partition("|")[0]

    @property
    def options(self) -> dict[str, str]:
        """Each option's value by its name."""
        pairs = (part.partition(":") for part in self.split("|")[1:])
        return {name: value for name, _, value in pairs}

    @property
    def recipe(self) -> Signature:
        """Without what depends on the captions that are there: equal recipes give comparable scores."""
        parts = (part for part in self.split("|") if part.partition(":")[0] not in OF_THE_IMAGES)
        return Signature("|".join(parts))

    def over(self, images: int) -> Signature:
        """The same recipe over so many images."""
        parts = (f"images:{images}" if part.startswith("images:") else part for part in self.split("|"))
        return Signature("|".join(parts))

    def marked(self, name: str, value: str) -> Signature:
        """With one more option at its end; an option of that name which is there already stays."""
        return Signature(f"{self}|{name}:{_plain(value)}")


def _plain(value: str | int | float) -> str:
    """A value that cannot be mistaken for two parts; 6.0 is written as 6."""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("|", "/")
