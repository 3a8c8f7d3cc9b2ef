"""A feature extractor whose work several processes share."""

from __future__ import annotations

from math import ceil
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["DistributedRows"]


class DistributedRows(nn.Module):
    """A feature extractor that is applied to the rows of a batch by several processes.

    In training, every process applies the extractor to its part of the rows and
    receives the features of all of them. What is made of the features is computed by
    each process for the whole batch: the objective of a method, which may hold all rows
    of two domains against each other, is the one that a single process would have, and
    so are the gradients, but for rounding. A wrapper of the whole network, such as
    :class:`torch.nn.parallel.DistributedDataParallel`, would evaluate it on the parts
    and average.

    The processes are those of the default group of :mod:`torch.distributed`, which
    ``accelerate.Accelerator()`` sets up. Without a group, or outside of the training,
    the extractor is applied as it is.

    Parameters
    ----------
    module : nn.Module
        Feature extractor, from samples to rows of features.

    Raises
    ------
    ValueError
        If the processes have not the same batch and weights, or if a batch norm would
        see a part of the batch only.

    Notes
    -----
    All processes fit the same estimator, with the same ``random_state``, to the same
    data, and each loads whole batches. Random layers inside, such as dropout, draw
    other numbers than those of a single process.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skda.modules import DistributedRows
    >>> DistributedRows(nn.Linear(3, 2))(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self._is_checked = False

    def forward(self, X: Tensor) -> Tensor:
        """Map samples, of shape (n, ...), to features, of shape (n, d)."""
        if not self.training or not distributed.is_initialized():
            features: Tensor = self.module(X)
            return features
        if not self._is_checked:
            self._check(X)
        n_processes = distributed.get_world_size()
        # Parts of one size, or random numbers would no longer be the same everywhere.
        size = ceil(len(X) / n_processes)
        start = distributed.get_rank() * size
        rows = torch.arange(start, start + size, device=X.device).clamp(max=len(X) - 1)
        params = {n: p for n, p in self.module.named_parameters() if p.requires_grad}
        summed = _SumGradients.apply(*params.values()) if params else ()  # type: ignore[no-untyped-call]
        part = functional_call(
            self.module, dict(zip(params, summed, strict=True)), X.index_select(0, rows)
        )
        gathered: Tensor = _Gather.apply(part, len(X))  # type: ignore[no-untyped-call]
        return gathered

    @torch.no_grad()
    def _check(self, X: Tensor) -> None:
        """Insist on what makes the processes one training."""
        layers = self.module.modules()
        norms = [layer for layer in layers if isinstance(layer, _BatchNorm)]
        if any(n.training and not isinstance(n, nn.SyncBatchNorm) for n in norms):
            raise ValueError(
                "Expected layers that look at single rows, got a batch norm, which "
                "would normalize by a part of the batch in every process: convert it "
                "by torch.nn.SyncBatchNorm.convert_sync_batchnorm, on CUDA, or freeze "
                "it."
            )
        numbers = [torch.ones(len(X), device=X.device), X, *self.module.parameters()]
        sums = torch.stack([tensor.double().sum() for tensor in numbers])
        everywhere = [
            torch.empty_like(sums) for _ in range(distributed.get_world_size())
        ]
        distributed.all_gather(everywhere, sums)
        if not all(torch.equal(sums, other) for other in everywhere):
            raise ValueError(
                "Expected the same batch and the same weights in every process, got "
                "different ones: fit the same estimator with the same data and an int "
                "as random_state."
            )
        self._is_checked = True


class _Gather(torch.autograd.Function):
    """Put the parts of all processes together, each of which then has everything."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, n_rows: int) -> Tensor:
        ctx.size = len(part)
        parts = [torch.empty_like(part) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)[:n_rows]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        # All processes compute the same loss, and so the same gradient of all rows.
        (gradient,) = gradients
        start = distributed.get_rank() * ctx.size
        own = gradient[start : start + ctx.size]
        padding = own.new_zeros(ctx.size - len(own), *own.shape[1:])
        return torch.cat([own, padding]), None


class _SumGradients(torch.autograd.Function):
    """Leave parameters as they are, and add up their gradients over the processes."""

    @staticmethod
    def forward(ctx: Any, *parameters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tuple(parameter.view_as(parameter) for parameter in parameters)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:  # noqa: ARG004 (PyTorch's form)
        there = [gradient for gradient in gradients if gradient is not None]
        if not there:
            return gradients
        flat = torch.cat([gradient.reshape(-1) for gradient in there])
        distributed.all_reduce(flat)
        summed = iter(flat.split([gradient.numel() for gradient in there]))
        return tuple(
            None if gradient is None else next(summed).view_as(gradient)
            for gradient in gradients
        )
