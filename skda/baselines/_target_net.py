"""The target's own network, the control of every network that adapts."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.preprocessing import Normalizer
from torch import Tensor, nn

from skda.base import BaseNetClassifier, DomainName, Sizes, TargetRisk
from skda.baselines._control import TargetLearner
from skda.modules import draw_normal
from skda.training import Objective
from skda.utils._sklearn import Interval

__all__ = ["TargetNet"]


class TargetNetModule(nn.Module):
    """A hidden layer and a classifier."""

    def __init__(self, sizes: Sizes, n_components: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(sizes.n_target_features, n_components), nn.LeakyReLU(0.2)
        )
        self.head = nn.Linear(n_components, sizes.n_classes)

    def encode(self, X: Tensor, domain: DomainName) -> Tensor:
        """Map samples, of shape (n, p), to hidden units, of shape (n, d)."""
        return self.hidden(X).to(X.dtype)

    def forward(self, X: Tensor, domain: DomainName = "target") -> Tensor:
        """Map samples, of shape (n, p), to logits, of shape (n, c)."""
        return self.head(self.encode(X, domain)).to(X.dtype)


class TargetNet(TargetLearner, BaseNetClassifier):
    r"""Network of one hidden layer, trained on the labeled target samples alone.

    The control that papers on heterogeneous adaptation call NNt. It minimizes the
    cross-entropy of the labeled target rows plus
    :math:`\tfrac{\tau}{2} \sum_l \|W_l\|_F^2`. A ``source`` is accepted and ignored, so
    that the control stands in the same call as a method that adapts. The fitted
    attributes are those of :class:`skda.base.BaseNetClassifier`.

    Parameters
    ----------
    n_components : int, default=256
        Width of the hidden layer.
    tau : float, default=0.001
        Weight :math:`\tau` of the decay, which spares the biases.
    normalize : bool, default=True
        Whether to scale every row to unit length.
    target_transformer : transformer, default=None
        Cloned, fitted on the target samples and applied to them ever after.
    max_epochs : int, default=500
        Passes over the target.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=-1
        Most samples to draw from each domain at every step; -1 for all of them.
    lr : float, default=0.01
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
    TargetOnly : Any scikit-learn classifier as such a control.

    Notes
    -----
    Only labeled rows have a loss, so only they are trained on: a step costs the same
    however many unlabeled rows come along.

    Examples
    --------
    >>> from skda.baselines import TargetNet
    >>> from skda.datasets import make_heterogeneous_domains
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = TargetNet(random_state=0).fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetClassifier._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tau": [Interval(Real, 0, None, closed="left")],
        "normalize": ["boolean"],
    }
    source_transformer = None

    def __init__(
        self,
        *,
        n_components: int = 256,
        tau: float = 0.001,
        normalize: bool = True,
        target_transformer: Any = None,
        max_epochs: int = 500,
        max_steps: int | None = None,
        batch_size: int = -1,
        lr: float = 0.01,
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
        self.tau = tau
        self.normalize = normalize
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
        module = TargetNetModule(sizes, self.n_components)
        draw_normal(module, std=0.01, truncated=True)
        return module

    def make_objective(self) -> Objective:
        return TargetRisk(self.tau)

    def make_target_objective(self) -> Objective:
        return self.make_objective()

    def make_preprocessor(self, domain: DomainName) -> Any:
        return Normalizer() if self.normalize else None
