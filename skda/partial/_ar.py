"""Adversarial reweighting of the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from skda.base import Rows
from skda.partial._base import BasePartialClassifier
from skda.partial._reweighting import ARObjective, CriticizedClassifier
from skda.training import Objective
from skda.utils._sklearn import Interval

__all__ = ["AR"]


class AR(BasePartialClassifier):
    r"""Adversarial reweighting: weigh the source so that it looks like the target.

    A critic :math:`d` of the features finds where the weighted source differs from the
    target, and weights :math:`w` of the source rows make it differ as little as they
    may [1]_:

    .. math:: \min_w \max_d \;
        \frac{1}{n_s} \sum_i w_i \, d(f(x^s_i)) - \frac{1}{n_t} \sum_j d(f(x^t_j))
        \quad\text{with}\quad w_i \ge 0, \quad
        \tfrac{1}{n_s} \sum_i w_i = 1, \quad
        \tfrac{1}{n_s} \sum_i (w_i - 1)^2 \le \rho \tag{1}

    Every layer of the critic is divided by its largest singular value, so that it
    measures a Wasserstein distance. It has no say in the features, which are never
    aligned: they and the classifier minimize

    .. math:: L = \frac{1}{n_s} \sum_i w_i \, \ell(x^s_i, y_i) + L_t
        + \frac{\lambda_p}{n_t} \sum_j H(x^t_j) \tag{2}

    with :math:`\ell` the cross-entropy with labels smoothed by :math:`\varepsilon`,
    :math:`L_t` the cross-entropy of the labeled rows of the target, if there are any,
    and :math:`H` the entropy of the predictions;
    :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
    progress :math:`p`. The critic learns at every step; from time to time, the weights
    are solved for.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=0.1
        Weight :math:`\lambda_0` of the entropy, at the end of the training.
    rho : float, default=1.0
        Bound :math:`\rho` of the weights; 0 lets every row weigh the same. The public
        code has 5.
    smoothing : float, default=0.1
        Share :math:`\varepsilon` of a label that all classes have in equal parts.
    n_refreshes : int, default=10
        Number of equal parts of the training; each but the first begins, at its first
        epoch, with new weights.
    critic_layer_sizes : sequence of int, default=(256,)
        Widths of the hidden layers of the critic.
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
    source_weights_ : ndarray of shape (n_source,)
        The weights :math:`w`.
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target.

    See Also
    --------
    BA3US : Weighs classes instead of rows.

    Notes
    -----
    Where it differs from the public code: there, features are scaled to one length and
    the classifier knows angles alone, the critic is trained apart, for thousands of
    steps at a time, and a solver finds the weights. Here, the critic learns along, and
    the weights have almost a closed form.

    References
    ----------
    .. [1] X. Gu, X. Yu, Y. Yang, J. Sun and Z. Xu, "Adversarial Reweighting for Partial
       Domain Adaptation", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import AR
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = AR(max_epochs=10, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).predict(X_target).shape
    (77,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "rho": [Interval(Real, 0, None, closed="left")],
        "smoothing": [Interval(Real, 0, 1, closed="left")],
        "n_refreshes": [Interval(Integral, 1, None, closed="left")],
        "critic_layer_sizes": ["array-like"],
    }
    published_params: ClassVar[dict[str, Any]] = {"rho": 5.0}

    def __init__(
        self,
        *,
        lambda0: float = 0.1,
        rho: float = 1.0,
        smoothing: float = 0.1,
        n_refreshes: int = 10,
        critic_layer_sizes: Sequence[int] = (256,),
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
        self.rho = rho
        self.smoothing = smoothing
        self.n_refreshes = n_refreshes
        self.critic_layer_sizes = critic_layer_sizes
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
        return ARObjective(
            self.lambda0,
            rho=self.rho,
            smoothing=self.smoothing,
            n_refreshes=self.n_refreshes,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return CriticizedClassifier(
            **layout, critic_layer_sizes=self.critic_layer_sizes
        )

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        objective = self.net_.criterion_
        if len(source.X):
            self.source_weights_ = objective.weights.cpu().numpy()
