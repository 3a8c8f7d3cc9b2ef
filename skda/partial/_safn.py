"""Stepwise adaptive feature norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective
from skda.modules import ByteDropout, OneStreamClassifier
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Objective
from skda.utils._sklearn import Interval

__all__ = ["SAFN"]


class SAFNModule(OneStreamClassifier):
    """A network that drops features in training, and keeps their norm."""

    def __init__(self, *, dropout: float, **layout: Any) -> None:
        super().__init__(**layout)
        self.dropout = ByteDropout(dropout)

    def encode(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to features, of shape (n, d)."""
        f = super().encode(X, domain)
        if not self.training:
            return f
        return self.dropout(f) * (1 - self.dropout.p) ** 0.5


class SAFNObjective(OneStreamObjective):
    """Equation 1 of :class:`SAFN`."""

    def __init__(self, lambda0: float, *, delta: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.delta = delta
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: Any,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate how far the norms of the features are from the next step."""
        steps = [norm_step(f, self.delta) for f in features]
        terms = {"norm": self.lambda0 * (steps[0] + steps[1])}
        return terms | entropy_term(self.entropy_weight, logits[1])


def norm_step(f: Tensor, delta: float) -> Tensor:
    """Evaluate the squared distance of norms from what they are plus a step."""
    norms = torch.linalg.vector_norm(f, dim=1)  # (n,)
    return (norms - norms.detach() - delta).square().mean()


class SAFN(BasePartialClassifier):
    r"""Stepwise adaptive feature norm.

    Makes the features of both domains larger and larger, because features that transfer
    well are found to be large [1]_. There is no adversary and no class weight. The
    network minimizes

    .. math::

        L = L_s + L_t + \lambda_0 \sum_{d \in \{s, t\}} \frac{1}{n_d} \sum_i
        \bigl( \lVert f^d_i \rVert - \lVert \bar f^d_i \rVert - \Delta_r \bigr)^2
        + \lambda_H H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`\lVert f_i \rVert`: the norm of the features of a row, after dropout that
      keeps its mean square; :math:`\bar f_i` are the same without a gradient, so that
      every step pushes all norms alike.
    * :math:`H`: the mean entropy of the predictions of target rows.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=0.005
        Weight :math:`\lambda_0` of the norms; 0.05 in the public code, which has a
        batch norm before the features.
    delta : float, default=1.0
        Step :math:`\Delta_r` by which the norms shall grow.
    entropy_weight : float, default=0.1
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.1 for
        Office-31 in the public code, 0 otherwise.
    dropout : float, default=0.0
        Fraction of the features to drop in training; 0.5 in the public code.
    n_components : int, default=256
        Number of features that the network makes of a row.
    hidden_layer_sizes : sequence of int, default=()
        Widths of the layers before them.
    normalize : bool, default=True
        Whether to scale every row to a mean square of one first.
    module : callable, default=None
        Function without arguments that builds a feature extractor, from samples of any
        shape to vectors, instead of the network that these three describe.
    extractor_lr : float, default=1.0
        Learning rate of the feature extractor, relative to ``lr``.
    train_transform, eval_transform : callable, default=None
        What to make of a sample of a ``Dataset`` in training, and otherwise.
    num_workers : int, default=0
        Processes that load the samples of a ``Dataset``.
    shared_transformer : transformer, default=None
        Cloned, fitted on the samples of both domains and applied to them ever after.
    source_transformer, target_transformer : transformer, default=None
        The same for the samples of one domain, before the shared one.
    max_epochs : int, default=40
        Passes over the larger of the two domains.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=64
        Most samples to draw from each domain at every step; -1 for all of them.
    lr : float, default=0.01
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="sgd"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.001
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable, default="inverse"
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

    Attributes
    ----------
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target, in the order of
        ``classes_``.
    class_weights_history_ : ndarray of shape (n_refreshes, n_classes)
        These shares at the end of the training.

    See Also
    --------
    SHOT : Better on precomputed features.
    skda.unsupervised.SourceOnly : Without the norms.

    Notes
    -----
    :meth:`published` has the settings of the public code for Office-Home, but for the
    batch norm before the features there. A pretrained ``module``
    has a tenth of the learning rate there: pass ``extractor_lr=0.1``.

    References
    ----------
    .. [1] R. Xu et al., "Larger Norm More Transferable: An Adaptive Feature Norm
       Approach for Unsupervised Domain Adaptation", ICCV 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SAFN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> few = y[:100] < 2
    >>> clf = SAFN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100][few] + 1.0, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "delta": [Interval(Real, 0, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 0.05,
        "entropy_weight": 0.0,
        "dropout": 0.5,
        "n_components": 1000,
        "batch_size": 32,
        "max_steps": 10_000,
        "lr": 0.001,
        "weight_decay": 0.0005,
        "lr_schedule": "constant",
    }

    def __init__(
        self,
        *,
        lambda0: float = 0.005,
        delta: float = 1.0,
        entropy_weight: float = 0.1,
        dropout: float = 0.0,
        n_components: int = 256,
        hidden_layer_sizes: Sequence[int] = (),
        normalize: bool = True,
        module: Callable[[], nn.Module] | None = None,
        extractor_lr: float = 1.0,
        train_transform: Callable[[Any], Any] | None = None,
        eval_transform: Callable[[Any], Any] | None = None,
        num_workers: int = 0,
        shared_transformer: Any = None,
        source_transformer: Any = None,
        target_transformer: Any = None,
        max_epochs: int = 40,
        max_steps: int | None = None,
        batch_size: int = 64,
        lr: float = 0.01,
        optimizer: str | Callable[..., Any] = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 0.001,
        lr_schedule: str | Callable[[float], float] = "inverse",
        callbacks: list[Any] | None = None,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        self.lambda0 = lambda0
        self.delta = delta
        self.entropy_weight = entropy_weight
        self.dropout = dropout
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.normalize = normalize
        self.module = module
        self.extractor_lr = extractor_lr
        self.train_transform = train_transform
        self.eval_transform = eval_transform
        self.num_workers = num_workers
        self.shared_transformer = shared_transformer
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

    def make_objective(self) -> Objective:
        return SAFNObjective(
            self.lambda0, delta=self.delta, entropy_weight=self.entropy_weight
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return SAFNModule(**layout, dropout=self.dropout)
