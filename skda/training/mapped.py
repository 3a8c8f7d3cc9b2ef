"""Rows of a memory-mapped array, which stay in their file."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skda.training.data import Samples

__all__ = ["MappedSamples", "stays_in_its_file"]

#: Bytes of a memory-mapped array from which on its rows stay in the file: what is
#: smaller is faster in memory.
MOST_BYTES = 2**28
#: Bytes to read before the allocator gives back what it keeps of them.
MOST_KEPT = 2**25


def stays_in_its_file(X: Any) -> bool:
    """Say whether samples are rows of a memory-mapped array that is large.

    Parameters
    ----------
    X : object
        Samples.

    Returns
    -------
    bool
        Whether they are better read when somebody asks for them.
    """
    return (
        hasattr(os, "preadv")  # which Windows lacks
        and isinstance(X, np.memmap)
        and isinstance(X.base, mmap.mmap)  # not a part of an array
        and X.mode != "c"  # whose changes are not in the file
        and X.ndim == 2
        and X.flags.c_contiguous
        and X.dtype.kind == "f"
        and X.nbytes > MOST_BYTES
    )


class MappedSamples(Samples):
    """Rows of a memory-mapped array, read when somebody asks for them.

    Parameters
    ----------
    array : np.memmap of shape (n, p)
        The array.
    name : str
        What an error calls it.
    rows : ndarray of shape (m,), default=None
        Which rows; None is all of them.
    """

    def __init__(
        self, array: np.memmap, name: str, rows: NDArray[np.int64] | None = None
    ) -> None:
        super().__init__(array, rows=rows)
        self.name = name

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and features."""
        return (len(self), self.dataset.shape[1])

    def __getitem__(self, rows: Any) -> MappedSamples:
        """Take some of the rows, by a slice or a mask."""
        return MappedSamples(self.dataset, self.name, self.rows[rows])

    def batches(
        self,
        steps: Sequence[Tensor],
        device: torch.device,
        *,
        training: bool,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """Read the rows of one step after the other.

        Parameters
        ----------
        steps : sequence of Tensor of shape (m,)
            Which rows each step takes.
        device : torch.device
            Where to.
        training : bool
            Ignored, as is the generator: nothing is drawn.
        generator : torch.Generator, default=None
            Ignored.

        Yields
        ------
        Tensor of shape (m, p)
            The rows of a step.

        Raises
        ------
        ValueError
            If a row is not finite.
        OSError
            If the file has become shorter.
        """
        n_kept = 0
        with Path(self.dataset.filename).open("rb", buffering=0) as file:
            for step in steps:
                rows = self._read(file.fileno(), self.rows[step.cpu().numpy()])
                batch = torch.from_numpy(rows.astype(np.float32, copy=False))
                if not batch.sum(dtype=torch.float64).isfinite():
                    raise ValueError(
                        f"Input {self.name} contains NaN, infinity or a value too "
                        f"large for float32: replace it in the file."
                    )
                n_kept += rows.nbytes
                if n_kept > MOST_KEPT:
                    _trim_heap()
                    n_kept = 0
                yield batch.to(device)

    def _read(self, file: int, places: NDArray[np.int64]) -> NDArray[Any]:
        """Read rows from the file, and not from memory, where their pages would stay.

        Rows that follow each other are read at once.
        """
        rows = np.empty((len(places), self.shape[1]), self.dataset.dtype)
        width = rows.itemsize * rows.shape[1]
        starts = np.flatnonzero(np.diff(places, prepend=-2) != 1)
        for start, stop in pairwise([*starts.tolist(), len(places)]):
            offset = self.dataset.offset + int(places[start]) * width
            part = rows[start:stop].data.cast("B")
            if os.preadv(file, [part], offset) != len(part):
                raise OSError(
                    f"Expected {self.dataset.filename} to have "
                    f"{len(self.dataset)} rows, got a file that ends before."
                )
        return rows


def _trim_heap() -> None:
    """Give back what the allocator keeps of batches that are gone.

    That is much, as small arrays that stay have been allocated between them.
    """
    trim = getattr(ctypes.pythonapi, "malloc_trim", None)  # of the GNU C library
    if trim is not None:
        trim(0)
