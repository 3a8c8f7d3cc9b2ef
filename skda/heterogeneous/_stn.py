"""Soft transfer network."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, Sizes
from skda.losses import (
    class_centroids,
    cross_entropy,
    linear_mmd,
    paired_centroid_loss,
    squared_norm,
)
from skda.modules import TwoStreamClassifier, draw_normal
from skda.training import Batch, Objective
from skda.utils._sklearn import Interval

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
    beta : float, default=0.001
        Weight :math:`\beta` of the alignment.
    tau : float, default=0.001
        Weight :math:`\tau` of the decay, which spares the biases.
    detach_soft_labels : bool, default=False
        Whether the alignment leaves alone the soft labels that weigh it.
    leaky_logits : bool, default=False
        Whether a leaky ReLU follows the classifier, as in the public code.
    init_std : float, default=0.01
        Standard deviation of the initial weights and biases, before they are cut at
        two of it.
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
    source_transformer, target_transformer : transformer, default=None
        Cloned, fitted on the samples of that domain and applied to them ever after.
    max_epochs : int, default=300
        Passes over the larger of the two domains.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=-1
        Most samples to draw from each domain at every step; -1 for all of them.
    lr : float, default=0.001
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="adam"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.0
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable, default="constant"
        Factor of the learning rate; a callable maps the progress to it.
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
       ACM Multimedia 2019.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import STN
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = STN(max_epochs=50, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTwoStreamClassifier._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "tau": [Interval(Real, 0, None, closed="left")],
        "detach_soft_labels": ["boolean"],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "n_hidden": None,
        "leaky_logits": True,
        "init_std": 0.01,
        "power": 1.0,
        "n_neighbors": None,
        "source_per_class": None,
        "lr_schedule": "constant",
    }

    def __init__(
        self,
        *,
        n_components: int = 256,
        n_hidden: int | None = 256,
        beta: float = 0.001,
        tau: float = 0.001,
        detach_soft_labels: bool = False,
        leaky_logits: bool = False,
        init_std: float = 0.01,
        power: float | str = "auto",
        normalize: bool = True,
        n_neighbors: int | None = 10,
        source_per_class: int | None = 20,
        source_transformer: Any = None,
        target_transformer: Any = None,
        max_epochs: int = 300,
        max_steps: int | None = None,
        batch_size: int = -1,
        lr: float = 0.001,
        optimizer: str | Callable[..., Any] = "adam",
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        lr_schedule: str | Callable[[float], float] = "constant",
        callbacks: list[Any] | None = None,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.beta = beta
        self.tau = tau
        self.detach_soft_labels = detach_soft_labels
        self.leaky_logits = leaky_logits
        self.init_std = init_std
        self.power = power
        self.normalize = normalize
        self.n_neighbors = n_neighbors
        self.source_per_class = source_per_class
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
