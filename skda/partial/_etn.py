"""Example transfer network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import log
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import OneStreamObjective
from skda.losses import (
    cross_entropy,
    domain_loss,
    weighted_mean,
)
from skda.modules import (
    AdversarialClassifier,
    multilayer_perceptron,
    quicken_dropout,
    reverse_gradient,
)
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Batch, Objective, inverse_decay, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["ETN"]


class ETNModule(AdversarialClassifier):
    """A network with an auxiliary classifier, which knows the classes of the source."""

    def __init__(
        self,
        n_components: int,
        n_classes: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        dropout: float,
        **layout: Any,
    ) -> None:
        super().__init__(
            n_components=n_components,
            n_classes=n_classes,
            discriminator_layer_sizes=discriminator_layer_sizes,
            dropout=dropout,
            **layout,
        )
        widths = [n_components, *discriminator_layer_sizes, n_classes]
        self.auxiliary = quicken_dropout(multilayer_perceptron(widths, dropout=dropout))

    def recognize(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the leaky softmax of features, of shape (n, d).

        Its logarithms have the shape (n, c); the logits of their sum, which tell how
        much a row looks like the source, the shape (n,).
        """
        z = self.auxiliary(f.detach()).to(f.dtype)  # (n, c)
        leak = z.new_full((len(z), 1), log(z.shape[1]))
        log_p = torch.cat([z, leak], dim=1).log_softmax(dim=1)[:, :-1]
        return log_p, z.logsumexp(dim=1) - leak.squeeze(1)


class ETNObjective(OneStreamObjective):
    """Equations 1 and 2 of :class:`ETN`."""

    def __init__(
        self,
        lambda0: float,
        *,
        entropy_weight: float,
        auxiliary_class_weight: float,
        auxiliary_domain_weight: float,
    ) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight
        self.auxiliary_class_weight = auxiliary_class_weight
        self.auxiliary_domain_weight = auxiliary_domain_weight

    def forward(
        self, module: ETNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of both equations."""
        source, target, _ = batch
        features = module.encode_both(source.X, target.X)
        v_s, v_t = (module.classify(f) for f in features)
        f, sizes = torch.cat(features), [len(f) for f in features]
        log_p, looks = module.recognize(f)
        terms = self.of_auxiliary(log_p[: sizes[0]], looks, source.labels)

        looks_s, _ = looks.detach().split(sizes)
        weights = (-looks_s).sigmoid()  # (n_s,)
        risks = F.cross_entropy(v_s, source.labels, reduction="none")  # (n_s,)
        terms["source_risk"] = weighted_mean(risks, weights)
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        reversal = self.lambda0 * sigmoid_ramp(progress)
        d_s, d_t = module.discriminate(reverse_gradient(f, reversal)).split(sizes)
        mean = weights.mean().clamp(min=torch.finfo(weights.dtype).tiny)
        terms["domain"] = 2 * domain_loss(d_s, d_t, weights / mean)
        return terms | entropy_term(self.entropy_weight, v_t)

    def of_auxiliary(
        self, log_p: Tensor, looks: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Evaluate Equation 2."""
        log_p = log_p.clamp(max=-1e-6)  # below one, or there is no logarithm of 1 - p
        log_q = (-torch.expm1(log_p)).log()
        missed = labels * log_p + (1 - labels) * log_q  # (n_s, c)
        looks_s, looks_t = looks.split([len(labels), len(looks) - len(labels)])
        domain = 2 * domain_loss(looks_s, looks_t)
        return {
            "auxiliary_class": -self.auxiliary_class_weight * missed.sum(dim=1).mean(),
            "auxiliary_domain": self.auxiliary_domain_weight * domain,
        }


class ETN(BasePartialClassifier):
    r"""Example transfer network.

    Learns features from which a discriminator cannot tell the domains, where a source
    row counts the less, the better an auxiliary classifier, which knows the classes of
    the source, recognizes it as such [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_H H + L_{aux} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of the discriminator, the sum of the means over
      either domain. Behind it, the gradient is multiplied by :math:`-\kappa`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.
    * :math:`H`: the mean entropy of the predictions of target rows.

    In :math:`L_s` and :math:`L_d`, source rows weigh :math:`1 - \tilde d_i`, scaled to
    mean one, without a gradient, with :math:`\tilde d_i = \sum_k \tilde p_{ik}` and the
    leaky softmax :math:`\tilde p_{ik} = e^{z_{ik}} / (c + \sum_l e^{z_{il}})` of the
    outputs :math:`z_i` of the auxiliary classifier. It alone is trained by

    .. math::

        L_{aux} = -\frac{\lambda_c}{n_s} \sum_{ik} \bigl( y_{ik} \log \tilde p_{ik}
        + (1 - y_{ik}) \log (1 - \tilde p_{ik}) \bigr)
        - \frac{\lambda_d}{n_s} \sum_i \log \tilde d^s_i
        - \frac{\lambda_d}{n_t} \sum_j \log \bigl(1 - \tilde d^t_j\bigr) . \tag{2}

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    entropy_weight : float, default=0.1
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.2 in the
        public code.
    auxiliary_class_weight : float, default=1.0
        Weight :math:`\lambda_c` of the classes in Equation 2.
    auxiliary_domain_weight : float, default=1.0
        Weight :math:`\lambda_d` of the domains in Equation 2; 10 in the public code.
    discriminator_layer_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers of the discriminator and of the auxiliary
        classifier.
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
    IWAN : Weighs by a discriminator that does not know the classes.

    Notes
    -----
    The public code draws as many source rows of every class in a batch; here they are
    drawn as they come. :meth:`published` has its settings, but for the last layer of
    the features, which is linear there. A pretrained
    ``module`` has a tenth of the learning rate there: pass ``extractor_lr=0.1``.

    References
    ----------
    .. [1] Z. Cao et al., "Learning to Transfer Examples for Partial Domain Adaptation",
       CVPR 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import ETN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> few = y[:100] < 2
    >>> clf = ETN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100][few] + 1.0, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "auxiliary_class_weight": [Interval(Real, 0, None, closed="left")],
        "auxiliary_domain_weight": [Interval(Real, 0, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "entropy_weight": 0.2,
        "auxiliary_domain_weight": 10.0,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 20_000,
        "lr": 0.001,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        entropy_weight: float = 0.1,
        auxiliary_class_weight: float = 1.0,
        auxiliary_domain_weight: float = 1.0,
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
        self.auxiliary_class_weight = auxiliary_class_weight
        self.auxiliary_domain_weight = auxiliary_domain_weight
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
        return ETNObjective(
            self.lambda0,
            entropy_weight=self.entropy_weight,
            auxiliary_class_weight=self.auxiliary_class_weight,
            auxiliary_domain_weight=self.auxiliary_domain_weight,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return ETNModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
