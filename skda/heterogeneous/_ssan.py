"""Simultaneous semantic alignment network."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, Rows, Sizes
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
from skda.utils._sklearn import Interval, StrOptions

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
        return pseudo_labels(
            v_t, labels, similarities if self.geometric_check else None
        )


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

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead. The fitted attributes
    are those of :class:`skda.base.BaseNetClassifier`.

    Parameters
    ----------
    n_components : int, default=256
        Dimension of the common space.
    n_hidden : int, default=256
        Width of the hidden layers; None is halfway between a domain's features and
        ``n_components``, as in the public code.
    alpha : float, default=0.1
        Weight :math:`\alpha` of the soft labels, from 0 to 1.
    beta : float, default=0.004
        Weight :math:`\beta` of the alignment of the classes.
    gamma : float, default=0.1
        Weight :math:`\gamma` of the domain loss: 0.1 in the public code, 0.01 in the
        paper.
    temperature : float, default=5.0
        Temperature :math:`T` of the soft labels.
    soft_reduction : {"class_sum", "mean"}, default="class_sum"
        Whether :math:`J_{soft}` is a sum of class means, as in the public code, or the
        mean over rows of the paper, which is smaller by the number of classes.
    detach_teacher : bool, default=False
        Whether :math:`J_{soft}` leaves the source's predictions alone. In the public
        code it trains them too.
    geometric_check : bool, default=True
        Whether a pseudo-label must be confirmed by the nearest prototype.
    leaky_logits : bool, default=False
        Whether a leaky ReLU follows the classifier, as in the public code.
    init_std : float, default=0.03
        Standard deviation of the initial weights and biases: 0.01 in the public code.
    power : float or "auto", default="auto"
        Power of every feature; "auto" is the square root in a domain that has no
        negative feature, else 1. The public code takes 1.
    normalize : bool, default=True
        Whether to scale every row to unit length after that, in either domain.
    n_neighbors : int, default=10
        Neighbors over which :class:`skda.preprocessing.GraphSmoother` smooths target
        rows, and therefore keeps them; None, as in the public code, does not.
    source_per_class : int, default=20
        Source rows of every class in a step; None, as in the public code, is all.
    rotate : bool, default=True
        Whether to train a wide first layer in the row space of its samples: the same
        network, up to rounding, in less time. Only "sgd" allows it.
    source_transformer, target_transformer : transformer, default=None
        Cloned, fitted on the samples of that domain and applied to them ever after.
    max_epochs : int, default=400
        Passes over the larger of the two domains.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=-1
        Most samples to draw from each domain at every step; -1 for all of them.
    lr : float, default=0.1
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="sgd"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.001
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable, default="cosine"
        Factor of the learning rate; a callable maps the progress to it. At the
        constant rate of the public code, the last iterate is unsteady.
    callbacks : list of skorch callbacks, default=None
        Copied, then called during training; ``net_.callbacks_`` has the copies.
    device : str or torch.device, default="auto"
        Where to train and predict; "auto" is CUDA where there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights and of the batches.
    verbose : int, default=0
        Whether to show a progress bar with every loss term.
    warm_start : bool, default=False
        Whether to go on with the network of the last fit.

    Attributes
    ----------
    class_centroids_ : ndarray of shape (n_classes, n_components)
        Prototypes: centroids over the labeled rows of both domains.
    soft_labels_ : ndarray of shape (n_classes, n_classes) or None
        Mean softened prediction of the source for each class; None without a source.
    pseudo_labels_ : ndarray of shape (n_target, n_classes)
        One-hot pseudo-labels at the end; an all-zero row where there is none.

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
       Domain Adaptation", ACM Multimedia 2020.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SSAN
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = SSAN(max_epochs=50, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTwoStreamClassifier._parameter_constraints,
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "soft_reduction": [StrOptions({"class_sum", "mean"})],
        "detach_teacher": ["boolean"],
        "geometric_check": ["boolean"],
        "rotate": ["boolean"],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "n_hidden": None,
        "leaky_logits": True,
        "power": 1.0,
        "n_neighbors": None,
        "source_per_class": None,
        "init_std": 0.01,
        "lr_schedule": "constant",
        "max_epochs": 3000,
    }

    def __init__(
        self,
        *,
        n_components: int = 256,
        n_hidden: int | None = 256,
        alpha: float = 0.1,
        beta: float = 0.004,
        gamma: float = 0.1,
        temperature: float = 5.0,
        soft_reduction: str = "class_sum",
        detach_teacher: bool = False,
        geometric_check: bool = True,
        leaky_logits: bool = False,
        init_std: float = 0.03,
        power: float | str = "auto",
        normalize: bool = True,
        n_neighbors: int | None = 10,
        source_per_class: int | None = 20,
        rotate: bool = True,
        source_transformer: Any = None,
        target_transformer: Any = None,
        max_epochs: int = 400,
        max_steps: int | None = None,
        batch_size: int = -1,
        lr: float = 0.1,
        optimizer: str | Callable[..., Any] = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 0.001,
        lr_schedule: str | Callable[[float], float] = "cosine",
        callbacks: list[Any] | None = None,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.temperature = temperature
        self.soft_reduction = soft_reduction
        self.detach_teacher = detach_teacher
        self.geometric_check = geometric_check
        self.leaky_logits = leaky_logits
        self.init_std = init_std
        self.power = power
        self.normalize = normalize
        self.n_neighbors = n_neighbors
        self.source_per_class = source_per_class
        self.rotate = rotate
        self.source_transformer = source_transformer
        self.target_transformer = target_transformer
        self.max_epochs = max_epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.callbacks = callbacks
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def make_module(self, sizes: Sizes) -> nn.Module:
        module = SSANModule(**self._layout(sizes))
        draw_normal(module, self.init_std)
        return module

    def make_objective(self) -> SSANObjective:
        return SSANObjective(**self._switches())

    def make_target_objective(self) -> Objective:
        return SSANTargetObjective(**self._switches())

    def _switches(self) -> dict[str, Any]:
        names = set(signature(SSANObjective).parameters)
        return {name: value for name, value in vars(self).items() if name in names}

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
        kept = objective.pseudo_labels(f_t, v_t, prototypes, labels)
        self.class_centroids_ = prototypes.mean.numpy()
        self.pseudo_labels_ = kept.numpy()
