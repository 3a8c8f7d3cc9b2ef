"""Joint mean embedding alignment."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, Sizes, estimator
from skda.losses import (
    Centroids,
    class_centroids,
    cross_entropy,
    paired_centroid_loss,
    squared_norm,
)
from skda.modules import TwoStreamClassifier, draw_normal
from skda.training import Batch, Domain, Objective
from skda.utils.ranges import NonNegative, Positive, Share

__all__ = ["JMEA"]


class TwoHeads(TwoStreamClassifier):
    """Encoders of two domains, a classifier of both, and one of the target alone."""

    def __init__(
        self, widths: dict[str, int], n_components: int, n_classes: int, **layout: Any
    ) -> None:
        super().__init__(widths, n_components, n_classes, **layout)
        activations = list(self.head)[1:]  # one or none
        self.target_head = nn.Sequential(
            nn.Linear(n_components, n_classes), *activations
        )

    def classify_target(self, z: Tensor) -> Tensor:
        """Map unit vectors to the logits of the classifier of the target."""
        return self.target_head(z).to(z.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples to logits, by the classifier of their own domain, if any."""
        z = self.encode(X, domain)
        return self.classify_target(z) if domain == "target" else self.classify(z)


class JMEAObjective(Objective):
    """Equation 1 of :class:`JMEA`."""

    def __init__(
        self,
        beta: float,
        tau: float,
        *,
        target_weight: float,
        head_weight: float,
        first_share: float,
    ) -> None:
        super().__init__()
        self.beta = beta
        self.tau = tau
        self.target_weight = target_weight
        self.head_weight = head_weight
        self.first_share = first_share

    def forward(
        self, module: TwoHeads, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of Equation 1 on one batch."""
        source, target, _ = batch
        f_s = module.encode(source.X, "source")  # (n_s, d)
        f_t = module.encode(target.X, "target")  # (n_t, d)
        v_s, v_t = module.classify(f_s), module.classify(f_t)
        selected = self.select(module.classify_target(f_t), target, progress)

        # Column 0 makes the means of the domains, the others those of the classes.
        of_source = with_total(source.labels)  # (n_s, 1 + c)
        alignment = paired_centroid_loss(
            class_centroids(f_s, of_source),
            class_centroids(f_t, with_total(target.labels) + selected),
        )

        logits = torch.cat([v_s, v_t])  # (n_s + n_t, c)
        labels = torch.cat([source.labels, target.labels])
        return {
            "risk": cross_entropy(logits, labels),
            "alignment": self.beta * alignment,
            **self.target_terms(module, target, (f_t, v_t), progress),
        }

    def target_terms(
        self,
        module: TwoHeads,
        target: Domain,
        outputs: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the terms that need no source, and the decay."""
        f_t, v_t = outputs
        selected = self.select(v_t, target, progress)  # (n_t, 1 + c)
        mean, mass = class_centroids(f_t, selected)
        # Of a class in which few rows are found, the mean moves towards zero.
        shrunk = torch.cat([mean[:1], mean[1:] * (mass / (mass + 1))[1:, None]])
        alignment = paired_centroid_loss(
            class_centroids(f_t, with_total(target.labels)), Centroids(shrunk, mass)
        )
        target_risk = cross_entropy(module.classify_target(f_t), target.labels)
        return {
            "target_risk": self.head_weight * target_risk,
            "target_alignment": self.target_weight * self.beta * alignment,
            "decay": self.tau / 2 * squared_norm(module),
        }

    def select(self, logits: Tensor, target: Domain, progress: float) -> Tensor:
        """Weigh the surest unlabeled rows, of shape (n_t, 1 + c), for means.

        Column 0 is one for a row that is selected, the others are its soft label.
        """
        p = logits.softmax(dim=1)  # (n_t, c)
        unlabeled = 1 - target.labels.sum(dim=1)  # (n_t,)
        sureness = p.detach().amax(dim=1) * unlabeled
        rank = sureness.argsort(descending=True, stable=True).argsort()
        share = min(self.first_share + progress, 1.0)
        chosen = unlabeled * (rank < (share * unlabeled.sum()).floor())
        return chosen[:, None] * torch.cat([torch.ones_like(p[:, :1]), progress * p], 1)


class JMEATargetObjective(JMEAObjective):
    """What is left of Equation 1 without a source."""

    def forward(
        self, module: TwoHeads, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate both risks on the target, and the alignment within it."""
        target = batch.target
        f_t = module.encode(target.X, "target")
        v_t = module.classify(f_t)
        return {
            "risk": cross_entropy(v_t, target.labels),
            **self.target_terms(module, target, (f_t, v_t), progress),
        }


@estimator
class JMEA(BaseTwoStreamClassifier):
    r"""Joint mean embedding alignment: two classifiers that select for each other.

    The network of the soft transfer network, with an encoder per domain, has a second
    classifier here, of the target alone [1]_. Of the unlabeled rows, each classifier
    takes those of which the other one is surest. The network minimizes

    .. math::

        R + \beta \, Q(p') + \gamma \beta \, Q'(p) + \omega R'
        + \tfrac{\tau}{2} \sum_l \|W_l\|_F^2, \tag{1}

    * :math:`R`: cross-entropy of the first classifier over all labeled rows.
    * :math:`R'`: that of the second one over the labeled target rows.
    * :math:`Q`: squared distances of the means of the domains and of the classes in
      them, the source against the labeled target rows and the selected ones,

      .. math::

          Q = \| m^s - m^t \|^2 + \sum_k \| m^s_k - m^t_k \|^2, \qquad
          m^t_k = \frac{\sum_{j: y_j = k} f_j + a \sum_u p'_{uk} f_u}
          {n^l_k + a \sum_u p'_{uk}},

      where :math:`p'` are the probabilities of the second classifier, :math:`u` the
      unlabeled target rows of which it is surest, and :math:`a` rises from zero to one.
    * :math:`Q'`: the same for the labeled target rows against the unlabeled ones of
      which the first classifier is surest, with its probabilities :math:`p`, and with
      one more in the denominator of :math:`m_k`.

    A share :math:`\min(\kappa + a, 1)` of the unlabeled rows is selected. The second
    classifier predicts the target, the first one the source. Without a source, Equation
    1 has the target alone in :math:`R`, and no :math:`Q`. That is the control to beat.

    A few labels of the target are needed: without any, nothing ties the classes of one
    domain to those of the other, and ``fit`` warns. The steps of a pipeline before this
    one see the target only: pass ``source_transformer`` and ``target_transformer``
    instead.

    Parameters
    ----------
    beta
        Weight :math:`\beta` of the alignments. The public code takes 0.0001 for images
        of Office and for text.
    tau
        Weight :math:`\tau` of the decay, which spares the biases.
    target_weight
        Weight :math:`\gamma` of :math:`Q'`. The public code has values from 0.5 to 20,
        chosen per data set.
    head_weight
        Weight :math:`\omega` of :math:`R'`. The public code has 0.5 and 1.
    first_share
        Share :math:`\kappa` that is selected at first.
    init_std
        Standard deviation of the initial weights and biases, before they are cut at
        two of it; that of the second classifier is twice this.

    See Also
    --------
    STN : With one classifier, and no selection.
    SSAN : Keeps pseudo-labels on which two ways of labeling agree.

    Notes
    -----
    :meth:`published` returns the settings of the public code for its default data set.
    Where it differs from that code: at the first step, when :math:`a` is zero, there
    are no :math:`m_k` of unlabeled rows, which are zero vectors there.

    References
    ----------
    .. [1] Z. Fang et al., "Semi-supervised Heterogeneous Domain Adaptation: Theory and
       Algorithms", IEEE TPAMI 45(1), 2023. doi:10.1109/TPAMI.2022.3146234.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import JMEA
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = JMEA(max_epochs=50, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    beta: NonNegative = 0.001
    tau: NonNegative = 0.001
    target_weight: NonNegative = 20.0
    head_weight: Positive = 0.5
    first_share: Share = 1 / 3
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

    def make_module(self, sizes: Sizes) -> nn.Module:
        module = TwoHeads(**self._layout(sizes))
        draw_normal(module, self.init_std, truncated=True)
        draw_normal(module.target_head, 2 * self.init_std, truncated=True)
        return module

    def make_objective(self) -> Objective:
        return JMEAObjective(**self._weights())

    def make_target_objective(self) -> Objective:
        return JMEATargetObjective(**self._weights())

    def _weights(self) -> dict[str, float]:
        """Collect the weights of Equation 1."""
        names = ("beta", "tau", "target_weight", "head_weight", "first_share")
        return {name: getattr(self, name) for name in names}


def with_total(labels: Tensor) -> Tensor:
    """Put the sum of every row before it: one where there is a label, else zero."""
    return torch.cat([labels.sum(dim=1, keepdim=True), labels], dim=1)
