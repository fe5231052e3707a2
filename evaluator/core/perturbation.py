"""How the pictures of a data set are made harder: the option `data.perturb`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

from evaluator.core.errors import ConfigError
from evaluator.core.spelling import did_you_mean

Kind = Literal["rotate", "scale", "crop", "blur", "jpeg", "noise", "brightness"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES = range(1, 6)
DEFAULT_SEVERITY = 3


class Perturbation(NamedTuple):
    """One way of making pictures harder, from 1 (hardly visible) to 5."""

    kind: Kind
    severity: int

    def __str__(self) -> str:
        return f"{self.kind}{self.severity}"


def perturbation_from(text: object) -> Perturbation | None:
    """From `blur`, `blur:5` or `blur5`; None for `none` and null. Raises ConfigError.

    >>> perturbation_from("blur:5"), perturbation_from("noise"), perturbation_from("none")
    (Perturbation(kind='blur', severity=5), Perturbation(kind='noise', severity=3), None)
    """
    if text in (None, "none"):
        return None
    match = re.fullmatch(r"([a-z]+)(?::?(\d+))?", str(text))
    kind = next((each for each in KINDS if match and each == match[1]), None)
    severity = int(match[2] or DEFAULT_SEVERITY) if match else 0
    if kind is None or severity not in SEVERITIES:
        meant = did_you_mean(match[1], KINDS) if match and kind is None else ""
        raise ConfigError(
            f"data.perturb: {text!r} is no perturbation.{meant} Type none, or one of {', '.join(KINDS)}, "
            "with a severity from 1 to 5, such as blur:3"
        )
    return Perturbation(kind, severity)


def without_perturbation(choice: str) -> str:
    """The data set of a choice such as `demo+blur3`.

    >>> without_perturbation("demo+blur3"), without_perturbation("my+data")
    ('demo', 'my+data')
    """
    name, _, last = choice.rpartition("+")
    is_one = re.fullmatch(rf"(?:{'|'.join(KINDS)})[1-5]", last) is not None
    return name if is_one else choice
