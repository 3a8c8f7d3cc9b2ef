"""Domain confusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective
from skda.losses import confusion_loss, domain_loss, prediction_entropy
from skda.modules import AdversarialClassifier
from skda.training import Objective, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["DomainConfusion"]


class DomainConfusionObjective(OneStreamObjective):
    """Equation 1 of :class:`DomainConfusion`."""

    def __init__(self, lambda0: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: AdversarialClassifier,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the losses of the discriminator, of the features and of both."""
        ramp = sigmoid_ramp(progress)
        n_source = len(features[0])
        f = torch.cat(features)
        d = module.discriminate(f.detach())
        terms = {
            "domain": domain_loss(d[:n_source], d[n_source:]),
            "confusion": self.lambda0
            * ramp
            * confusion_loss(module.discriminate(f, fixed=True)),
        }
        if self.entropy_weight:
            entropy = prediction_entropy(logits[1]).mean()
            terms["entropy"] = self.entropy_weight * ramp * entropy
        return terms


class DomainConfusion(BaseOneStreamClassifier):
    r"""Domain confusion.

    Learns features from which a discriminator tells either domain with the same
    probability [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_p (\lambda_0 L_{conf} + \mu H) \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of the discriminator, which alone it trains.
    * :math:`L_{conf}`: the cross-entropy of the discriminator with one half for either
      domain, which trains the features alone.
    * :math:`H`: the mean entropy of the predictions of target rows; off, unless
      ``entropy_weight`` is set.
    * :math:`\lambda_p = 2 / (1 + e^{-10 p}) - 1`, which rises with the progress
      :math:`p`.

    One step updates all of them, where the paper alternates.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the confusion, at the end of the training.
    entropy_weight : float, default=0.0
        Weight :math:`\mu` of the entropy, at the end of the training. As 1 it is the
        row "+ Em" in the tables of [2]_.
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

    See Also
    --------
    DANN : Reverses the gradient of the discriminator instead.
    SymNets : Confuses the domains by their classifiers.

    Notes
    -----
    :meth:`published` has the training settings of [2]_.

    References
    ----------
    .. [1] E. Tzeng et al., "Simultaneous Deep Transfer Across Domains and Tasks",
       ICCV 2015.
    .. [2] Y. Zhang et al., "Domain-Symmetric Networks for Adversarial Domain
       Adaptation", CVPR 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import DomainConfusion
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DomainConfusion(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseOneStreamClassifier._parameter_constraints,
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "extractor_lr": 0.1,
        "batch_size": 128,
        "weight_decay": 0.0001,
        "max_epochs": 200,
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        entropy_weight: float = 0.0,
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
        self.entropy_weight = entropy_weight
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

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return DomainConfusionObjective(self.lambda0, self.entropy_weight)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
