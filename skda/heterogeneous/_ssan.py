"""Simultaneous semantic alignment network."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, Rows, Sizes, estimator
from skda.losses import (
    Centroids,
    class_centroids,
    cross_entropy,
    pooled_centroids,
    pooled_domain_loss,
    pseudo_labels,
    soft_label_loss,
    triplet_centroid_loss,
)
from skda.modules import (
    TwoStreamClassifier,
    draw_normal,
    reverse_gradient,
    unit_length,
)
from skda.training import Batch, Objective, sigmoid_ramp
from skda.utils.ranges import NonNegative, Positive, Share

__all__ = ["SSAN"]


class SSANModule(TwoStreamClassifier):
    """Two encoders and a classifier, and a discriminator of the domains."""

    def __init__(self, *, n_components: int, **layout: Any) -> None:
        super().__init__(n_components=n_components, **layout)
        self.discriminator = nn.Linear(n_components, 1)

    def discriminate(self, z: Tensor, reversal: float) -> Tensor:
        """Map latent rows, of shape (n, d), to logits of "source", of shape (n,)."""
        return self.discriminator(reverse_gradient(z, reversal)).to(z.dtype).squeeze(1)


class SSANObjective(Objective):
    """Equation 1 of :class:`SSAN`."""

    def __init__(
        self,
        *,
        alpha: float,
        beta: float,
        gamma: float,
        temperature: float,
        soft_reduction: str,
        detach_teacher: bool,
        geometric_check: bool,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.temperature = temperature
        self.soft_reduction = soft_reduction
        self.detach_teacher = detach_teacher
        self.geometric_check = geometric_check
        self.agreement_history: list[Tensor] = []

    def start_fit(self, module: SSANModule, domains: Batch) -> None:
        """Forget earlier trainings."""
        self.agreement_history = []

    def end_step(self, module: SSANModule, batch: Batch) -> None:
        """Keep which share of the target had a pseudo-label in this step."""
        self.agreement_history.append(self.agreement)

    def forward(
        self, module: SSANModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the five terms of Equation 1 on one batch."""
        source, target, _ = batch
        f_s = module.encode(source.X, "source")  # (n_s, d)
        f_t = module.encode(target.X, "target")  # (n_t, d)
        v_s, v_t = module.classify(f_s), module.classify(f_t)

        teacher = self.teacher(v_s, source.labels)
        mu_s = class_centroids(f_s, source.labels)
        prototypes = pooled_centroids(mu_s, class_centroids(f_t, target.labels))
        mu_t = class_centroids(
            f_t, target.labels + self.pseudo_labels(f_t, v_t, prototypes, target.labels)
        )
        reversal = sigmoid_ramp(progress)
        domain_loss = pooled_domain_loss(
            module.discriminate(f_s, reversal), module.discriminate(f_t, reversal)
        )
        return {
            "source_risk": cross_entropy(v_s, source.labels),
            "target_risk": (1 - self.alpha) * cross_entropy(v_t, target.labels),
            "soft_risk": self.alpha
            * soft_label_loss(
                v_t, target.labels, teacher, reduction=self.soft_reduction
            ),
            "centroid": self.beta * triplet_centroid_loss(mu_s, mu_t),
            "domain": self.gamma * domain_loss,
        }

    def teacher(self, v_s: Tensor, labels: Tensor) -> Centroids:
        """Mean prediction of the source for every class, softened."""
        soft = (v_s.detach() if self.detach_teacher else v_s) / self.temperature
        return class_centroids(soft.softmax(dim=1), labels)

    def pseudo_labels(
        self, f_t: Tensor, v_t: Tensor, prototypes: Centroids, labels: Tensor
    ) -> Tensor:
        """Label the target where the network and the nearest prototype agree."""
        similarities = f_t @ unit_length(prototypes.mean).T  # (n_t, c)
        found = pseudo_labels(
            v_t, labels, similarities if self.geometric_check else None
        )
        n_unlabeled = (1 - labels.sum(dim=1)).sum()
        self.agreement = found.sum() / n_unlabeled.clamp(min=1)
        return found


class SSANTargetObjective(SSANObjective):
    """What is left of Equation 1 without a source."""

    def forward(
        self, module: SSANModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risk, and align the labeled rows with the pseudo-labeled."""
        target = batch.target
        f_t = module.encode(target.X, "target")  # (n_t, d)
        v_t = module.classify(f_t)
        mu_l = class_centroids(f_t, target.labels)
        mu_u = class_centroids(f_t, self.pseudo_labels(f_t, v_t, mu_l, target.labels))
        return {
            "target_risk": cross_entropy(v_t, target.labels),
            "centroid": self.beta * triplet_centroid_loss(mu_l, mu_u),
        }


@estimator
class SSAN(BaseTwoStreamClassifier):
    r"""Simultaneous semantic alignment network.

    Classifies a partially labeled target with the help of a labeled source that has
    other features [1]_. An encoder of two layers per domain maps both onto the unit
    sphere of a common space, where they share a classifier. The network minimizes

    .. math::

        L = L_S + (1 - \alpha) J_{sup} + \alpha J_{soft} + \beta L_{ESA}
        + \gamma L_D \tag{1}

    * :math:`L_S` and :math:`J_{sup}`: the cross-entropy of the labeled rows of the
      source and of the target.
    * :math:`J_{soft}`: the cross-entropy of labeled target rows with the soft label of
      their class, the mean over its source rows of
      :math:`\operatorname{softmax}(v / T)` (implicit semantic correlation).
    * :math:`L_{ESA}`: the squared distances between the centroids of every class in
      the source, in the target and in both. An unlabeled target row counts for the
      class that the network predicts, if the nearest class prototype says the same
      (explicit semantic alignment).
    * :math:`L_D`: the cross-entropy of a domain discriminator behind a gradient
      reversal that ramps up over the training.

    A class that one domain lacks does not count where domains are compared. Without a
    source, what remains is :math:`J_{sup}` and :math:`\beta L_{ESA}` between labeled
    and pseudo-labeled target rows. That is the control to beat.

    A few labels of the target are needed: without any, nothing ties the classes of one
    domain to those of the other, and ``fit`` warns. The steps of a pipeline before this
    one see the target only: pass ``source_transformer`` and ``target_transformer``
    instead.

    Parameters
    ----------
    alpha
        Weight :math:`\alpha` of the soft labels, from 0 to 1.
    beta
        Weight :math:`\beta` of the alignment of the classes.
    gamma
        Weight :math:`\gamma` of the domain loss: 0.1 in the public code, 0.01 in the
        paper.
    temperature
        Temperature :math:`T` of the soft labels.
    soft_reduction
        Whether :math:`J_{soft}` is a sum of class means, as in the public code, or the
        mean over rows of the paper, which is smaller by the number of classes.
    detach_teacher
        Whether :math:`J_{soft}` leaves the source's predictions alone. In the public
        code it trains them too.
    geometric_check
        Whether a pseudo-label must be confirmed by the nearest prototype.
    rotate
        Whether to train a wide first layer in the row space of its samples: the same
        network, up to rounding, in less time. Only "sgd" allows it.
    init_std
        Standard deviation of the initial weights and biases: 0.01 in the public code.
    lr_schedule : {"constant", "cosine", "inverse"} or callable
        Factor of the learning rate; a callable maps the progress to it. At the
        constant rate of the public code, the last iterate is unsteady.

    Attributes
    ----------
    class_centroids_ : ndarray of shape (n_classes, n_components)
        Prototypes: centroids over the labeled rows of both domains.
    soft_labels_ : ndarray of shape (n_classes, n_classes) or None
        Mean softened prediction of the source for each class; None without a source.
    pseudo_labels_ : ndarray of shape (n_target, n_classes)
        One-hot pseudo-labels at the end; an all-zero row where there is none.
    agreement_history_ : ndarray of shape (n_steps,)
        Share of the unlabeled target rows that had a pseudo-label in each step: those
        on which the network and the nearest prototype agree.

    See Also
    --------
    STN : Aligns classes by soft labels, in fewer steps.
    skda.baselines.TargetNet : The target's network alone.

    Notes
    -----
    The public code reports the best of 3000 epochs on the test labels, which no fit of
    this library sees; :meth:`published` returns its other settings. The unit length of
    the features is not in the paper.

    References
    ----------
    .. [1] S. Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous
       Domain Adaptation", ACM Multimedia 2020. arXiv:2008.01677.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SSAN
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = SSAN(max_epochs=50, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    alpha: Share = 0.1
    beta: NonNegative = 0.004
    gamma: NonNegative = 0.1
    temperature: Positive = 5.0
    soft_reduction: Literal["class_sum", "mean"] = "class_sum"
    detach_teacher: bool = False
    geometric_check: bool = True
    rotate: bool = True
    init_std = 0.03
    max_epochs = 400
    lr = 0.1
    optimizer = "sgd"
    weight_decay = 0.001
    lr_schedule = "cosine"

    published_params: ClassVar[dict[str, Any]] = {
        "n_hidden": None,
        "leaky_logits": True,
        "power": 1.0,
        "normalize": True,
        "n_neighbors": None,
        "source_per_class": None,
        "init_std": 0.01,
        "lr_schedule": "constant",
        "max_epochs": 3000,
    }

    unlabeled_fate: ClassVar[str] = (
        "SSAN may predict them there, as the domains share its classifier, but cannot "
        "tell whether rightly; GeoST(unlabeled_classes='infer') estimates that"
    )

    def make_module(self, sizes: Sizes) -> nn.Module:
        module = SSANModule(**self._layout(sizes))
        draw_normal(module, self.init_std)
        return module

    def make_objective(self) -> SSANObjective:
        return SSANObjective(**self._objective_params())

    def make_target_objective(self) -> Objective:
        return SSANTargetObjective(**self._objective_params())

    def _objective_params(self) -> dict[str, Any]:
        return {
            "alpha": self.alpha,
            "beta": self.beta,
            "gamma": self.gamma,
            "temperature": self.temperature,
            "soft_reduction": self.soft_reduction,
            "detach_teacher": self.detach_teacher,
            "geometric_check": self.geometric_check,
        }

    def _rotates(self) -> bool:
        return self.rotate and self.optimizer == "sgd"

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        objective = self.make_objective()
        f_t, v_t, labels = self._outputs(target, "target")
        labeled = class_centroids(f_t, labels)
        prototypes, self.soft_labels_ = labeled, None
        if self.n_features_in_source_ is not None:
            f_s, v_s, labels_s = self._outputs(source, "source")
            prototypes = pooled_centroids(class_centroids(f_s, labels_s), labeled)
            self.soft_labels_ = objective.teacher(v_s, labels_s).mean.numpy()
        pseudo = objective.pseudo_labels(f_t, v_t, prototypes, labels)
        self.class_centroids_ = prototypes.mean.numpy()
        self.pseudo_labels_ = pseudo.numpy()
        shares = self.net_.criterion_.agreement_history
        self.agreement_history_ = np.array([share.item() for share in shares])
        shares.clear()  # or every copy of the network would carry them
