"""Adversarial cross-modal retrieval."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseNetRetriever, estimator
from skda.losses import cross_entropy
from skda.modules import MultiViewEncoder, multilayer_perceptron, reverse_gradient
from skda.retrieval._labeled import labeled_pairs
from skda.training import Batch, Objective, sigmoid_ramp
from skda.utils.ranges import NonNegative
from skda.utils.views import ViewRows

__all__ = ["ACMR"]


class ACMRModule(MultiViewEncoder):
    """A projector per view, a classifier of categories and a discriminator of views."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        n_classes: int,
        **layout: Any,
    ) -> None:
        super().__init__(widths, n_components, last=nn.Tanh(), **layout)
        self.classifier = nn.Linear(n_components, n_classes)
        halves = [max(n_components // k, 2) for k in (2, 4)]
        self.discriminator = multilayer_perceptron([n_components, *halves, len(widths)])
        for layers in (*self.encoders, self.discriminator):
            _replace_relu_by_tanh(layers)

    def classify(self, z: Tensor) -> Tensor:
        """Map embeddings, of shape (n, d), to category logits, of shape (n, c)."""
        return self.classifier(z).to(z.dtype)

    def discriminate(self, z: Tensor, reversal: float) -> Tensor:
        """Map embeddings, of shape (n, d), to logits of the views, of shape (n, v)."""
        return self.discriminator(reverse_gradient(z, reversal)).to(z.dtype)


class ACMRObjective(Objective):
    """Equation 1 of :class:`ACMR`."""

    def __init__(
        self,
        *,
        label_weight: float,
        dissimilar_weight: float,
        adversarial_weight: float,
        margin: float,
    ) -> None:
        super().__init__()
        self.label_weight = label_weight
        self.dissimilar_weight = dissimilar_weight
        self.adversarial_weight = adversarial_weight
        self.margin = margin

    def forward(
        self, module: ACMRModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the four terms of Equation 1 on one batch."""
        X, labels, _ = batch.target
        z = module(X)  # (v, b, d)
        n_views, n_rows, _ = z.shape
        rows = z.flatten(0, 1)  # (v * b, d), view by view
        categories = labels.repeat(n_views, 1)  # (v * b, c)
        sides = torch.eye(n_views, dtype=z.dtype, device=z.device)
        views = sides.repeat_interleave(n_rows, dim=0)  # (v * b, v)
        known = categories.sum(dim=1, keepdim=True)  # (v * b, 1)

        similar, dissimilar = self.invariance(rows, categories, views)
        seen_as = module.discriminate(rows, sigmoid_ramp(progress))
        label_loss = n_views * cross_entropy(module.classify(rows), categories)
        return {
            "label": self.label_weight * label_loss,
            "similar": similar,
            "dissimilar": self.dissimilar_weight * dissimilar,
            "modality": self.adversarial_weight * cross_entropy(seen_as, known * views),
        }

    def invariance(
        self, rows: Tensor, categories: Tensor, views: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare the rows of different views, by whether they share a category."""
        lengths = rows.square().sum(dim=1)  # (n,)
        D = (lengths[:, None] + lengths - 2 * rows @ rows.T).clamp(min=0)  # (n, n)
        same = categories @ categories.T
        known = categories.sum(dim=1)
        across = 1 - views @ views.T
        similar = across * same
        different = across * (known[:, None] * known - same)
        overlap = (self.margin - D).clamp(min=0)
        return _weighted_mean(D, similar), _weighted_mean(overlap, different)


@estimator
class ACMR(BaseNetRetriever):
    r"""Adversarial cross-modal retrieval.

    Projects labeled views into one space where a classifier tells the categories, rows
    of a category are close whatever their view, rows of others are apart, and a
    discriminator cannot tell the views. With projections :math:`a_i, t_j` of two views,

    .. math::

        \min_{a, t, C} \max_D \;&
            \lambda_y \operatorname*{mean}_i \big(H(y_i, C(a_i)) + H(y_i, C(t_i))\big)
            + \operatorname*{mean}_{y_i = y_j} \lVert a_i - t_j \rVert^2 \\
        &+ \lambda_d \operatorname*{mean}_{y_i \ne y_j}
            \max\big(0, \mu - \lVert a_i - t_j \rVert^2\big)
            - \lambda_a \operatorname*{mean}_i \big(H(\text{a}, D(a_i))
            + H(\text{t}, D(t_i))\big) / 2

    :math:`H` is the cross-entropy. The discriminator's gradient is reversed, with a
    weight that rises from 0 to 1 in the course of the training. The second and third
    term are the paper's triplet constraint, over all triplets of a batch at once; with
    more views, over all pairs of different ones. Only labeled pairs are used, those of
    ``source`` and those that have a label in ``y``.

    Parameters
    ----------
    label_weight
        Weight :math:`\lambda_y`.
    dissimilar_weight
        Weight :math:`\lambda_d`.
    adversarial_weight
        Weight :math:`\lambda_a`; 0 leaves the discriminator out.
    margin
        Squared distance :math:`\mu` beyond which categories need not be apart.
    hidden_layer_sizes
        Widths of the hidden layers of every projector, whose layers all end in tanh.
    max_epochs
        Passes over the labeled pairs.

    See Also
    --------
    DMTL : Uses the unlabeled pairs as well.
    RidgeCCA : The linear control, in closed form.

    Notes
    -----
    What it learns to tell are the known categories: without labels in ``y``, expect
    little of it on new ones. :meth:`published` returns the weights and the training of
    the public code, which departs from the paper, and this from it: the distances of
    the code are not squared ones (it adds up coordinates, not their squares), it pulls
    together only the two rows of a pair, trains neither its classifier nor, by the
    discriminator, its projectors, and measures mAP@50 by Euclidean distance.

    References
    ----------
    .. [1] B. Wang, Y. Yang, X. Xu, A. Hanjalic and H. T. Shen, "Adversarial cross-modal
       retrieval", ACM Multimedia 2017. doi:10.1145/3123266.3123326.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import ACMR
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2, 3], 20)
    >>> latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(80, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> acmr = ACMR(views=views, max_epochs=5, random_state=0)
    >>> acmr.fit(X, y).transform(X).shape
    (80, 80)
    """

    label_weight: NonNegative = 100.0
    dissimilar_weight: NonNegative = 0.02
    adversarial_weight: NonNegative = 1.0
    margin: NonNegative = 0.1
    n_components = 40
    hidden_layer_sizes = (512, 100)
    batch_size = 64
    lr = 3e-4

    published_params: ClassVar[dict[str, Any]] = {
        "label_weight": 100.0,
        "dissimilar_weight": 0.02,
        "max_epochs": 200,
        "lr": 1e-4,
        "optimizer": partial(torch.optim.Adam, betas=(0.5, 0.999)),
    }

    def select_pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        return labeled_pairs(self, source, target)

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return ACMRModule(
            widths,
            self.n_components,
            n_classes,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> ACMRObjective:
        return ACMRObjective(
            label_weight=self.label_weight,
            dissimilar_weight=self.dissimilar_weight,
            adversarial_weight=self.adversarial_weight,
            margin=self.margin,
        )


def _replace_relu_by_tanh(layers: nn.Sequential) -> None:
    """Replace every ReLU by tanh, as in the paper."""
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.ReLU):
            layers[place] = nn.Tanh()


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Take a weighted mean; it is zero if all weights are."""
    return (weight * values).sum() / weight.sum().clamp(min=1)
