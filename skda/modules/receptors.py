"""Topics of features, and stacked regressors, one per topic, that predict them."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Regression", "TopicAutoEncoder", "TopicReceptors"]

#: Most entries of weights or of an attention to handle at once: 2 MiB, for the caches.
MAX_ENTRIES = 2**19


def _chunks(n_topics: int, n_entries: int) -> Iterator[slice]:
    """Cut the topics, of ``n_entries`` each, into chunks that fit into the caches."""
    n_chunk = max(1, MAX_ENTRIES // max(1, n_entries))
    for start in range(0, n_topics, n_chunk):
        yield slice(start, start + n_chunk)


class TopicAutoEncoder(nn.Module):
    r"""Make topics of features, :math:`z = \max(W_e x + b_e, 0)`, and features of them.

    Parameters
    ----------
    n_features : int
        Number of features ``d``.
    n_topics : int
        Number of topics ``J``.
    last : nn.Module, default=None
        Activation of the decoder; None leaves it linear.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import TopicAutoEncoder
    >>> autoencoder = TopicAutoEncoder(5, 3)
    >>> autoencoder.encode(torch.randn(2, 5)).shape
    torch.Size([2, 3])
    >>> autoencoder(torch.randn(2, 5)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self, n_features: int, n_topics: int, *, last: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.encoder = nn.Linear(n_features, n_topics)
        self.decoder = nn.Sequential(nn.Linear(n_topics, n_features))
        if last is not None:
            self.decoder.append(last)

    def encode(self, X: Tensor) -> Tensor:
        """Map features, of shape (n, d), to topics, of shape (n, J)."""
        return self.encoder(X).relu().to(X.dtype)

    def forward(self, X: Tensor) -> Tensor:
        """Map features, of shape (n, d), to topics and back."""
        return self.decoder(self.encode(X)).to(X.dtype)

    @torch.no_grad()
    def attention(self, X: Tensor) -> tuple[Tensor, Tensor]:
        r"""Factor the attention of the topics, :math:`|\partial z_{ij}/\partial x_i|`.

        It has rank one: topic :math:`j` sees :math:`|w_j|` in the rows that it is
        active in, and nothing in others.

        Parameters
        ----------
        X : Tensor of shape (n, d)
            Features.

        Returns
        -------
        gates : Tensor of shape (n, J)
            One where a topic is active, else zero.
        weights : Tensor of shape (J, d)
            What it then sees.
        """
        gates = (self.encode(X) > 0).to(X.dtype)
        return gates, self.encoder.weight.abs()


class Regression(NamedTuple):
    """How well receptors predict the topics of a batch.

    Parameters
    ----------
    loss : Tensor of shape ()
        What the receptors minimize; nothing else has a gradient of it.
    slopes : Tensor of shape (J, n, P)
        Derivative of every prediction with respect to what enters the units.
    residuals : Tensor of shape (J, n)
        By how much every prediction exceeds its topic.
    """

    loss: Tensor
    slopes: Tensor
    residuals: Tensor


def _units(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Map rows, of shape (n, d), to the hidden units, of shape (J, n, P)."""
    rows = X.expand(len(W), *X.shape)
    return torch.baddbmm(b[:, None], rows, W.mT).to(X.dtype).relu_()


def _empty_like(W: Tensor) -> Tensor:
    """Allocate a large tensor, on a CPU by way of NumPy.

    NumPy asks for huge pages. The first touch of PyTorch's small ones costs more than
    what is then computed.
    """
    if W.device.type != "cpu":
        return torch.empty_like(W)
    raw = torch.from_numpy(np.empty(W.numel() * W.element_size(), dtype=np.uint8))
    return raw.view(W.dtype).view(W.shape)


class _Regression(torch.autograd.Function):
    """Evaluate all receptors at once, and their gradients in closed form.

    It shares the slopes with the attention, and has no intermediate result of the size
    of the weights.
    """

    @staticmethod
    def forward(ctx: Any, l1: float, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        X, Z, W, b, v, a = tensors
        units = _units(X, W, b)
        residuals = torch.linalg.vecdot(units, v[:, None]) + a[:, None] - Z.T  # (J, n)
        slopes = (units > 0) * v[:, None]  # (J, n, P)
        ctx.save_for_backward(X, W, units, slopes, residuals)
        ctx.mark_non_differentiable(slopes, residuals)
        ctx.set_materialize_grads(False)  # no zeros of the size of the slopes
        ctx.l1 = l1
        penalty = l1 * torch.linalg.vector_norm(W, 1)
        return residuals.square().sum() / len(X) + penalty, slopes, residuals

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        X, W, units, slopes, residuals = ctx.saved_tensors
        grad_outputs = 2 / len(X) * grads[0] * residuals  # (J, n)
        grad_W, grad_b = _empty_like(W), W.new_empty(W.shape[:2])
        for chunk in _chunks(len(W), W[0].numel()):
            grad_units = grad_outputs[chunk, :, None] * slopes[chunk]  # (j, n, P)
            part = torch.sign(W[chunk], out=grad_W[chunk]).mul_(ctx.l1 * grads[0])
            part.baddbmm_(grad_units.mT, X.expand(len(part), *X.shape))
            grad_b[chunk] = grad_units.sum(dim=1)
        grad_v = torch.bmm(grad_outputs[:, None], units)[:, 0]
        return None, None, None, grad_W, grad_b, grad_v, grad_outputs.sum(dim=1)


class TopicReceptors(nn.Module):
    r"""Regressors of topics on features, with one hidden layer each.

    For topic :math:`j`,

    .. math:: g_j(x) = v_j^\top \max(W_j x + b_j, 0) + a_j .

    All of them meet the rows in one batched product, and their gradients, with respect
    to the weights and to the rows, have a closed form.

    Parameters
    ----------
    n_features : int
        Number of features ``d``.
    n_topics : int
        Number of topics ``J``.
    n_hidden : int, default=128
        Number of hidden units ``P`` of each.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import TopicReceptors
    >>> receptors, X = TopicReceptors(5, 3, n_hidden=4), torch.randn(2, 5)
    >>> receptors(X).shape
    torch.Size([2, 3])
    >>> regression = receptors.regress(X, torch.ones(2, 3))
    >>> [A.shape for A in receptors.attention(regression.slopes)]
    [torch.Size([3, 2, 5])]
    """

    def __init__(self, n_features: int, n_topics: int, n_hidden: int = 128) -> None:
        super().__init__()
        bounds = 1 / sqrt(n_features), 1 / sqrt(n_hidden)

        def uniform(*shape: int, bound: float) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

        self.weight = uniform(n_topics, n_hidden, n_features, bound=bounds[0])
        self.bias = uniform(n_topics, n_hidden, bound=bounds[0])
        self.out_weight = uniform(n_topics, n_hidden, bound=bounds[1])
        self.out_bias = uniform(n_topics, bound=bounds[1])

    def forward(self, X: Tensor) -> Tensor:
        """Map rows, of shape (n, d), to topics, of shape (n, J)."""
        units = _units(X, self.weight, self.bias)
        topics = torch.linalg.vecdot(units, self.out_weight[:, None])  # (J, n)
        return topics.T + self.out_bias

    def regress(self, X: Tensor, Z: Tensor, l1: float = 0.0) -> Regression:
        r"""Compare the predictions with the topics, for the receptors to learn from.

        .. math::

            \sum_j \Bigl( \frac{1}{n} \sum_i \bigl(z_{ij} - g_j(x_i)\bigr)^2
            + \lambda \| W_j \|_1 \Bigr)

        Parameters
        ----------
        X : Tensor of shape (n, d)
            Rows.
        Z : Tensor of shape (n, J)
            Their topics.
        l1 : float, default=0.0
            Weight :math:`\lambda` of the absolute values of the first weights.

        Returns
        -------
        Regression
            The loss, and what the attention is made of.
        """
        parameters = self.weight, self.bias, self.out_weight, self.out_bias
        return Regression(
            *_Regression.apply(l1, X.detach(), Z.detach(), *parameters)  # type: ignore[no-untyped-call]
        )

    @torch.no_grad()
    def attention(
        self, slopes: Tensor, weights: Tensor | None = None
    ) -> Iterator[Tensor]:
        r"""Evaluate :math:`|\partial g_j(x_i) / \partial x_i|`, some topics at a time.

        Away from the kinks, the gradient is :math:`W_j^\top s_{ij}`, with the slopes
        :math:`s_{ij} = v_j \odot [W_j x_i + b_j > 0]`.

        Parameters
        ----------
        slopes : Tensor of shape (J, n, P)
            The slopes for ``n`` rows.
        weights : Tensor of shape (J, n) or (J, 1), default=None
            What to multiply the attention to a row by; None is one.

        Yields
        ------
        Tensor of shape (j, n, d)
            Attention of the next topics.
        """
        n_topics, n_rows, _ = slopes.shape
        for chunk in _chunks(n_topics, n_rows * self.weight.shape[2]):
            weighted = slopes[chunk]
            if weights is not None:
                weighted = weighted * weights[chunk, :, None]
            A = torch.bmm(weighted, self.weight[chunk])  # (j, n, d)
            yield A.to(slopes.dtype).abs_()
