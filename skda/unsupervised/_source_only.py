"""No adaptation at all, the reference of every method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, DomainName, OneStreamObjective, Rows
from skda.losses import prediction_entropy
from skda.training import Objective, sigmoid_ramp
from skda.utils._sklearn import HasMethods, Interval

__all__ = ["SourceOnly"]


class SourceOnlyObjective(OneStreamObjective):
    """The risk of the labeled rows, and the entropy of the target's predictions."""

    def __init__(self, entropy_weight: float) -> None:
        super().__init__()
        self.entropy_weight = entropy_weight

    def adapt(
        self, module: Any, features: Any, logits: tuple[Tensor, Tensor], progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the entropy, if it has a weight."""
        if not self.entropy_weight:
            return {}
        weight = self.entropy_weight * sigmoid_ramp(progress)
        return {"entropy": weight * prediction_entropy(logits[1]).mean()}


class SourceOnly(BaseOneStreamClassifier, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    r"""Classifier of the labeled rows alone, the control of every method that adapts.

    Without an ``estimator``, the network of the other methods here minimizes

    .. math:: L = L_s + L_t + \lambda_p \mu H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`H`: the mean entropy of the predictions of target rows, which is all that
      sees an unlabeled one; off, unless ``entropy_weight`` is set.
    * :math:`\lambda_p = 2 / (1 + e^{-10 p}) - 1`, which rises with the progress
      :math:`p`.

    With an ``estimator``, a clone of it is fitted to the labeled rows of both domains.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    estimator : estimator object, default=None
        Classifier to fit instead of a network, such as a logistic regression.
    entropy_weight : float, default=0.0
        Weight :math:`\mu` of the entropy, at the end of the training. As 1 it is the
        row "+ Em" in the tables of [1]_.
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
    estimator_ : estimator object
        The fitted estimator, if one was given. There is no network then, and no
        ``transform``.

    See Also
    --------
    skda.baselines.TargetOnly : Any classifier on the labeled target rows alone.

    Notes
    -----
    On features of a convolutional network, a logistic regression on rows of unit
    length is the reference to beat:
    ``SourceOnly(LogisticRegression(C=10), shared_transformer=Normalizer())``. For
    counts, take their square root first. An estimator without ``predict_proba`` is
    taken to be certain of what it predicts.

    References
    ----------
    .. [1] Y. Zhang et al., "Domain-Symmetric Networks for Adversarial Domain
       Adaptation", CVPR 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SourceOnly
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SourceOnly(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseOneStreamClassifier._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict"]), None],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        entropy_weight: float = 0.0,
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
        self.estimator = estimator
        self.entropy_weight = entropy_weight
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
    def _dtype(self) -> type:  # type: ignore[override]
        return np.float32 if self.estimator is None else np.float64

    def make_objective(self) -> Objective:
        return SourceOnlyObjective(self.entropy_weight)

    def fit_rows(self, source: Rows, target: Rows) -> None:
        if self.estimator is None:
            super().fit_rows(source, target)
            return
        labeled = [rows.labeled() for rows in (source, target)]
        seen = [rows for rows in labeled if len(rows.X)]
        self.estimator_ = clone(self.estimator).fit(
            np.concatenate([rows.X for rows in seen]),
            np.concatenate([rows.labels.values for rows in seen]),
        )

    def _has_network(self) -> bool:
        if self.estimator is None:
            return True
        raise AttributeError(
            f"This SourceOnly has a {type(self.estimator).__name__}, which makes no "
            f"features: for transform, leave the estimator out."
        )

    @available_if(_has_network)
    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Map samples to the features that the network makes of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Features. There are none if there is an ``estimator``.
        """
        return super().transform(X, domain=domain)

    @available_if(_has_network)
    def fit_transform(
        self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any
    ) -> NDArray[np.float32]:
        """Fit, then map the target samples to features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels, as in :meth:`fit`.
        **fit_params : dict
            Passed to :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_target, n_components)
            Features. There are none if there is an ``estimator``.
        """
        return super().fit_transform(X, y, **fit_params)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if self.estimator is None:
            return super().predict_proba_rows(X, domain)
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(X)
        predicted = self.estimator_.predict(X)
        return (predicted[:, None] == self.classes_).astype(np.float64)
