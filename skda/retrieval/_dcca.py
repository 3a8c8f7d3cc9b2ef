"""Deep canonical correlation analysis."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skda.base import BaseNetRetriever, estimator
from skda.losses import canonical_correlations, canonical_maps
from skda.modules import MultiViewEncoder
from skda.training import Batch, Domains, Objective
from skda.utils.ranges import NonNegative, Positive
from skda.utils.views import ViewRows

__all__ = ["DCCA"]


class DCCAObjective(Objective):
    """Equation 1 of :class:`DCCA`."""

    def __init__(self, *, regularization: float) -> None:
        super().__init__()
        self.regularization = regularization

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Correlate the two views of one batch."""
        return self.correlation(module(batch.target.X))

    def correlation(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Sum the correlations of embeddings of shape (2, b, d)."""
        a, b = embeddings
        rho = canonical_correlations(a, b, regularization=self.regularization)  # (d,)
        return {"correlation": -rho.sum().to(a.dtype)}


@estimator
class DCCA(BaseNetRetriever):
    r"""Deep canonical correlation analysis.

    Trains a network for each of two views so that their outputs :math:`A` and
    :math:`B` correlate as well as they can, whatever linear maps come after them:

    .. math::

        \max \; \big\lVert S_{aa}^{-1/2} S_{ab} S_{bb}^{-1/2} \big\rVert_*, \qquad
        S_{aa} = \frac{A^\top A}{n - 1} + r I, \quad
        S_{bb} = \frac{B^\top B}{n - 1} + r I, \quad
        S_{ab} = \frac{A^\top B}{n - 1}

    with centered outputs. The nuclear norm is the sum of their canonical correlations
    :math:`s`. These linear maps, :math:`S_{aa}^{-1/2} U` and :math:`S_{bb}^{-1/2} V`
    in terms of the singular vectors, are fitted at the end, on all pairs; the weight
    :math:`\operatorname{diag}(s)^\rho` lets the cosine listen to the directions that
    the views agree on. Labels are not used, the pairs of the source are.

    Parameters
    ----------
    n_components
        Number of outputs of each network. A step must have several times as many
        pairs: where it has not, everything correlates, and nothing is learned.
    hidden_layer_sizes
        Widths of the hidden layers of both networks.
    regularization
        Ridge :math:`r` added to the variances of the outputs.
    correlation_power
        Power :math:`\rho` of the correlations that weights the directions; 0 is the
        paper's.
    precision
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it. The correlations are taken in float64.

    Attributes
    ----------
    correlations_ : ndarray of shape (n_components,)
        Canonical correlations :math:`s` of the outputs for all pairs.
    means_ : dict of str to ndarray of shape (n_components,)
        Mean output of each network.
    weights_ : dict of str to ndarray of shape (n_components, n_components)
        What the centered outputs are mapped by.

    See Also
    --------
    DCCAE : Also reconstructs the views.
    RidgeCCA : The linear control, in closed form.

    Notes
    -----
    Some libraries maximize the sum of squared correlations under the same name.
    :meth:`published` returns the settings of a widely used public code, with ReLU in
    place of the sigmoid; the paper trains with L-BFGS on all pairs at once.

    References
    ----------
    .. [1] G. Andrew, R. Arora, J. Bilmes and K. Livescu, "Deep canonical correlation
       analysis", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import DCCA
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(200, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> dcca = DCCA(n_components=3, views=views, max_epochs=5, random_state=0)
    >>> dcca.fit(X).transform(X).shape
    (200, 6)
    """

    regularization: Positive = 1e-3
    correlation_power: NonNegative = 1.0
    n_components = 10
    dropout = 0.5
    batch_size = 750
    optimizer = "adamw"
    weight_decay = 0.1

    published_params: ClassVar[dict[str, Any]] = {
        "n_components": 10,
        "hidden_layer_sizes": (1024, 1024, 1024),
        "correlation_power": 0.0,
        "dropout": 0.0,
        "batch_size": 800,
        "optimizer": "rmsprop",
        "momentum": 0.0,
        "weight_decay": 1e-5,
    }
    _needs_two_views = True

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return MultiViewEncoder(
            widths,
            self.n_components,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> DCCAObjective:
        return DCCAObjective(regularization=self.regularization)

    def _loader(self, domains: Domains, **loading: Any) -> Any:
        loader = super()._loader(domains, **loading)
        if loader.step_size < self.n_components:
            raise ValueError(
                f"Expected steps of several times n_components={self.n_components} "
                f"pairs, got steps of {loader.step_size} of the {len(domains)} pairs: "
                f"lower n_components or raise batch_size={self.batch_size}."
            )
        return loader

    def set_fitted_attributes(self, source: ViewRows, target: ViewRows) -> None:
        views = self.select_pairs(source, target).views
        outputs = {
            name: super(DCCA, self).embed_rows(X, name) for name, X in views.items()
        }
        a, b = map(torch.from_numpy, outputs.values())
        *maps, s = canonical_maps(a, b, regularization=self.regularization)
        self.correlations_ = s.numpy()
        weight = self.correlations_**self.correlation_power
        self.means_ = {name: rows.mean(axis=0) for name, rows in outputs.items()}
        self.weights_: dict[str, NDArray[np.floating]] = {
            name: (m.numpy() * weight).astype(self._dtype)
            for name, m in zip(views, maps, strict=True)
        }

    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        return (super().embed_rows(X, view) - self.means_[view]) @ self.weights_[view]
