"""A semi-supervised autoencoder on the target alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from skda.base import AutoEncoderObjective, BaseNetClassifier, DomainName, Rows, Sizes
from skda.baselines._control import TargetLearner
from skda.modules import AutoEncoderClassifier
from skda.training import Objective
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.validation import check_layers

__all__ = ["SSDAE"]


class SSDAE(TargetLearner, BaseNetClassifier):
    r"""Semi-supervised deep autoencoder on the target alone.

    A control of networks that adapt: what the unlabeled rows of the target teach by
    themselves. It is the first phase of :class:`skda.heterogeneous.DATN` [1]_. With
    an encoder :math:`z(x)` of linear layers and ReLU, a decoder :math:`\hat x(z)` that
    mirrors it with weights of its own, and a linear classifier :math:`\theta_T` of
    :math:`z`, it minimizes

    .. math::

        w \, \frac 1 n \sum_i \lVert \hat x_i - x_i \rVert^2 - \frac 1 {n^L} \sum_j
        \log \operatorname{softmax}_{y_j} (z_j \theta_T) + \lambda \sum_l \Big(
        \lVert W_l \rVert_F^2 + \lVert b_l \rVert^2 \Big) , \tag{1}

    over all :math:`n` rows, the :math:`n^L` labeled ones, and the layers :math:`l` of
    encoder and decoder. A ``source`` is accepted and ignored. The fitted attributes
    are those of :class:`skda.base.BaseNetClassifier`.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 64)
        Width of every layer of the encoder.
    linear_top : bool, default=False
        Whether the last layer of the encoder is linear.
    recon_weight : float, default=1.0
        Weight :math:`w` of the reconstruction.
    lambda_reg : float, default=1e-4
        Weight :math:`\lambda` of the layers.
    scaling : {"feature"} or None, default="feature"
        Whether to standardize every feature.
    target_transformer : transformer, default=None
        Cloned, fitted on the target samples and applied to them ever after.
    max_epochs : int, default=200
        Passes over the target.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=128
        Most samples to draw at every step; -1 for all of them. A step whose samples
        are all unlabeled has no part in the classification.
    lr : float, default=0.001
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="adam"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.0
        Weight decay of the optimizer, beside :math:`\lambda`.
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
    TargetNet : A network of the labeled rows alone.
    skda.heterogeneous.DATN : Goes on with two such networks.

    Notes
    -----
    There is no public code. :meth:`published` takes the paper's learning rate of 0.0001
    and its decay and momentum of 0.8, which are the arguments of TensorFlow's RMSprop,
    on the whole target at every step; the paper names no number of epochs. Its
    reconstruction is a sum over the rows, which would drown the classification.

    References
    ----------
    .. [1] D. Wang, P. Cui, W. Zhu, "Deep Asymmetric Transfer Network for Unbalanced
       Domain Adaptation", AAAI 2018.

    Examples
    --------
    >>> from skda.baselines import SSDAE
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = SSDAE(max_epochs=10, random_state=0).fit(digits.X, y)
    >>> clf.transform(digits.X).shape == (len(y), 64)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like"],
        "recon_weight": [Interval(Real, 0, None, closed="left")],
        "lambda_reg": [Interval(Real, 0, None, closed="left")],
        "linear_top": ["boolean"],
        "scaling": [StrOptions({"feature"}), None],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "lr": 1e-4,
        "optimizer": partial(torch.optim.RMSprop, alpha=0.8, momentum=0.8),
        "batch_size": -1,
    }
    source_transformer = None

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] = (128, 64),
        linear_top: bool = False,
        recon_weight: float = 1.0,
        lambda_reg: float = 1e-4,
        scaling: str | None = "feature",
        target_transformer: Any = None,
        max_epochs: int = 200,
        max_steps: int | None = None,
        batch_size: int = 128,
        lr: float = 0.001,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.recon_weight = recon_weight
        self.lambda_reg = lambda_reg
        self.linear_top = linear_top
        self.scaling = scaling
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

    def fit_rows(self, source: Rows, target: Rows) -> None:
        check_layers(self.hidden_layer_sizes)
        super().fit_rows(source, target)

    def make_module(self, sizes: Sizes) -> nn.Module:
        return AutoEncoderClassifier(
            sizes.n_target_features,
            self.hidden_layer_sizes,
            sizes.n_classes,
            linear_top=self.linear_top,
        )

    def make_objective(self) -> Objective:
        return AutoEncoderObjective(self.recon_weight, self.lambda_reg)

    def make_target_objective(self) -> Objective:
        return self.make_objective()

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.scaling is None else StandardScaler()
