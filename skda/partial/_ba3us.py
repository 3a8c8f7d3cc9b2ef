"""Balanced adversarial alignment and adaptive uncertainty suppression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.losses import complement_entropy, prediction_entropy, weighted_mean
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, PartialObjective, entropy_term
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils._sklearn import Interval

__all__ = ["BA3US"]


class BA3USObjective(PartialObjective):
    """Equations 1 to 3 of :class:`BA3US`."""

    def __init__(
        self,
        lambda0: float,
        *,
        n_refreshes: int,
        alpha: float,
        lambda_cot: float,
        entropy_weight: float,
        mu: int | None,
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.alpha = alpha
        self.lambda_cot = lambda_cot
        self.entropy_weight = entropy_weight
        self.mu = mu

    def align(
        self,
        module: AdversarialClassifier,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Evaluate the terms but for the risks."""
        terms = {"domain": self.domain(module, features, logits, labels)}
        terms |= entropy_term(self.entropy_weight, logits[1])
        if self.lambda_cot:
            terms["complement"] = self.lambda_cot * self.complement(logits[0], labels)
        return terms

    def complement(self, v_s: Tensor, labels: Tensor) -> Tensor:
        """Evaluate Equation 2."""
        p = (v_s.detach().softmax(dim=1) * labels).sum(dim=1)  # (n_s,)
        weights = (1 - p + 1e-7) ** self.alpha * self.row_weights(labels)
        return -weighted_mean(complement_entropy(v_s, labels), weights)

    def domain(
        self,
        module: AdversarialClassifier,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        labels: Tensor,
    ) -> Tensor:
        """Evaluate Equation 3."""
        (f_s, f_t), kappa = features, self.lambda0 * sigmoid_ramp(self.progress)
        posing, share = self.augmentation(labels)  # (m,), (m,)
        f = torch.cat([f_s, f_t, f_s.index_select(0, posing)])
        d = module.discriminate(reverse_gradient(f, kappa))
        d_s, d_t, d_m = d.split([len(f_s), len(f_t), len(posing)])
        # The predictions, too, are to make it hard to tell the domains.
        h_s, h_t = (reverse_gradient(prediction_entropy(v), kappa) for v in logits)
        u_s, u_t = 1 + (-h_s).exp(), 1 + (-h_t).exp()
        u_s = u_s * self.row_weights(labels)  # (n_s,)
        u_m = u_s.index_select(0, posing) * share  # (m,)
        missed = torch.cat([F.softplus(-d_s), F.softplus(d_m)])
        rho = share.sum() / len(f_s)
        of_source = (1 + rho) * weighted_mean(missed, torch.cat([u_s, u_m]))
        return (of_source + weighted_mean(F.softplus(d_t), u_t)) / (2 + rho)

    def augmentation(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Choose the source rows that pose as target rows; fewer and fewer count."""
        n_source, device = len(labels), labels.device
        n_posing = 0 if self.mu is None else n_source // self.mu
        rows = torch.randperm(n_source, device=device)[:n_posing]
        part = (self.progress * self.n_refreshes + 1e-6) // 1
        n_left = n_posing * (1 - part / self.n_refreshes) + 1e-6
        counts = torch.arange(1, n_posing + 1, device=device) <= n_left
        return rows, counts.to(labels.dtype)


class BA3US(BasePartialClassifier):
    r"""Balanced adversarial alignment and adaptive uncertainty suppression.

    Learns features from which a discriminator cannot tell the domains, where source
    rows of classes that the target lacks count little, and some source rows pose as
    target rows, so that the target is not alone with its few classes [1]_. The network
    minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_H H + \lambda_{cot} L_{cot} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target. A source row weighs what its class does:
      :math:`w_c` is the mean probability of the class over the whole target, looked at
      ``n_refreshes`` times during the training; all classes weigh the same before.
    * :math:`H`: the mean entropy of the predictions of target rows.
    * :math:`L_{cot}`: the negative entropy of the predictions over the wrong classes.
      With :math:`r_{ik} = p_{ik} / (1 - p_{iy_i})`, and without a gradient of
      :math:`v`,

    .. math::

        L_{cot} = \frac{1}{\sum_i v_i} \sum_i \frac{v_i}{\log (K - 1)}
        \sum_{k \neq y_i} r_{ik} \log r_{ik},
        \qquad v_i = w_{y_i} (1 - p_{iy_i})^\alpha . \tag{2}

    * :math:`L_d`: the cross-entropy of the discriminator. With the source rows
      :math:`S` of a batch, those :math:`M` of them that pose as target rows, and
      :math:`\rho = |M| / |S|`,

    .. math::

        L_d = \frac{1}{2 + \rho} \left( \frac{1 + \rho}{\sum_{S, M} u} \Bigl(
        -\sum_S u_i \log \sigma(d_i) - \sum_M u_i \log \bigl(1 - \sigma(d_i)\bigr)
        \Bigr) - \frac{1}{\sum_T u} \sum_T u_i \log \bigl(1 - \sigma(d_i)\bigr)
        \right) \tag{3}

    with :math:`u_i = w_{y_i} (1 + e^{-H_i})`, where :math:`w` is one for target rows.
    Of the sums below the fractions there is no gradient. That of the discriminator's
    input and that of the entropies :math:`H_i` are multiplied by :math:`-\kappa`, so
    that features and predictions maximize what the discriminator minimizes;
    :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
    progress :math:`p` of the training. :math:`M` shrinks from :math:`1/\mu` of the rows
    to none.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight :math:`\lambda_0` of the reversed gradients, at the end of the training.
    alpha : float, default=1.0
        Exponent :math:`\alpha` of the uncertainty in the weights of Equation 2.
    lambda_cot : float, default=1.0
        Weight :math:`\lambda_{cot}` of the complement entropy; 5 for Office-31 in the
        public code.
    entropy_weight : float, default=0.1
        Weight :math:`\lambda_H` of the entropy of the target's predictions.
    mu : int, default=4
        One of how many source rows poses as a target row at first; None for no row.
    n_refreshes : int, default=10
        Number of equal parts of the training after which class weights, at the next
        epoch, and number of posing rows, at the next step, change.
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
    lr : float, default=0.03
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
        These shares whenever they were looked at, and at the end of the training.

    See Also
    --------
    PADA : Class weights alone.
    SHOT : No adversary, and better on precomputed features.

    Notes
    -----
    The rows that pose as target rows are drawn from those of the batch, whereas the
    public code loads others; they have no cost but the discriminator's. With two
    classes, :math:`L_{cot}` is zero.

    :meth:`published` has the settings of the public code for Office-Home, but for the
    last layer of the features, which is linear there. A pretrained ``module`` has a
    tenth of the learning rate there: pass ``extractor_lr=0.1``.

    References
    ----------
    .. [1] J. Liang et al., "A Balanced and Uncertainty-aware Approach for Partial
       Domain Adaptation", ECCV 2020.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import BA3US
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> few = y[:100] < 2
    >>> clf = BA3US(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100][few] + 1.0, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "lambda_cot": [Interval(Real, 0, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "mu": [Interval(Integral, 1, None, closed="left"), None],
        "n_refreshes": [Interval(Integral, 1, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 5000,
        "lr": 0.01,
        "lr_schedule": partial(inverse_decay, alpha=5.0),
    }

    def __init__(
        self,
        *,
        lambda0: float = 1.0,
        alpha: float = 1.0,
        lambda_cot: float = 1.0,
        entropy_weight: float = 0.1,
        mu: int | None = 4,
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
        lr: float = 0.03,
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
        self.alpha = alpha
        self.lambda_cot = lambda_cot
        self.entropy_weight = entropy_weight
        self.mu = mu
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
        return BA3USObjective(
            self.lambda0,
            n_refreshes=self.n_refreshes,
            alpha=self.alpha,
            lambda_cot=self.lambda_cot,
            entropy_weight=self.entropy_weight,
            mu=self.mu,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
