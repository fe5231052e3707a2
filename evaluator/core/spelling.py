"""What somebody may have meant by a name that does not exist.

>>> did_you_mean("cidr", ["bleu", "cider", "rouge"])
" Did you mean 'cider'?"
>>> did_you_mean("imges", ["data.images", "data.split"]), did_you_mean("xyz", ["bleu"])
(" Did you mean 'data.images'?", '')
"""

from __future__ import annotations

from collections.abc import Iterable

LEAST_SIMILAR = 0.6  # 1 for the same name; two letters that changed places are one change


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question, with a blank before it; empty where none is near.

    Case does not matter, and a name may lack the part before its last point.
    """
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extractOne

    by_key = {key: each for each in known for key in (each.rpartition(".")[2].lower(), each.lower())}
    nearest = extractOne(
        name.lower(), list(by_key), scorer=OSA.normalized_similarity, score_cutoff=LEAST_SIMILAR
    )
    return f" Did you mean {by_key[nearest[0]]!r}?" if nearest else ""
