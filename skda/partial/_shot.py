"""Source hypothesis transfer, for a target that lacks classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from skda.base import BaseOneStreamClassifier, Rows
from skda.partial._base import BasePartialClassifier
from skda.partial._hypothesis import (
    SHOTClassifier,
    SHOTObjective,
    SourceObjective,
)
from skda.partial._subset import check_known
from skda.training import Objective, Phase
from skda.utils._sklearn import Interval
from skda.utils.labels import check_labels

__all__ = ["SHOT"]


class SHOT(BasePartialClassifier):
    r"""Source hypothesis transfer, for a target that lacks classes.

    First, features :math:`f` and a classifier :math:`h` learn from the source alone,
    with labels smoothed by :math:`\varepsilon` [1]_:

    .. math:: L_1 = -\frac{1}{n_s} \sum_i \sum_k
        \bigl((1 - \varepsilon) [k = y_i] + \tfrac{\varepsilon}{K}\bigr)
        \log h_k(f(x_i)) \tag{1}

    Then the classifier is frozen, the source is put away, and the features learn from
    the target alone:

    .. math:: L_2 = \lambda_0 \Bigl( \frac{1}{n_t} \sum_j H\bigl(h(f(x_j))\bigr)
        - \frac{\beta}{n_t} \sum_j \log h_{\hat y_j}(f(x_j)) \Bigr) \tag{2}

    with :math:`H` the entropy. There is no term for diverse predictions, which would
    spread them over absent classes. From time to time, there are new pseudo-labels
    :math:`\hat y`: with :math:`\phi_j` the features of a row and a 1, scaled to unit
    length, and :math:`p_{jk}` its probabilities,

    .. math:: \mu_k \propto \sum_j p_{jk} \phi_j, \qquad
        \hat y_j = \arg\max_{k : n_k > T_c} \cos(\phi_j, \mu_k), \tag{3}

    where :math:`n_k` rows are predicted to be of class :math:`k`, and once more with
    :math:`p_{jk} = [\hat y_j = k]`. A class of few rows is not kept:

    .. math:: T_c = \theta \, n_t / K. \tag{4}

    With ``warm_start=True``, ``fit(X)`` without a source, after a ``fit`` with one,
    takes the features on to new rows of a target by Equation 2 alone; transformers and
    ``classes_`` stay what they are.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy to both losses.
    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of Equation 2 against labeled rows of the target.
    beta : float, default=0.3
        Weight :math:`\beta` of the pseudo-labels; 0 leaves the entropy alone, which is
        SHOT-IM for a target that lacks classes.
    threshold : float, default=0.4
        Share :math:`\theta` of Equation 4; 0 keeps every class that has a row.
    min_count : int, default=None
        Count :math:`T_c` to take instead, as published (10), which loses every class
        of a small target but the largest.
    n_refreshes : int, default=15
        Number of equal parts of the second phase; each begins, at its first epoch, with
        new pseudo-labels. If they change more often, a class may die out early.
    smoothing : float, default=0.1
        Share :math:`\varepsilon` of the label that all classes have in equal parts.
    source_epochs : int, default=None
        Epochs of the first phase; None is as many as there are of the second, and so
        it is with ``max_steps``.
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
    kept_classes_ : ndarray of shape (n_kept_classes,)
        Classes with more than :math:`T_c` rows.
    pseudo_labels_ : ndarray of shape (n_target,)
        What Equation 3 makes of the target at the end.
    centroids_ : ndarray of shape (n_kept_classes, n_components + 1)
        The centroids :math:`\mu`, of unit length, that they are nearest to.
    class_counts_ : ndarray of shape (n_classes,)
        Rows of every class among the pseudo-labels.
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target.

    See Also
    --------
    PruneClasses : Leaves classes out by a similar rule, before any method.
    skda.unsupervised.TargetCentroids : Equation 3 for every class, without a network.

    Notes
    -----
    Without a source, and without a fit before that had one, the network is trained on
    the labeled rows of the target.

    Where it differs from the public code: there, the bottleneck has batch norm and
    comes after a network of images (pass both as ``module``), a tenth of the source is
    held out to choose the epoch at which the first phase ends, and :math:`T_c` counts
    rows. :meth:`published` has the settings for Office-Home.

    References
    ----------
    .. [1] J. Liang, D. Hu and J. Feng, "Do We Really Need to Access the Source Data?
       Source Hypothesis Transfer for Unsupervised Domain Adaptation", ICML 2020.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SHOT
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = SHOT(max_epochs=10, warm_start=True, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).kept_classes_
    array([0, 1])
    >>> clf.fit(X_target[:20]).predict_proba(X_target).shape
    (77, 4)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseOneStreamClassifier._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "min_count": [Interval(Integral, 0, None, closed="left"), None],
        "n_refreshes": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Real, 0, 1, closed="left")],
        "source_epochs": [Interval(Integral, 1, None, closed="left"), None],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "min_count": 10,
        "source_epochs": 50,
        "max_epochs": 15,
        "extractor_lr": 0.1,
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        beta: float = 0.3,
        threshold: float = 0.4,
        min_count: int | None = None,
        n_refreshes: int = 15,
        smoothing: float = 0.1,
        source_epochs: int | None = None,
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
        self.beta = beta
        self.threshold = threshold
        self.min_count = min_count
        self.n_refreshes = n_refreshes
        self.smoothing = smoothing
        self.source_epochs = source_epochs
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

    @property
    def _goes_on(self) -> bool:
        """Say whether there is a network to adapt without a source."""
        knew_source = getattr(self, "n_features_in_source_", None) is not None
        return self.warm_start and hasattr(self, "net_") and knew_source

    def _check_domains(self, X: Any, y: Any, source: Any) -> tuple[Rows, Rows]:
        """Check both domains, or new rows of the target alone."""
        if source is not None or not self._goes_on:
            return super()._check_domains(X, y, source)
        rows = self._check_samples(X, "target")
        nothing = Rows(rows[:0], check_labels(None, rows[:0]))
        labels = check_labels(y, rows)
        check_known(labels, self.classes_, type(self).__name__)
        return nothing, Rows(rows, labels)

    def _network(self, task: Any, build: Callable[[], nn.Module]) -> nn.Module:
        n_source_features = task[0].n_source_features
        if self._goes_on and not n_source_features:  # there is no source this time
            return self.net_.module_
        return super()._network(task, build)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return SHOTClassifier(**layout)

    def make_objective(self) -> SHOTObjective:
        return SHOTObjective(
            self.lambda0,
            beta=self.beta,
            threshold=self.threshold,
            min_count=self.min_count,
            n_refreshes=self.n_refreshes,
        )

    def make_target_objective(self) -> Objective:
        return (
            self.make_objective() if self._goes_on else super().make_target_objective()
        )

    def make_phases(self, max_epochs: int) -> list[Phase]:
        first = max_epochs if self.max_steps else self.source_epochs or max_epochs
        return [
            Phase(SourceObjective(self.smoothing), first, "source"),
            Phase(self.make_objective(), max_epochs, "target"),
        ]

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        clusters = self.make_objective().clusters(*self._outputs(target, "target"))
        kept = clusters.kept.numpy()
        self.kept_classes_ = self.classes_[kept]
        self.pseudo_labels_ = self.classes_[clusters.labels.argmax(dim=1).numpy()]
        self.centroids_ = clusters.centroids.numpy()[kept]
        self.class_counts_ = clusters.counts.numpy()
