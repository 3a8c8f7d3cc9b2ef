"""Margin disparity discrepancy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import margin_disparity
from skda.modules import OneStreamClassifier, multilayer_perceptron, reverse_gradient
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative, Positive

__all__ = ["MDD"]


class MDDModule(OneStreamClassifier):
    """A feature extractor, a classifier and a second one against it."""

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        dropout: float,
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        widths = [n_components, *discriminator_layer_sizes, n_classes]
        self.adversary = multilayer_perceptron(widths, dropout=dropout)

    def oppose(self, f: Tensor) -> Tensor:
        """Map features, of shape (n, d), to the logits of the adversary."""
        return self.adversary(f).to(f.dtype)


class MDDObjective(OneStreamObjective):
    """Equation 1 of :class:`MDD`."""

    def __init__(self, lambda0: float, margin: float) -> None:
        super().__init__(lambda0)
        self.margin = margin

    def adapt(
        self, module: MDDModule, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the disparity behind a gradient reversal."""
        f = torch.cat([source.features, target.features])
        v = module.oppose(reverse_gradient(f, self.lambda0 * sigmoid_ramp(progress)))
        n_s = len(source.features)
        disparity = margin_disparity(
            source.logits, target.logits, v[:n_s], v[n_s:], self.margin
        )
        return {"disparity": disparity}


@estimator
class MDD(BaseOneStreamClassifier):
    r"""Margin disparity discrepancy.

    Learns features on which no second classifier can agree with the first about the
    source and disagree about the target [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_{MDD} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{MDD}`: with :math:`k` the class that the classifier predicts for a row
      and :math:`q` the probabilities of the adversary, the mean of
      :math:`-\gamma \log q_k` over the source, which makes them agree, plus that of
      :math:`-\log (1 - q_k)` over the target, which makes them differ. The adversary
      minimizes it. Behind it, the gradient is multiplied by :math:`-\lambda_p`, so that
      the features maximize it; :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p})
      - 1\bigr)` rises with the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    margin
        Factor :math:`\gamma`, the exponential of the margin. The paper has 2 to 4.
    discriminator_layer_sizes
        Widths of the hidden layers of the adversary.
    dropout
        Fraction of its hidden units to drop in training.

    See Also
    --------
    MCD : Two classifiers, both of which learn from the source.

    Notes
    -----
    :meth:`published` has the settings of the authors' library (TLlib) for Office-31,
    where the classifier has a hidden layer, too, and the reversal rises twice as fast.
    skada's smooths the probabilities of target rows, and takes those of the classes of
    all target rows for every one.

    References
    ----------
    .. [1] Y. Zhang et al., "Bridging Theory and Algorithm for Domain Adaptation", ICML
       2019. arXiv:1904.05801.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import MDD
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = MDD(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 0.1
    margin: Positive = 4.0
    discriminator_layer_sizes: LayerSizes = (256,)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "discriminator_layer_sizes": (1024,),
        "n_components": 1024,
        "batch_norm": True,
        "batch_size": 32,
        "lr": 0.004,
        "weight_decay": 0.0005,
        "max_steps": 20_000,
        "lr_schedule": partial(inverse_decay, alpha=4.0),
    }

    def make_objective(self) -> Objective:
        return MDDObjective(self.lambda0, self.margin)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return MDDModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
