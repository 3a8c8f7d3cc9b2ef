"""A distance of two samples by kernels of given widths."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skda.losses._gaussian_kernels import gaussian_kernels

__all__ = ["root_kernel_mmd"]

#: A squared discrepancy below this is made of rounding.
ROUNDING = 1e-6


def root_kernel_mmd(a: Tensor, b: Tensor, *, widths: Sequence[float]) -> Tensor:
    r"""Root of the biased maximum mean discrepancy, under a sum of Gaussian kernels.

    .. math::

        \sqrt{\frac{1}{n_a^2} \sum_{ij} k(a_i, a_j) + \frac{1}{n_b^2} \sum_{ij}
        k(b_i, b_j) - \frac{2}{n_a n_b} \sum_{ij} k(a_i, b_j)}

    with :math:`k(x, y) = \sum_l \exp(-\|x - y\|^2 / (2 \sigma_l^2))`: a distance of the
    two samples, in which a row is a pair with itself, unlike in
    :func:`~skda.losses.kernel_mmd`.

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.
    widths : sequence of float
        The :math:`\sigma` of the kernels, in the unit of the features.

    Returns
    -------
    Tensor of shape ()
        The distance; zero, without a gradient, where rounding is all that there is.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(3, 2), torch.ones(3, 2)
    >>> root_kernel_mmd(a, b, widths=[1.0])  # the root of 2 - 2 exp(-2 / 2)
    tensor(1.1244)
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"Expected 2D tensors of the same width, got shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}."
        )
    x = torch.cat([a, b]).to(torch.promote_types(a.dtype, torch.float32))
    n_a, n_b = len(a), len(b)
    scales = [2 * width**2 for width in widths]
    kernel = gaussian_kernels(x - x.mean(dim=0).detach(), scales)
    # The kernel of a row with itself is one, but left out there.
    within_a = kernel[:n_a, :n_a].mean() + 1 / n_a
    within_b = kernel[n_a:, n_a:].mean() + 1 / n_b
    squared = len(widths) * (within_a + within_b - 2 * kernel[:n_a, n_a:].mean())
    return torch.where(squared > ROUNDING, squared.clamp(min=ROUNDING).sqrt(), 0.0)
