"""per_image.parquet: one row per image that was tried, with its outcome, its caption and each metric.

It is for other programs: this one computes the table from the captions and the statistics. It is made from
buffers, since `pyarrow.array` imports pandas, which takes longer than all the rest. pandas reads it with the
ids as its index.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evaluator.core import Array, Caption, Measurement

if TYPE_CHECKING:
    import pyarrow as pa


def per_image_table(
    captions: Mapping[str, Caption], scored_ids: Sequence[str], measurements: Sequence[Measurement]
) -> pa.Table:
    """Rows in the order of the captions; a metric is null where the image was not scored."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        "id": text_column(list(captions)),
        "outcome": text_column([str(caption.outcome) for caption in captions.values()]),
        "caption": text_column([caption.text for caption in captions.values()]),
    }
    row_of = {item_id: row for row, item_id in enumerate(captions)}
    rows = [row_of[item_id] for item_id in scored_ids]
    for measurement in measurements:
        scores = np.full(len(captions), np.nan)
        scores[rows] = measurement.per_image
        columns[measurement.name] = number_column(scores)
    return pa.table(columns).replace_schema_metadata({"pandas": json.dumps(pandas_metadata(list(columns)))})


def text_column(texts: Sequence[str | None]) -> pa.Array:
    """A lone surrogate, which is legal in JSON but not in Arrow's UTF-8, becomes a question mark."""
    import pyarrow as pa

    encoded = [b"" if text is None else text.encode(errors="replace") for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    present = validity(np.array([text is not None for text in texts], dtype=bool))
    buffers = [present, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


def number_column(numbers: Array) -> pa.Array:
    """NaN is null."""
    import pyarrow as pa

    buffers = [validity(~np.isnan(numbers)), pa.py_buffer(numbers)]
    return pa.Array.from_buffers(pa.float64(), len(numbers), buffers)


def validity(present: npt.NDArray[np.bool_]) -> pa.Buffer:
    """One bit per row, the first row in the lowest bit (arrow.apache.org/docs/format/Columnar.html)."""
    import pyarrow as pa

    return pa.py_buffer(np.packbits(present, bitorder="little"))


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
