"""Soft transfer network."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, Sizes, estimator
from skda.losses import (
    class_centroids,
    cross_entropy,
    linear_mmd,
    paired_centroid_loss,
    squared_norm,
)
from skda.modules import TwoStreamClassifier, draw_normal
from skda.training import Batch, Objective
from skda.utils.ranges import NonNegative

__all__ = ["STN"]


class STNObjective(Objective):
    """Equation 1 of :class:`STN`."""

    def __init__(self, beta: float, tau: float, *, detach_soft_labels: bool) -> None:
        super().__init__()
        self.beta = beta
        self.tau = tau
        self.detach_soft_labels = detach_soft_labels

    def forward(
        self, module: TwoStreamClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of Equation 1 on one batch."""
        source, target, _ = batch
        f_s = module.encode(source.X, "source")  # (n_s, d)
        f_t = module.encode(target.X, "target")  # (n_t, d)
        v_s, v_t = module.classify(f_s), module.classify(f_t)

        # Unlabeled rows count for the classes they seem to be in, ever more.
        memberships = target.labels + progress * self.soft_labels(v_t, target.labels)
        alignment = linear_mmd(f_s, f_t) + paired_centroid_loss(
            class_centroids(f_s, source.labels), class_centroids(f_t, memberships)
        )

        logits = torch.cat([v_s, v_t])  # (n_s + n_t, c)
        labels = torch.cat([source.labels, target.labels])
        return {
            "risk": cross_entropy(logits, labels),
            "alignment": self.beta * alignment,
            "decay": self.tau / 2 * squared_norm(module),
        }

    def soft_labels(self, v_t: Tensor, labels: Tensor) -> Tensor:
        """Give unlabeled rows their probabilities, of shape (n_t, c), others zeros."""
        p = (v_t.detach() if self.detach_soft_labels else v_t).softmax(dim=1)
        return (1 - labels.sum(dim=1, keepdim=True)) * p  # (n_t, c)


class STNTargetObjective(STNObjective):
    """What is left of Equation 1 without a source."""

    def forward(
        self, module: TwoStreamClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risk, and align the labeled rows with the soft-labeled."""
        target = batch.target
        f_t = module.encode(target.X, "target")  # (n_t, d)
        v_t = module.classify(f_t)
        alignment = paired_centroid_loss(
            class_centroids(f_t, target.labels),
            class_centroids(f_t, self.soft_labels(v_t, target.labels)),
        )
        return {
            "risk": cross_entropy(v_t, target.labels),
            "alignment": self.beta * alignment,
            "decay": self.tau / 2 * squared_norm(module),
        }


@estimator
class STN(BaseTwoStreamClassifier):
    r"""Soft transfer network: aligns domains by means that soft labels weigh.

    Classifies a partially labeled target with the help of a labeled source that has
    other features [1]_. An encoder of two layers per domain maps both onto the unit
    sphere of a common space, where they share a classifier. The network minimizes

    .. math:: R + \beta \, Q + \tfrac{\tau}{2} \sum_l \|W_l\|_F^2, \tag{1}

    with the cross-entropy :math:`R` over all labeled rows of both domains, and

    .. math::

        Q = \Bigl\| \tfrac{1}{n_s} \sum_i f^s_i - \tfrac{1}{n_t} \sum_j f^t_j \Bigr\|^2
        + \sum_k \| m^s_k - m^t_k \|^2, \qquad
        m^t_k = \frac{\sum_{j: y_j = k} f_j + a \sum_u p_{uk} f_u}
        {n^l_k + a \sum_u p_{uk}},

    where :math:`p_u` are the probabilities of the unlabeled target row :math:`u` and
    :math:`a` rises from zero to one over the training. A class without mass in one
    domain does not count. Without a source, the centroids of the labeled target rows
    take the place of :math:`m^s_k`, and those of the soft-labeled the place of
    :math:`m^t_k`. That is the control to beat.

    A few labels of the target are needed: without any, nothing ties the classes of one
    domain to those of the other, and ``fit`` warns. The steps of a pipeline before this
    one see the target only: pass ``source_transformer`` and ``target_transformer``
    instead.

    Parameters
    ----------
    beta
        Weight :math:`\beta` of the alignment.
    tau
        Weight :math:`\tau` of the decay, which spares the biases.
    detach_soft_labels
        Whether the alignment leaves alone the soft labels that weigh it.
    init_std
        Standard deviation of the initial weights and biases, before they are cut at
        two of it.

    See Also
    --------
    SSAN : Aligns classes by hard pseudo-labels and by soft labels of the source.
    skda.baselines.TargetNet : The target's network alone.

    Notes
    -----
    :meth:`published` returns the settings of the public code.
    There, :math:`a` reaches :math:`(T - 1) / T` after :math:`T` steps, as it does here.

    References
    ----------
    .. [1] Y. Yao et al., "Heterogeneous Domain Adaptation via Soft Transfer Network",
       ACM Multimedia 2019. arXiv:1908.10552. doi:10.1145/3343031.3350955.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import STN
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = STN(max_epochs=50, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    beta: NonNegative = 0.001
    tau: NonNegative = 0.001
    detach_soft_labels: bool = False
    max_epochs = 300

    published_params: ClassVar[dict[str, Any]] = {
        "n_hidden": None,
        "leaky_logits": True,
        "init_std": 0.01,
        "power": 1.0,
        "normalize": True,
        "n_neighbors": None,
        "source_per_class": None,
        "lr_schedule": "constant",
    }

    unlabeled_fate: ClassVar[str] = (
        "STN may predict them there, as the domains share its classifier, but cannot "
        "tell whether rightly; GeoST(unlabeled_classes='infer') estimates that"
    )

    def make_module(self, sizes: Sizes) -> nn.Module:
        module = TwoStreamClassifier(**self._layout(sizes))
        draw_normal(module, self.init_std, truncated=True)
        return module

    def make_objective(self) -> Objective:
        return STNObjective(
            self.beta, self.tau, detach_soft_labels=self.detach_soft_labels
        )

    def make_target_objective(self) -> Objective:
        return STNTargetObjective(
            self.beta, self.tau, detach_soft_labels=self.detach_soft_labels
        )
