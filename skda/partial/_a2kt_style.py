"""Dual classifiers, and a selection that grows: after the abstract of A2KT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from skda.base import Rows, TargetRisk
from skda.partial._base import BasePartialClassifier
from skda.partial._dual import (
    A2KTStyleObjective,
    DualClassifier,
    DualTargetRisk,
    drop_between,
)
from skda.training import Objective
from skda.utils._sklearn import Interval

__all__ = ["A2KTStyle"]


class A2KTStyle(BasePartialClassifier):
    r"""Two classifiers that select together, **our design** after an abstract.

    This is not A2KT, adaptively accumulated knowledge transfer [1]_: of that, we could
    read the abstract alone, and there is no public code. From the abstract are the two
    classifiers, a selection of target rows and source classes that grows, compact
    classes that are far apart, and an alignment of domains; everything else is ours.
    **No number of this class may be published under the name A2KT.**

    A linear classifier has the probabilities :math:`p^m`. With :math:`g` the features
    of a row, scaled to unit length, and :math:`\mu_k` the prototype of a class, the
    other one has

    .. math:: p^p_k \propto \exp(g^\top \mu_k / \tau), \qquad
        \mu'_k \propto \beta \mu_k + (1 - \beta) \bar g_k, \tag{1}

    where :math:`\mu'_k`, of unit length too, is what a step with the mean
    :math:`\bar g_k` of its source rows makes of a prototype. Predictions are the mean
    :math:`q` of both. The training has :math:`R` parts. As part :math:`r + 1` begins,
    all target rows are looked at: of those that both classifiers find in a class, the
    fraction :math:`r / R` with the largest :math:`q` is selected. From the second
    selection on, a source row weighs nothing if its class is not selected, which takes

    .. math:: n_k > 0 \quad\text{and}\quad n_k \ge \theta \, n / K \tag{2}

    of :math:`n` selected rows. The network minimizes

    .. math:: L = L_s + L_t + \lambda_0 \bigl( \lambda_y L_y + \lambda_d L_d
        + \eta_1 L_1 + \eta_2 L_2 \bigr) \tag{3}

    * :math:`L_s`, :math:`L_t` and :math:`L_y`: the cross-entropy of both classifiers,
      added up, for the source rows of selected classes, for the labeled target rows, if
      there are any, and for the others that are selected.
    * :math:`L_d`: the unbiased maximum mean discrepancy
      (:func:`skda.losses.kernel_mmd`) of :math:`g` between these source rows and
      selected or labeled target rows.
    * :math:`L_1`: the mean of :math:`\lVert g - \mu_y \rVert^2` over the same rows of
      both domains.
    * :math:`L_2`: the mean of :math:`\max(0, m - \lVert \mu'_k - \mu'_l \rVert)` over
      selected classes :math:`k \neq l`; :math:`\mu` is a constant everywhere.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. A label of the target that the source lacks is an error. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of everything but the risks of labeled rows.
    pseudo_weight : float, default=1.0
        Weight :math:`\lambda_y` of the labels of selected rows.
    discrepancy_weight : float, default=1.0
        Weight :math:`\lambda_d` of the discrepancy.
    intra_weight : float, default=1.0
        Weight :math:`\eta_1` of the distances to the prototypes.
    inter_weight : float, default=0.1
        Weight :math:`\eta_2` of prototypes that are too close.
    margin : float, default=1.0
        Distance :math:`m` at which they are not; they have unit length.
    temperature : float, default=0.1
        Temperature :math:`\tau` of the cosines with the prototypes.
    decay : float, default=0.9
        What is left of a prototype after a step, :math:`\beta`.
    threshold : float, default=0.4
        Share :math:`\theta` of Equation 2; 0 selects every class that has a row.
    n_refreshes : int, default=10
        Number :math:`R` of equal parts of the training; each but the first begins, at
        its first epoch, with a selection.
    dropout : float, default=0.5
        Fraction of the units of every layer of ``hidden_layer_sizes`` to drop.
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
    selected_classes_ : ndarray of shape (n_selected_classes,)
        Classes that weighed something at the end; all of them if there were fewer than
        two selections. Not there without a source.
    n_selected_ : ndarray of shape (n_classes,)
        Rows of every class in the last selection, with labeled ones. Not there without
        a source.
    prototypes_ : ndarray of shape (n_classes, n_components)
        The prototypes :math:`\mu`.
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target, in the order of
        ``classes_``.
    class_weights_history_ : ndarray of shape (n_refreshes, n_classes)
        These shares at every selection, and at the end of the training.

    See Also
    --------
    SHOT : Published, with code, and prototypes of the target alone.
    PruneClasses : Leaves classes out once, before any method.

    Notes
    -----
    :meth:`published` gives the defaults, because no code and no settings are public.

    A larger network, of ``n_components=512`` and ``hidden_layer_sizes=(1024,)``, was no
    better on the features of Office-Caltech, and several times slower.

    Without a source, both classifiers learn the labeled rows of the target.

    References
    ----------
    .. [1] T. Jing, H. Xia and Z. Ding, "Adaptively-Accumulated Knowledge Transfer for
       Partial Domain Adaptation", ACM Multimedia 2020.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import A2KTStyle
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = A2KTStyle(max_epochs=20, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).selected_classes_
    array([0, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "pseudo_weight": [Interval(Real, 0, None, closed="left")],
        "discrepancy_weight": [Interval(Real, 0, None, closed="left")],
        "intra_weight": [Interval(Real, 0, None, closed="left")],
        "inter_weight": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, 2, closed="both")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "decay": [Interval(Real, 0, 1, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "n_refreshes": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        pseudo_weight: float = 1.0,
        discrepancy_weight: float = 1.0,
        intra_weight: float = 1.0,
        inter_weight: float = 0.1,
        margin: float = 1.0,
        temperature: float = 0.1,
        decay: float = 0.9,
        threshold: float = 0.4,
        n_refreshes: int = 10,
        dropout: float = 0.5,
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
        self.pseudo_weight = pseudo_weight
        self.discrepancy_weight = discrepancy_weight
        self.intra_weight = intra_weight
        self.inter_weight = inter_weight
        self.margin = margin
        self.temperature = temperature
        self.decay = decay
        self.threshold = threshold
        self.n_refreshes = n_refreshes
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
        return A2KTStyleObjective(
            self.lambda0,
            n_refreshes=self.n_refreshes,
            threshold=self.threshold,
            pseudo_weight=self.pseudo_weight,
            discrepancy_weight=self.discrepancy_weight,
            intra_weight=self.intra_weight,
            inter_weight=self.inter_weight,
            margin=self.margin,
        )

    def make_target_objective(self) -> TargetRisk:
        return DualTargetRisk()

    def make_classifier(self, **layout: Any) -> nn.Module:
        if self.module is None and self.dropout:
            layout["extractor"] = drop_between(layout["extractor"], self.dropout)
        return DualClassifier(
            **layout, temperature=self.temperature, momentum=self.decay
        )

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        self.prototypes_ = self.net_.module_.prototypes.cpu().numpy()
        for part in self.net_.criterion_.modules():  # a plug-in has another's objective
            if isinstance(part, A2KTStyleObjective):
                self.selected_classes_ = self.classes_[part.class_weights.cpu() > 0]
                self.n_selected_ = part.selected.sum(dim=0).int().cpu().numpy()
