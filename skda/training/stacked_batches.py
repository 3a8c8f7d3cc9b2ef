"""Batches of many networks, stacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from skda.training.data import Batch, BatchLoader

__all__ = ["StackedBatches"]


class StackedBatches:
    """Stacked batches; what is the same for all networks is there once.

    Parameters
    ----------
    loaders : list of BatchLoader
        What draws the batches of each network.

    Attributes
    ----------
    in_dims : Batch
        Along which axis every field is stacked; None if it is there once.
    """

    def __init__(self, loaders: list[BatchLoader]) -> None:
        self.loaders = loaders
        self.wholes = [
            loaders[0].takes_whole(name) or not len(getattr(loaders[0].whole, name)[0])
            for name in Batch._fields
        ]
        self.parts: list[Any] = []
        self.offsets: list[Any] = []
        dims: list[Any] = []
        for name, whole in zip(Batch._fields, self.wholes, strict=True):
            parts = [getattr(loader.whole, name) for loader in loaders]
            kind = type(parts[0])
            fields = list(zip(*parts, strict=True))
            if whole:
                pairs = [_share_or_stack(tensors) for tensors in fields]
                self.parts.append(kind(*(tensor for tensor, _ in pairs)))
                dims.append(kind(*(dim for _, dim in pairs)))
                self.offsets.append(0)
            else:
                shared = all(_are_equal(tensors) for tensors in fields)
                few = [tensors[:1] if shared else tensors for tensors in fields]
                self.parts.append(kind(*map(torch.cat, few)))
                dims.append(kind(*(0 for _ in fields)))
                counts = [0 if shared else len(part[0]) for part in parts]
                starts = torch.tensor([0, *counts[:-1]]).cumsum(dim=0)
                self.offsets.append(starts[:, None].to(loaders[0].device))
        self.in_dims = Batch(*dims)

    def __len__(self) -> int:
        """Count the steps in an epoch."""
        return len(self.loaders[0])

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch, each as its own loader draws them."""
        for draws in zip(*(loader.draws() for loader in self.loaders), strict=True):
            parts = list(self.parts)
            for k, part in enumerate(parts):
                if not self.wholes[k]:
                    rows = torch.stack([draw[k] for draw in draws])
                    parts[k] = _take(part, rows + self.offsets[k])
            yield Batch(*parts)

    def of(self, batch: Batch, i: int) -> Batch:
        """Take the batch of one network from the stack.

        Parameters
        ----------
        batch : Batch
            Stacked parts.
        i : int
            Which network.

        Returns
        -------
        Batch
            Its parts.
        """
        parts: list[Any] = []
        for part, dims in zip(batch, self.in_dims, strict=True):
            fields = zip(part, dims, strict=True)
            parts.append(type(part)(*(x if dim is None else x[i] for x, dim in fields)))
        return Batch(*parts)


def _take(part: Any, rows: Tensor) -> Any:
    """Gather rows, of shape (m, b), from the fields of a part."""
    flat = rows.flatten()
    fields = (field.index_select(0, flat) for field in part)
    return type(part)(*(field.unflatten(0, rows.shape) for field in fields))


def _are_equal(tensors: Sequence[Tensor]) -> bool:
    first = tensors[0]
    return all(t is first or torch.equal(t, first) for t in tensors[1:])


def _share_or_stack(tensors: Sequence[Tensor]) -> tuple[Tensor, int | None]:
    """Return one tensor for all networks if they are equal, else all, stacked."""
    if _are_equal(tensors):
        return tensors[0], None
    return torch.stack(list(tensors)), 0
