"""Deep canonically correlated autoencoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import estimator
from skda.modules import MultiViewEncoder, multilayer_perceptron
from skda.retrieval._dcca import DCCA, DCCAObjective
from skda.training import Batch
from skda.utils.ranges import NonNegative
from skda.utils.views import ViewRows

__all__ = ["DCCAE"]


class DCCAEModule(MultiViewEncoder):
    """An encoder per view, and a decoder that mirrors it."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        *,
        hidden_layer_sizes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__(
            widths, n_components, hidden_layer_sizes=hidden_layer_sizes, dropout=dropout
        )
        mirrored = list(hidden_layer_sizes)[::-1]
        self.decoders = nn.ModuleList(
            multilayer_perceptron([n_components, *mirrored, width], dropout=dropout)
            for width in widths.values()
        )

    def decode(self, embeddings: Tensor) -> tuple[Tensor, ...]:
        """Map embeddings, of shape (v, n, d), back to rows of every view."""
        pairs = zip(self.decoders, embeddings, strict=True)
        return tuple(decoder(rows).to(rows.dtype) for decoder, rows in pairs)


class DCCAEObjective(DCCAObjective):
    """Equation 1 of :class:`DCCAE`."""

    def __init__(self, *, regularization: float, lambda_reconstruction: float) -> None:
        super().__init__(regularization=regularization)
        self.lambda_reconstruction = lambda_reconstruction

    def forward(
        self, module: DCCAEModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Correlate the two views of one batch, and reconstruct them."""
        X = batch.target.X
        embeddings = module(X)  # (2, b, d)
        reconstructed = torch.cat(module.decode(embeddings), dim=1)  # (b, p)
        errors = (X - reconstructed).square().sum(dim=1)  # (b,)
        return self.correlation(embeddings) | {
            "reconstruction": self.lambda_reconstruction * errors.mean()
        }


@estimator
class DCCAE(DCCA):
    r"""Deep canonically correlated autoencoders.

    :class:`DCCA` whose outputs must also tell what came in. With encoders
    :math:`f, g` of two views, of which :math:`s` are the canonical correlations, and
    decoders :math:`p, q`,

    .. math::

        \min \; -\sum_j s_j\big(f(X), g(Y)\big) + \frac \lambda n \sum_i \Big(
        \big\lVert x_i - p(f(x_i)) \big\rVert^2
        + \big\lVert y_i - q(g(y_i)) \big\rVert^2 \Big)

    Labels are not used, the pairs of the source are.

    Parameters
    ----------
    hidden_layer_sizes
        Widths of the hidden layers of both encoders; the decoders mirror them.
    lambda_reconstruction
        Weight :math:`\lambda`; the paper looks between 0.001 and 10.

    See Also
    --------
    DCCA : Does not reconstruct.
    RidgeCCA : The linear control, in closed form.

    References
    ----------
    .. [1] W. Wang, R. Arora, K. Livescu and J. Bilmes, "On deep multi-view
       representation learning", ICML 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import DCCAE
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(200, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> dcca = DCCAE(n_components=3, views=views, max_epochs=5, random_state=0)
    >>> dcca.fit(X).transform(X).shape
    (200, 6)
    """

    lambda_reconstruction: NonNegative = 1e-2

    published_params: ClassVar[dict[str, Any]] = {
        "correlation_power": 0.0,
        "regularization": 1e-4,
        "dropout": 0.0,
        "weight_decay": 1e-4,
    }

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return DCCAEModule(
            widths,
            self.n_components,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> DCCAEObjective:
        return DCCAEObjective(
            regularization=self.regularization,
            lambda_reconstruction=self.lambda_reconstruction,
        )
