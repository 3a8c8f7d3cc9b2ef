"""Conditional domain-adversarial network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective
from skda.losses import certainty_weights, domain_loss
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.training import Objective, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["CDAN"]


class CDANModule(AdversarialClassifier):
    """A network whose discriminator sees features and predictions together."""

    feature_map: Tensor
    class_map: Tensor

    def __init__(
        self, n_components: int, n_classes: int, n_random: int | None, **layout: Any
    ) -> None:
        super().__init__(
            n_components=n_components,
            n_classes=n_classes,
            n_inputs=n_random or n_components * n_classes,
            **layout,
        )
        self.is_random = n_random is not None
        width = n_random or 0
        self.register_buffer("feature_map", torch.randn(n_components, width))
        self.register_buffer("class_map", torch.randn(n_classes, width))

    def condition(self, f: Tensor, v: Tensor) -> Tensor:
        """Multiply features, of shape (n, d), by predictions, of shape (n, c)."""
        g = v.detach().softmax(dim=1)  # (n, c)
        if self.is_random:
            product = (f @ self.feature_map) * (g @ self.class_map)  # (n, m)
            return product / product.shape[1] ** 0.5
        # A product of matrices, whose backward pass needs no temporary of its size.
        return torch.bmm(g[:, :, None], f[:, None, :]).flatten(start_dim=1)  # (n, c d)

    def domain_logits(self, f: Tensor, v: Tensor) -> Tensor:
        """Map features and logits of classes to logits of "from the source"."""
        first: Any = self.discriminator[0]
        if self.is_random or first.out_features >= f.shape[1]:
            return self.discriminate(self.condition(f, v))
        # A narrow first layer goes before the mix of the classes, on fewer numbers.
        g = v.detach().softmax(dim=1)  # (n, c)
        parts = first.weight.unflatten(1, (g.shape[1], -1)).transpose(0, 1)  # (c, h, d)
        units = F.linear(f, parts.flatten(end_dim=1)).unflatten(1, parts.shape[:2])
        mixed = torch.bmm(g[:, None, :].to(units.dtype), units).squeeze(1)  # (n, h)
        return self.discriminator[1:](mixed + first.bias).to(v.dtype).squeeze(1)


class CDANObjective(OneStreamObjective):
    """Equation 1 of :class:`CDAN`."""

    def __init__(self, lambda0: float, *, entropy_weighting: bool) -> None:
        super().__init__(lambda0)
        self.entropy_weighting = entropy_weighting

    def adapt(
        self,
        module: CDANModule,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the domain loss behind a gradient reversal."""
        reversal = self.lambda0 * sigmoid_ramp(progress)
        n_source = len(features[0])
        f = reverse_gradient(torch.cat(features), reversal)
        d = module.domain_logits(f, torch.cat(logits))
        weights = [certainty_weights(v) for v in logits if self.entropy_weighting]
        return {"domain": domain_loss(d[:n_source], d[n_source:], *weights)}


class CDAN(BaseOneStreamClassifier):
    r"""Conditional domain-adversarial network.

    Learns features from which a discriminator cannot tell the domains, even though it
    knows the predictions [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of a discriminator of :math:`f \otimes g`, all
      products of a feature with a predicted probability, the mean over both domains. A
      row weighs :math:`1 + e^{-H(g)}`, the more the more certain its prediction is
      (CDAN+E). Behind the discriminator, the gradient is multiplied by
      :math:`-\lambda_p`;
      :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.

    As in the public code, neither :math:`g` nor the weights have a gradient.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    entropy_weighting : bool, default=True
        Whether rows weigh by how certain their predictions are: CDAN+E, else CDAN.
    n_random : int, default=None
        Number of random products :math:`(R_f f) \odot (R_g g)` that the discriminator
        sees instead of all, for many features or classes; 1024 in the public code.
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
    DANN : Its discriminator sees the features alone.

    Notes
    -----
    :meth:`published` has the settings of the authors' successor library (TLlib).

    References
    ----------
    .. [1] M. Long et al., "Conditional Adversarial Domain Adaptation", NeurIPS 2018.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import CDAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = CDAN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseOneStreamClassifier._parameter_constraints,
        "entropy_weighting": ["boolean"],
        "n_random": [Interval(Integral, 1, None, closed="left"), None],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "discriminator_layer_sizes": (1024, 1024),
        "extractor_lr": 0.1,
        "batch_size": 32,
        "max_steps": 20_000,
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        entropy_weighting: bool = True,
        n_random: int | None = None,
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
        self.entropy_weighting = entropy_weighting
        self.n_random = n_random
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
        return CDANObjective(self.lambda0, entropy_weighting=self.entropy_weighting)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return CDANModule(
            **layout,
            n_random=self.n_random,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
