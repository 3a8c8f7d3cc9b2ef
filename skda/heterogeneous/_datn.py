"""Deep asymmetric transfer network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from skda.base import BasePairedNetClassifier, DomainName, PairedRows, Rows, Sizes
from skda.heterogeneous._datn_objectives import (
    PretrainingObjective,
    TransferObjective,
    solve_map,
)
from skda.modules import MappedAutoEncoders
from skda.training import Domains, Objective, Phase
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.seeding import FitRandomness
from skda.utils.validation import check_layers

__all__ = ["DATN"]


class DATN(BasePairedNetClassifier):
    r"""Deep asymmetric transfer network.

    Classifies a target whose labels are few by a source whose labels are many and that
    has other features, with the help of rows that both domains have [1]_. The term
    :math:`w_S L_{soft,S}` of Equation 2 is not in the paper, whose objective forgets
    how to classify the source and with it the target: ``source_weight=0.0`` is the
    paper's.

    Every domain has an autoencoder, a stack of layers :math:`z^{(l)} =
    \operatorname{ReLU}(W^{(l)} z^{(l-1)} + b^{(l)})` with a decoder :math:`\hat x(z)`
    that mirrors it, and a softmax classifier :math:`\theta` of the top layer
    :math:`z`. In a first phase, "pretraining", each minimizes

    .. math::

        w \, \frac 1 n \sum_i \lVert \hat x_i - x_i \rVert^2 + L_{soft} + \lambda
        \sum_l \Big( \lVert W^{(l)} \rVert_F^2 + \lVert b^{(l)} \rVert^2 \Big) ,
        \tag{1}

    where :math:`L_{soft}` is the cross-entropy of the labeled rows. In the second,
    "transfer", the target's rows are mapped by :math:`G` onto those of the source, and
    the encoders and :math:`\theta_S` minimize

    .. math::

        L_{pair} + \alpha L_{trans} + \beta \Big\lVert \frac 1 {n_S} \sum_i z_{Si} -
        \frac 1 {n_T} \sum_i z_{Ti} \Big\rVert^2 + w_S L_{soft,S} + \lambda \sum_l
        \Big( \lVert W^{(l)} \rVert_F^2 + \lVert b^{(l)} \rVert^2 \Big) . \tag{2}

    * :math:`L_{pair} = \lVert Z_S^c - Z_T^c G \rVert_F^2 + \lambda_0 \lVert G
      \rVert_F^2` over the pairs.
    * :math:`L_{trans}`: the cross-entropy of the labeled target rows under
      :math:`\operatorname{softmax}(z_T \, G \, \theta_S)`, which also predicts.

    The map :math:`G` minimizes :math:`L_{pair}` on all pairs. It is solved for in
    closed form, as often as ``g_update`` says and once more in the end; no gradient
    reaches it. Either side of the pairs counts among the unlabeled rows of its domain,
    and unlabeled rows of the source are used too. Without a source and pairs, what
    remains is Equation 1 for the target. That is the control to beat.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead. The fitted attributes
    are those of :class:`skda.base.BaseNetClassifier`. ``transform`` takes target rows
    to :math:`z_T \, G` and source rows to :math:`z_S`, which can be compared.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 64)
        Width of every layer of the encoders.
    source_hidden_layer_sizes : sequence of int, default=None
        Those of the source's encoder, if they are others. They may end in another
        width, as :math:`G` need not be square.
    linear_top : bool, default=False
        Whether the last layer of the encoders is linear.
    alpha : float, default=2.0
        Weight :math:`\alpha` of the classification of the mapped target.
    beta : float, default=1.0
        Weight :math:`\beta` of the distance of the two domains' means.
    lambda0 : float, default=0.1
        Ridge :math:`\lambda_0` of the map.
    lambda_reg : float, default=1e-4
        Weight :math:`\lambda` of the layers; those of the decoders count in Equation 1
        only, :math:`\theta` never.
    source_weight : float, default=1.0
        Weight :math:`w_S` of the classification of the source: 0 in the paper.
    recon_weight : float, default=0.01
        Weight :math:`w` of the reconstruction: 1 in the paper, which takes the sum over
        the rows.
    pair_reduction : {"mean", "sum"}, default="mean"
        Whether :math:`L_{pair}` is divided by the number of pairs; "sum" is the
        paper's, and depends on the size of a batch.
    mmd_on : {"raw", "mapped"}, default="raw"
        Whether the source's mean is compared with that of :math:`z_T`, as in the paper,
        or of :math:`z_T \, G`.
    g_update : {"epoch", "step"}, default="epoch"
        When to solve for :math:`G` again; with a full batch, both are the same.
    freeze_source : bool, default=False
        Whether the transfer leaves the source's encoder and :math:`\theta_S` alone.
    supervised_only : bool, default=False
        Whether to leave out the distance of the means, as ``beta=0`` does (the paper's
        DATN_sup).
    unsupervised_only : bool, default=False
        Whether to leave out :math:`G` and :math:`L_{pair}` (the paper's DATN_unsup). It
        needs no pairs, and takes the rows of any for unlabeled ones. The target's own
        classifier :math:`\theta_T` then takes the place of :math:`G \, \theta_S` in
        :math:`L_{trans}` and in ``predict``, on which the paper is silent.
    scaling : {"feature"} or None, default="feature"
        Whether to standardize every feature of either domain, by the rows of ``X`` and
        of the source.
    pretraining_epochs, transfer_epochs : int, default=None
        Passes of either phase; None is ``max_epochs``. 0 leaves a phase out: without a
        transfer, :math:`G` is solved for once.
    source_transformer, target_transformer : transformer, default=None
        Cloned, fitted on the samples of that domain and applied to them and to its side
        of the pairs ever after.
    max_epochs : int, default=100
        Passes over the larger of the two domains, in each phase.
    max_steps : int, default=None
        Steps of each phase to take instead, rounded up to whole epochs.
    batch_size : int, default=128
        Most samples of either domain and pairs to draw at every step; -1, as the paper
        reads, is all of them. :math:`G` is solved for on all pairs in any case.
    lr : float, default=3e-4
        Learning rate: 1e-4 in the paper.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="rmsprop"
        Optimizer; a callable brings its own momentum and weight decay. "rmsprop" keeps
        0.8 of its mean squared gradient at every step, as the paper's does.
    momentum : float, default=0.8
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
        computes in it. The map is solved for in float64.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights and of the batches.
    verbose : int, default=0
        Whether to show a progress bar with every loss term.
    warm_start : bool, default=False
        Whether to go on with the network of the last fit.

    Attributes
    ----------
    G_ : ndarray of shape (n_target_components, n_components) or None
        The map of the target's latent rows to the source's; None without a source or
        pairs to fit it to.
    theta_source_ : ndarray of shape (n_components, n_classes) or None
        The source's classifier :math:`\theta_S`; None without a source.
    theta_target_ : ndarray of shape (n_target_components, n_classes)
        The target's classifier :math:`\theta_T`, which predicts where there is no map.

    See Also
    --------
    SSAN : Aligns the classes of two domains without pairs.

    Notes
    -----
    There is no public code. The paper names a learning rate of 0.0001, a decay of 0.8
    and a momentum of 0.8, which are the arguments of TensorFlow's RMSprop, and no
    number of epochs; :meth:`published` takes 300 of each phase and sums
    :math:`L_{pair}`, but not the reconstructions, which would drown :math:`L_{soft}`.

    References
    ----------
    .. [1] D. Wang, P. Cui, W. Zhu, "Deep Asymmetric Transfer Network for Unbalanced
       Domain Adaptation", AAAI 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import DATN
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = DATN(max_epochs=50, random_state=0)
    >>> clf.fit(right[500:550], y[500:550], source=source, pairs=pairs).G_.shape
    (64, 64)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePairedNetClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like"],
        "source_hidden_layer_sizes": ["array-like", None],
        "linear_top": ["boolean"],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "lambda0": [Interval(Real, 0, None, closed="neither")],
        "lambda_reg": [Interval(Real, 0, None, closed="left")],
        "source_weight": [Interval(Real, 0, None, closed="left")],
        "recon_weight": [Interval(Real, 0, None, closed="left")],
        "pair_reduction": [StrOptions({"mean", "sum"})],
        "mmd_on": [StrOptions({"raw", "mapped"})],
        "g_update": [StrOptions({"epoch", "step"})],
        "freeze_source": ["boolean"],
        "supervised_only": ["boolean"],
        "unsupervised_only": ["boolean"],
        "scaling": [StrOptions({"feature"}), None],
        "pretraining_epochs": [Interval(Integral, 0, None, closed="left"), None],
        "transfer_epochs": [Interval(Integral, 0, None, closed="left"), None],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "source_weight": 0.0,
        "recon_weight": 1.0,
        "pair_reduction": "sum",
        "lr": 1e-4,
        "max_epochs": 300,
        "batch_size": -1,
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] = (128, 64),
        source_hidden_layer_sizes: Sequence[int] | None = None,
        linear_top: bool = False,
        alpha: float = 2.0,
        beta: float = 1.0,
        lambda0: float = 0.1,
        lambda_reg: float = 1e-4,
        source_weight: float = 1.0,
        recon_weight: float = 0.01,
        pair_reduction: str = "mean",
        mmd_on: str = "raw",
        g_update: str = "epoch",
        freeze_source: bool = False,
        supervised_only: bool = False,
        unsupervised_only: bool = False,
        scaling: str | None = "feature",
        pretraining_epochs: int | None = None,
        transfer_epochs: int | None = None,
        source_transformer: Any = None,
        target_transformer: Any = None,
        max_epochs: int = 100,
        max_steps: int | None = None,
        batch_size: int = 128,
        lr: float = 3e-4,
        optimizer: str | Callable[..., Any] = "rmsprop",
        momentum: float = 0.8,
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
        self.source_hidden_layer_sizes = source_hidden_layer_sizes
        self.linear_top = linear_top
        self.alpha = alpha
        self.beta = beta
        self.lambda0 = lambda0
        self.lambda_reg = lambda_reg
        self.source_weight = source_weight
        self.recon_weight = recon_weight
        self.pair_reduction = pair_reduction
        self.mmd_on = mmd_on
        self.g_update = g_update
        self.freeze_source = freeze_source
        self.supervised_only = supervised_only
        self.unsupervised_only = unsupervised_only
        self.scaling = scaling
        self.pretraining_epochs = pretraining_epochs
        self.transfer_epochs = transfer_epochs
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

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        """Train the network on the domains, of which the pairs are rows too."""
        self._check_settings()
        goes_on = self.warm_start and hasattr(self, "net_") and len(source.X)
        if goes_on and (self.net_.module_.G is None) != self.unsupervised_only:
            raise ValueError("warm_start expects unsupervised_only as it was before.")
        if pairs is not None:
            source, target = pairs.join(source, target)
        self._fit_net(source, target, pairs)

    def _check_settings(self) -> None:
        """Reject parameters that do not go together."""
        if self.supervised_only and self.unsupervised_only:
            raise ValueError(
                "supervised_only and unsupervised_only leave out what the other "
                "keeps: set one of them at most."
            )
        layers = self._layers()
        widths = [sizes[-1] for sizes in layers.values()]
        if self._beta() and self._mmd_on() == "raw" and len(set(widths)) > 1:
            raise ValueError(
                f"mmd_on='raw' compares latent spaces of one width, got {widths}: "
                f"pass mmd_on='mapped', beta=0 or layers that end in one width."
            )

    def _layers(self) -> dict[str, list[int]]:
        target = source = check_layers(self.hidden_layer_sizes)
        if (own := self.source_hidden_layer_sizes) is not None:
            source = check_layers(own, "source_hidden_layer_sizes")
        return {"source": source, "target": target}

    def _beta(self) -> float:
        return 0.0 if self.supervised_only else self.beta

    def _mmd_on(self) -> str:
        return "raw" if self.unsupervised_only else self.mmd_on

    def _needs_pairs(self) -> bool:
        return not self.unsupervised_only

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.scaling is None else StandardScaler()

    def make_module(self, sizes: Sizes) -> nn.Module:
        return MappedAutoEncoders(
            sizes.widths,
            self._layers(),
            sizes.n_classes,
            mapped=not self.unsupervised_only,
            linear_top=self.linear_top,
        )

    def make_target_objective(self) -> Objective:
        return PretrainingObjective(self.recon_weight, self.lambda_reg)

    def make_objective(self) -> TransferObjective:
        names = signature(TransferObjective).parameters
        given = {name: value for name, value in vars(self).items() if name in names}
        return TransferObjective(
            **given | {"beta": self._beta(), "mmd_on": self._mmd_on()}
        )

    def make_phases(self, max_epochs: int) -> list[Phase]:
        def length(own: int | None) -> int:
            return max_epochs if own is None or (own and self.max_steps) else own

        phases = [
            Phase(
                self.make_target_objective(),
                length(self.pretraining_epochs),
                "pretraining",
            ),
            Phase(self.make_objective(), length(self.transfer_epochs), "transfer"),
        ]
        phases = [phase for phase in phases if phase.max_epochs]
        if not phases:
            raise ValueError(
                "pretraining_epochs and transfer_epochs are both 0: train in one phase "
                "at least."
            )
        return phases

    def _settings(self, device: torch.device) -> dict[str, Any]:
        decay = {"optimizer__alpha": 0.8} if self.optimizer == "rmsprop" else {}
        return super()._settings(device) | decay

    def _train(self, domains: Domains, randomness: FitRandomness) -> None:
        """Train, and solve for the map of the encoders as they are in the end."""
        super()._train(domains, randomness)
        module, objective = self.net_.module_, self.net_.criterion_
        if isinstance(objective, TransferObjective):
            objective.end_fit(module)
        if module.G is not None:
            solve_map(module, domains.whole.pairs, self.lambda0)

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        module = self.net_.module_
        self.G_ = None if module.G is None else module.G.cpu().numpy()
        heads = {
            domain: net.head.weight.detach().T.cpu().numpy()
            for domain, net in module.domains.items()
        }
        self.theta_source_ = heads.get("source")
        self.theta_target_ = heads["target"]
