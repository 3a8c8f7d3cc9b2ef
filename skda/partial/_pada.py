"""Partial adversarial domain adaptation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.losses import domain_loss
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, PartialObjective
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["PADA"]


class PADAObjective(PartialObjective):
    """Equation 1 of :class:`PADA`."""

    def __init__(self, lambda0: float, *, n_refreshes: int, temperature: float) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.temperature = temperature

    def shares(self, logits: Tensor) -> Tensor:
        """Estimate the share of every class, of logits of the whole target."""
        return super().shares(logits / self.temperature)

    def weigh(self, shares: Tensor) -> Tensor:
        """Scale the shares so that the largest is one."""
        return shares / shares.max()

    def align(
        self,
        module: AdversarialClassifier,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Evaluate the weighted domain loss behind a gradient reversal."""
        reversal = self.lambda0 * sigmoid_ramp(self.progress)
        d = module.discriminate(reverse_gradient(torch.cat(features), reversal))
        d_s, d_t = d.split([len(f) for f in features])
        weights = self.row_weights(labels)  # (n_s,)
        return {
            "domain": domain_loss(d_s, d_t, weights, weights.mean().expand(d_t.shape))
        }


class PADA(BasePartialClassifier):
    r"""Partial adversarial domain adaptation.

    Learns features from which a discriminator cannot tell the domains, where source
    rows of classes that the target lacks count little [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target. A source row weighs what its class does:
      :math:`\gamma_c` is the mean probability of the class over the whole target, at
      temperature :math:`T`, divided by that of the most likely one. It is looked at
      ``n_refreshes`` times during the training; all classes weigh the same before.
    * :math:`L_d`: the cross-entropy of the discriminator, the mean over both domains. A
      source row weighs :math:`\gamma_{y_i}`, a target row the mean of these. Behind the
      discriminator, the gradient is multiplied by :math:`-\kappa`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    temperature : float, default=0.1
        Temperature :math:`T` of the predictions that make the class weights.
    n_refreshes : int, default=10
        Number of equal parts of the training after which the class weights change, at
        the next epoch.
    discriminator_layer_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers of the discriminator.
    dropout : float, default=0.5
        Fraction of its hidden units to drop in training.
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
        Share of every class in the predictions of the target at temperature :math:`T`,
        in the order of ``classes_``.
    class_weights_history_ : ndarray of shape (n_refreshes, n_classes)
        These shares whenever they were looked at, and at the end of the training.

    See Also
    --------
    BA3US : Its successor, with weights in more places.
    skda.unsupervised.DANN : Without the weights.

    Notes
    -----
    :meth:`published` has the settings of the authors' successor library (TLlib) for
    Office-31. A pretrained ``module``
    has a tenth of the learning rate there: pass ``extractor_lr=0.1``.

    References
    ----------
    .. [1] Z. Cao et al., "Partial Adversarial Domain Adaptation", ECCV 2018.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import PADA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> few = y[:100] < 2
    >>> clf = PADA(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100][few] + 1.0, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "n_refreshes": [Interval(Integral, 1, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "temperature": 0.1,
        "n_refreshes": 40,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 20_000,
        "lr": 0.002,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        temperature: float = 0.1,
        n_refreshes: int = 10,
        discriminator_layer_sizes: Sequence[int] = (256, 256),
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
        self.temperature = temperature
        self.n_refreshes = n_refreshes
        self.discriminator_layer_sizes = discriminator_layer_sizes
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
        return PADAObjective(
            self.lambda0,
            n_refreshes=self.n_refreshes,
            temperature=self.temperature,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
