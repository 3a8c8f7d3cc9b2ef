"""Gradient reversal, which turns a minimum over two players into a saddle point."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skda.utils.stacking import is_stacking

__all__ = ["reverse_gradient"]


class _ReverseGradient(torch.autograd.Function):
    """The identity forward, its negative backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float | Tensor) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * grads[0], None


def reverse_gradient(x: Tensor, weight: float | Tensor = 1.0) -> Tensor:
    r"""Return the input; multiply its gradient by :math:`-\lambda`.

    Parameters
    ----------
    x : Tensor of any shape
        Features on their way to a discriminator, as in [1]_.
    weight : float or Tensor of shape (), default=1.0
        The factor :math:`\lambda`, which does not touch the discriminator.

    Returns
    -------
    Tensor
        The same values.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015. arXiv:1409.7495.

    Examples
    --------
    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """
    if is_stacking():
        constant = x.detach()
        return constant + weight * (constant - x)
    return _ReverseGradient.apply(x, weight)  # type: ignore[no-untyped-call]
