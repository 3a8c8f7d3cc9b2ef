"""Selective adversarial network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective
from skda.losses import domain_loss
from skda.modules import ByteDropout, OneStreamClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["SAN"]


class StackedLinear(nn.Module):
    """As many linear layers as there are classes, in one product."""

    def __init__(self, n_layers: int, n_in: int, n_out: int) -> None:
        super().__init__()
        bound = n_in**-0.5  # that of a linear layer
        shapes = (n_layers, n_in, n_out), (n_layers, 1, n_out)
        weight, bias = (torch.empty(shape).uniform_(-bound, bound) for shape in shapes)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, X: Tensor) -> Tensor:
        """Map inputs of every layer, of shape (c, n, n_in)."""
        return torch.baddbmm(self.bias, X, self.weight)


class SANModule(OneStreamClassifier):
    """A network with a discriminator of the domains for every class."""

    def __init__(
        self,
        n_components: int,
        n_classes: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        dropout: float,
        **layout: Any,
    ) -> None:
        super().__init__(n_components=n_components, n_classes=n_classes, **layout)
        widths = [n_components, *discriminator_layer_sizes, 1]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [StackedLinear(n_classes, n_in, n_out), nn.ReLU()]
            layers += [ByteDropout(dropout)]
        self.discriminators = nn.Sequential(*layers[:-2])

    def discriminate(self, f: Tensor) -> Tensor:
        """Map features, of shape (c, n, d), to logits of "source", of shape (c, n)."""
        return self.discriminators(f).to(f.dtype).squeeze(2)


class SANObjective(OneStreamObjective):
    """Equation 1 of :class:`SAN`."""

    def __init__(self, lambda0: float, *, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: SANModule,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the loss of every discriminator, and the entropy."""
        p_s, p_t = (v.detach().softmax(dim=1) for v in logits)  # (n, c)
        weights = p_t.mean(dim=0)  # (c,)
        weights = weights / weights.max()
        reversal = self.lambda0 * sigmoid_ramp(progress) * weights[:, None, None]
        shares = torch.cat([p_s, p_t]).T[:, :, None]  # (c, n, 1)
        d = module.discriminate(
            reverse_gradient(shares * torch.cat(features), reversal)
        )
        d_s, d_t = d.split([len(f) for f in features], dim=1)  # (c, n_s), (c, n_t)
        mean = domain_loss(d_s.flatten(), d_t.flatten())
        terms = {"domain": len(weights) * mean}
        return terms | entropy_term(self.entropy_weight, logits[1])


class SAN(BasePartialClassifier):
    r"""Selective adversarial network.

    Learns features from which no discriminator can tell the domains, of which there is
    one for every class; that of a class which the target lacks has little to say [1]_.
    The network minimizes

    .. math::

        L = L_s + L_t + \sum_{k=1}^{c} L_{d_k} + \lambda_H H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{d_k}`: the cross-entropy of the discriminator of a class, which sees
      :math:`p_{ik} f_i`, the features times the probability of the class, the mean over
      both domains. Behind it, the gradient is multiplied by :math:`-\kappa w_k`, with
      the mean probability of the class over the target rows of the batch divided by
      that of the most likely one as :math:`w_k`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.
    * :math:`H`: the mean entropy of the predictions of target rows.

    Neither :math:`p` nor :math:`w` has a gradient.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    entropy_weight : float, default=0.05
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.2 in the
        public code.
    discriminator_layer_sizes : sequence of int, default=(64,)
        Widths of the hidden layers of every discriminator.
    dropout : float, default=0.5
        Fraction of their hidden units to drop in training.
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
    PADA : One discriminator, and class weights in the risk, too.

    Notes
    -----
    The weights of the classes and the entropy are those of the target, as in the paper;
    the public code takes the mean over both domains.

    :meth:`published` has the settings of the public code for Office-31. A
    pretrained ``module`` has a tenth of the learning rate there: pass
    ``extractor_lr=0.1``.

    References
    ----------
    .. [1] Z. Cao et al., "Partial Transfer Learning with Selective Adversarial
       Networks", CVPR 2018.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> few = y[:100] < 2
    >>> clf = SAN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100][few] + 1.0, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "entropy_weight": 0.2,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 50_000,
        "lr": 0.003,
        "weight_decay": 0.0005,
        "lr_schedule": partial(inverse_decay, alpha=50.0),
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        entropy_weight: float = 0.05,
        discriminator_layer_sizes: Sequence[int] = (64,),
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

    def make_objective(self) -> Objective:
        return SANObjective(self.lambda0, entropy_weight=self.entropy_weight)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return SANModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
