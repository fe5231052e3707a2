"""Collections that are one table: a row per rating, in any form that captions files may have, or Parquet.

    file_name,refs,cand,human_score              Polaris, Nebula, LongCap-Arena, Composite
    a.jpg,"['a dog runs', 'a puppy']",a dog,0.75
    image,caption,rating,rater                   a table of one's own
    a.jpg,a dog,4,anna

Rows with the same image and caption are ratings of one caption by several people. A column `references`
holds a list, as JSON or Python write it; a column `system` names who wrote the caption.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from evaluator.agreement.collections.files import all_in_folder
from evaluator.agreement.judgements import Collection, Judged, StatisticName
from evaluator.agreement.published import published
from evaluator.captions_files.container import read_content
from evaluator.captions_files.rows import rows_of
from evaluator.core.errors import DataError

# The names that these tables use, in the order in which they are looked for.
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("imgid", "file_name", "image_id", "image", "image_path", "img"),
        "caption": ("cand", "mt", "caption"),
        "references": ("refs", "references"),
        "rating": ("human_score", "rating", "score"),
        "system": ("system", "model"),
    }
)
REQUIRED = ("image", "caption", "rating")

# LongCap-Arena's files, one per set of images and question.
LONGCAP_FILES: Mapping[str, str] = MappingProxyType(
    {
        f"{question}_dci_{split}": f"longcap-arena-test{letter}-{question}"
        for split, letter in (("val", "a"), ("test", "b"))
        for question in ("desc", "rel", "flu")
    }
)


def composite(path: Path) -> Collection:
    """Composite (Aditya et al. 2018, https://doi.org/10.1016/j.cviu.2017.12.004): correctness from 1 to 5.

    In the form that later work shares, with one row per rated caption: en_test_composite_da2.csv.
    """
    return collection("composite", path, ("*composite*.csv", "*.parquet"))


def polaris(path: Path) -> Collection:
    """Polaris (Wada et al. 2024, https://arxiv.org/abs/2402.18091): polaris_test.csv or Parquet."""
    return collection("polaris", path, ("*test*.csv", "*test*.parquet"))


def nebula(path: Path) -> Collection:
    """Nebula (Matsuda et al. 2024, https://arxiv.org/abs/2409.19255): nebula_test.csv or Parquet."""
    return collection("nebula", path, ("*test*.csv", "*test*.parquet"))


def longcap_arena(path: Path) -> Collection:
    """LongCap-Arena (Matsuda et al. 2025, https://arxiv.org/abs/2509.25818): one of its six files."""
    if path.is_dir():
        raise DataError(f"{path}: type the file of one question, such as {path / 'desc_dci_val.csv'}")
    return collection(LONGCAP_FILES.get(path.stem, f"longcap-arena-{path.stem}"), path)


def table(path: Path) -> Collection:
    """A table of one's own: image, caption and rating, and rater, references and system where they exist."""
    return collection(path.stem, path, ("*.csv", "*.tsv", "*.jsonl", "*.parquet"))


def collection(name: str, path: Path, patterns: Sequence[str] = ()) -> Collection:
    """The collection in this file, or in the files of this folder that match the first pattern that does."""
    files = all_in_folder(path, patterns) if path.is_dir() else [path]
    judged = [one for file in files for one in judged_captions(read_table(file), file)]
    statistics: tuple[StatisticName, ...] = ("kendall_tau_c", "kendall_tau_b", "spearman")
    if len({one.system for one in judged}) > 2:
        statistics += ("pairwise_accuracy", "system_pearson")
    return Collection(
        name=name,
        judged=tuple(judged),
        statistics=statistics,
        protocol="every rating is an observation",
        recipe="ratings:each",
        published=published(name),
    )


def read_table(path: Path) -> Sequence[Mapping[str, Any]]:
    """The rows of one file, its pictures left out. Raises DataError for a file that is no table."""
    if path.suffix.lower() == ".parquet" and path.is_file():
        return _read_parquet(path)
    return rows_of(read_content(path)).entries


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    """The named columns alone: the pictures of such a file may be larger than the memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: cannot be read as a table: {error}") from error
    wanted = {name for names in COLUMNS.values() for name in names}
    columns = [
        field.name
        for field in file.schema_arrow
        if field.name in wanted and not str(field.type).startswith(("struct", "binary"))
    ]
    rows: list[dict[str, Any]] = file.read(columns=columns).to_pylist()
    return rows


def judged_captions(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Judged]:
    """The judged captions of the rows. Raises DataError that names the row."""
    if not rows:
        raise DataError(f"{path}: the table holds no rows")
    columns = {
        meaning: next((name for name in names if name in rows[0]), None) for meaning, names in COLUMNS.items()
    }
    # A table with the pictures in it may have no other name for them; then the references tell images apart.
    columns["image"] = columns["image"] or columns["references"]
    if missing := next((meaning for meaning in REQUIRED if columns[meaning] is None), None):
        raise DataError(
            f"{path}: there is no column for the {missing} ({' or '.join(COLUMNS[missing])}): "
            f"found {', '.join(map(repr, rows[0]))}"
        )
    ratings: dict[tuple[str, str, str], list[float]] = {}
    references: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for number, row in enumerate(rows, 1):
        values = {meaning: row.get(name) for meaning, name in columns.items() if name}
        key = (str(values["image"]), str(values["caption"]), str(values.get("system") or ""))
        ratings.setdefault(key, []).append(_rating(values["rating"], f"{path}: row {number}"))
        if key not in references:
            references[key] = _references(values.get("references"), f"{path}: row {number}")
    return [
        Judged(image, caption, references[image, caption, system], tuple(given), system=system)
        for (image, caption, system), given in ratings.items()
    ]


def _rating(value: object, where: str) -> float:
    try:
        rating = float(str(value))
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise DataError(f"{where}: expected a rating, found {value!r}")
    return rating


def _references(value: object, where: str) -> tuple[str, ...]:
    """A list of texts, as itself or as JSON or Python write it; a text that is no list is one reference."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (str(value),)
    if isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise DataError(f"{where}: expected a list of references, found {str(value)[:60]}")
