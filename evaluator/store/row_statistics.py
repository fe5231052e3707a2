"""statistics.npz: each metric's sufficient statistics, the ids of their rows, and the scoring they are of.

A file may say anything of what is in it. So no array is larger than the bytes that are there, and objects,
which NumPy would unpickle, are refused.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluator.core import Array, Measurement

IDS = "ids"
SCORING = "scoring"  # a text of version 0.1.0 is not there


def statistics_bytes(ids: Sequence[str], measurements: Sequence[Measurement], scoring: str) -> bytes:
    """The file. Row i of each metric belongs to ids[i]."""
    arrays: dict[str, Any] = {one.name: one.statistics for one in measurements}
    arrays |= {IDS: np.array(list(ids), dtype=np.str_), SCORING: np.array(scoring)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def read_statistics(content: bytes, metrics: Sequence[str], limit: int) -> Mapping[str, Any]:
    """The ids as a list, the scoring as a text, and each of these metrics as rows (N, K).

    Raises anything but StoreError for a file that is damaged or lies, ValueError where it is too large.
    """
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = {name: info for name, info in members.items() if name in {IDS, SCORING, *metrics}}
        if sum(info.file_size for info in wanted.values()) > limit:
            raise ValueError(f"its arrays have more than the {limit / 1e6:,.0f} MB that are read")
        for name, info in wanted.items():
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{name[:100]} is packed in a way that NumPy does not use")
            with archive.open(info) as member:
                arrays[name] = array_of(member.read(limit))
    ids = [str(item_id) for item_id in arrays[IDS]]
    if len(set(ids)) != len(ids):
        raise ValueError("an image has two rows")
    return {
        **{name: rows_of(arrays[name], name, len(ids)) for name in metrics},
        IDS: ids,
        SCORING: str(arrays.get(SCORING, "")),
    }


def array_of(content: bytes) -> Any:
    """The array in a file of NumPy's format (numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

    Raises ValueError where the file does not hold exactly the numbers or texts that it announces.
    """
    file = io.BytesIO(content)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    shape, by_column, dtype = read_header(file)
    if dtype.kind not in "fU" or dtype.hasobject or len(shape) > 2:
        raise ValueError(f"an array of {dtype} in {len(shape)} dimensions")
    if dtype.itemsize * math.prod(shape) != len(content) - file.tell() or min(shape, default=0) < 0:
        raise ValueError("an array does not have the size that it announces")
    if dtype.itemsize == 0:  # texts that are all empty
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order="F" if by_column else "C")


def rows_of(array: Any, name: str, images: int) -> Array:
    """The rows of a metric, (images, K)."""
    if array.dtype.kind != "f" or array.ndim != 2 or len(array) != images or not array.shape[1]:
        raise ValueError(f"{name[:100]} does not have a row of numbers for each of {images:,} images")
    rows: Array = array.astype(np.float64)
    if not np.isfinite(rows).all() or np.abs(rows).max(initial=0.0) > 1e15:
        raise ValueError(f"{name[:100]} holds numbers out of bounds")
    return rows
