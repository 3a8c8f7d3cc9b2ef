"""Deep asymmetric transfer network."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from skorch.callbacks import EarlyStopping
from torch import nn

from skda.base import BasePairedNetClassifier, PairedRows, Rows, Sizes, estimator
from skda.heterogeneous._datn_objectives import (
    PretrainingObjective,
    TransferObjective,
    solve_map,
)
from skda.modules import MappedAutoEncoders
from skda.training import Domains, Objective, Phase
from skda.utils.ranges import LayerSizes, NonNegative, Positive, WholeNumber
from skda.utils.seeding import FitRandomness
from skda.utils.validation import check_layers

__all__ = ["DATN"]


@estimator
class DATN(BasePairedNetClassifier):
    r"""Deep asymmetric transfer network.

    Classifies a target whose labels are few by a source whose labels are many and that
    has other features, with the help of rows that both domains have [1]_. The term
    :math:`w_S L_{soft,S}` of Equation 2 is not in the paper, which then forgets how to
    classify the source, and with it the target: ``source_weight=0.0`` is the paper's.

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
    remains is Equation 1 for the target: the control to beat.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead. ``transform`` takes
    target rows to :math:`z_T \, G`, and source rows to :math:`z_S`.

    Parameters
    ----------
    hidden_layer_sizes
        Width of every layer of the encoders.
    source_hidden_layer_sizes
        Those of the source's encoder, if they are others. They may end in another
        width, as :math:`G` need not be square.
    linear_top
        Whether the last layer of the encoders is linear.
    alpha
        Weight :math:`\alpha` of the classification of the mapped target.
    beta
        Weight :math:`\beta` of the distance of the two domains' means.
    lambda0
        Ridge :math:`\lambda_0` of the map.
    lambda_reg
        Weight :math:`\lambda` of the layers; those of the decoders count in Equation 1
        only, :math:`\theta` never.
    source_weight
        Weight :math:`w_S` of the classification of the source: 0 in the paper.
    recon_weight
        Weight :math:`w` of the reconstruction: 1 in the paper, which takes the sum over
        the rows.
    pair_reduction
        Whether :math:`L_{pair}` is divided by the number of pairs; "sum" is the
        paper's, and depends on the size of a batch.
    mmd_on
        Whether the source's mean is compared with that of :math:`z_T`, as in the paper,
        or of :math:`z_T \, G`.
    g_update
        When to solve for :math:`G` again; with a full batch, both are the same.
    freeze_source
        Whether the transfer leaves the source's encoder and :math:`\theta_S` alone.
    supervised_only
        Whether to leave out the distance of the means, as ``beta=0`` does (the paper's
        DATN_sup).
    unsupervised_only
        Whether to leave out :math:`G` and :math:`L_{pair}` (the paper's DATN_unsup). It
        needs no pairs, and takes the rows of any for unlabeled ones. The target's own
        classifier :math:`\theta_T` then takes the place of :math:`G \, \theta_S` in
        :math:`L_{trans}` and in ``predict``, on which the paper is silent.
    pretraining_epochs, transfer_epochs
        Passes of either phase; None is ``max_epochs``. 0 leaves a phase out: without a
        transfer, :math:`G` is solved for once.
    max_epochs
        Passes over the larger of the two domains, in each phase.
    max_steps
        Steps of each phase to take instead, rounded up to whole epochs.
    batch_size
        Most samples of either domain and pairs to draw at every step; -1, as the paper
        reads, is all of them. :math:`G` is solved for on all pairs in any case.
    lr
        Learning rate: 1e-4 in the paper.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable
        Optimizer; a callable brings its own momentum and weight decay. "rmsprop" keeps
        0.8 of its mean squared gradient at every step, as the paper's does.
    weight_decay
        Weight decay of the optimizer, beside :math:`\lambda`.
    precision : {"float32", "bfloat16", "auto"}
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it. The map is solved for in float64.

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
    number of epochs: :meth:`published` trains each phase until its objective has
    stopped falling, that is until 100 epochs in a row have not lowered it by a
    hundredth, for 10,000 epochs at most. It sums :math:`L_{pair}`, but not the
    reconstructions, which would drown :math:`L_{soft}`.

    References
    ----------
    .. [1] D. Wang, P. Cui and W. Zhu, "Deep Asymmetric Transfer Network for Unbalanced
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

    hidden_layer_sizes: LayerSizes = (128, 64)
    source_hidden_layer_sizes: LayerSizes | None = None
    linear_top: bool = False
    alpha: NonNegative = 2.0
    beta: NonNegative = 1.0
    lambda0: Positive = 0.1
    lambda_reg: NonNegative = 1e-4
    source_weight: NonNegative = 1.0
    recon_weight: NonNegative = 0.01
    pair_reduction: Literal["mean", "sum"] = "mean"
    mmd_on: Literal["raw", "mapped"] = "raw"
    g_update: Literal["epoch", "step"] = "epoch"
    freeze_source: bool = False
    supervised_only: bool = False
    unsupervised_only: bool = False
    pretraining_epochs: WholeNumber | None = None
    transfer_epochs: WholeNumber | None = None
    batch_size = 128
    lr = 3e-4
    optimizer = "rmsprop"
    momentum = 0.8

    published_params: ClassVar[dict[str, Any]] = {
        "source_weight": 0.0,
        "recon_weight": 1.0,
        "pair_reduction": "sum",
        "lr": 1e-4,
        "max_epochs": 10_000,
        "callbacks": [EarlyStopping("train_loss", patience=100, threshold=0.01)],
        "batch_size": -1,
    }

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        self._check_settings()
        warm = self.warm_start and hasattr(self, "net_") and len(source.X)
        if warm and (self.net_.module_.G is None) != self.unsupervised_only:
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
        widths = [sizes[-1] for sizes in self._layers().values()]
        compares = self.beta and not self.supervised_only
        if compares and self._mmd_on() == "raw" and len(set(widths)) > 1:
            raise ValueError(
                f"mmd_on='raw' compares latent spaces of one width, got {widths}: "
                f"pass mmd_on='mapped', beta=0 or layers that end in one width."
            )

    def _layers(self) -> dict[str, list[int]]:
        """List the widths of the layers of either encoder."""
        target = source = check_layers(self.hidden_layer_sizes)
        if (own := self.source_hidden_layer_sizes) is not None:
            source = check_layers(own, "source_hidden_layer_sizes")
        return {"source": source, "target": target}

    def _mmd_on(self) -> str:
        return "raw" if self.unsupervised_only else self.mmd_on

    def _needs_pairs(self) -> bool:
        return not self.unsupervised_only

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
        return TransferObjective(
            alpha=self.alpha,
            beta=0.0 if self.supervised_only else self.beta,
            lambda0=self.lambda0,
            lambda_reg=self.lambda_reg,
            source_weight=self.source_weight,
            pair_reduction=self.pair_reduction,
            mmd_on=self._mmd_on(),
            g_update=self.g_update,
            freeze_source=self.freeze_source,
        )

    def make_phases(self, max_epochs: int) -> list[Phase]:
        pretraining = self._phase_length(self.pretraining_epochs, max_epochs)
        transfer = self._phase_length(self.transfer_epochs, max_epochs)
        phases = [
            Phase(self.make_target_objective(), pretraining, "pretraining"),
            Phase(self.make_objective(), transfer, "transfer"),
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
        nets = module.domains.items()
        theta = {name: net.head.weight.detach().T.cpu().numpy() for name, net in nets}
        self.theta_source_ = theta.get("source")
        self.theta_target_ = theta["target"]
