"""per_image.parquet: one row per image that was tried, with its outcome, its caption and each metric.

It is made with pyarrow alone, since importing pandas takes longer than all the rest. pandas reads it with the
ids as its index.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluator.core import Caption, Measurement

if TYPE_CHECKING:
    import pyarrow as pa


def per_image_table(
    captions: Mapping[str, Caption], scored_ids: Sequence[str], measurements: Sequence[Measurement]
) -> pa.Table:
    """Rows in the order of the captions; a metric is null where the image was not scored."""
    import pyarrow as pa

    # A lone surrogate is legal in JSON but not in Arrow's UTF-8.
    texts = (caption.text for caption in captions.values())
    valid = [None if text is None else text.encode(errors="replace").decode() for text in texts]
    columns: dict[str, Any] = {
        "id": pa.array(list(captions), pa.string()),
        "outcome": pa.array([str(caption.outcome) for caption in captions.values()], pa.string()),
        "caption": pa.array(valid, pa.string()),
    }
    row_of = {item_id: row for row, item_id in enumerate(captions)}
    rows = [row_of[item_id] for item_id in scored_ids]
    for measurement in measurements:
        scores = np.full(len(captions), np.nan)
        scores[rows] = measurement.per_image
        columns[measurement.name] = pa.array(scores, from_pandas=True)
    return pa.table(columns).replace_schema_metadata({"pandas": json.dumps(pandas_metadata(list(columns)))})


def pandas_metadata(columns: Sequence[str]) -> dict[str, Any]:
    """What tells pandas that `id` is the index (pandas.pydata.org/docs/development/developer.html)."""
    texts = ("id", "outcome", "caption")
    return {
        "index_columns": ["id"],
        "column_indexes": [],
        "columns": [
            {
                "name": name,
                "field_name": name,
                "pandas_type": "unicode" if name in texts else "float64",
                "numpy_type": "object" if name in texts else "float64",
                "metadata": None,
            }
            for name in columns
        ],
    }


def parquet_bytes(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def read_parquet(content: bytes) -> pa.Table:
    """Raises ValueError for a file that is damaged."""
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(content))
