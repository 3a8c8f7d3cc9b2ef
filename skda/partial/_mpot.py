"""Partial optimal transport between batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective
from skda.losses import cross_entropy
from skda.modules import OneStreamClassifier
from skda.partial._base import BasePartialClassifier
from skda.training import Batch, Objective
from skda.utils._sklearn import Interval
from skda.utils.optional import import_optional

__all__ = ["MPOT"]

#: Cost above the least one, in units of the regularization, beyond which all are
#: alike. The solver would else need very many iterations, or divide zero by zero.
LARGEST_COST = 15.0


class MPOTObjective(OneStreamObjective):
    """Equation 1 of :class:`MPOT`."""

    def __init__(
        self, lambda0: float, *, eta1: float, eta2: float, mass: float, **solver: Any
    ) -> None:
        super().__init__(lambda0)
        self.eta1 = eta1
        self.eta2 = eta2
        self.mass = mass
        self.solver = solver

    def forward(
        self, module: OneStreamClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risks, and the cost of the cheapest partial transport."""
        source, target, _ = batch
        f_s, f_t = module.encode_both(source.X, target.X)
        v_s, v_t = module.classify(f_s), module.classify(f_t)
        terms = {"source_risk": cross_entropy(v_s, source.labels)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        cost = self.costs(f_s, f_t, source.labels, v_t)  # (n_s, n_t)
        mass = self.mass_at(progress)
        plan = transport_plan(cost, mass, **self.solver)
        return terms | {"transport": self.lambda0 * (plan * cost).sum()}

    def costs(self, f_s: Tensor, f_t: Tensor, labels: Tensor, v_t: Tensor) -> Tensor:
        """Evaluate Equation 2 for every pair of rows."""
        # cdist has no gradient where two rows are equal.
        squares = f_s.square().sum(dim=1)[:, None] + f_t.square().sum(dim=1)
        distances = (squares - 2 * f_s @ f_t.T).clamp(min=0)
        return self.eta1 * distances - self.eta2 * labels @ v_t.log_softmax(dim=1).T

    def mass_at(self, progress: float) -> float:
        """Let the mass rise to what it is to be in the first half of the training."""
        least = min(0.01, self.mass)
        return least + (self.mass - least) * min(2 * progress, 1.0)


class MPOT(BasePartialClassifier):
    r"""Partial optimal transport between batches.

    Of every batch, only a part of the mass has to move from the source to the target,
    so that rows of absent classes may stay where they are [1]_. The network minimizes

    .. math:: L = L_s + L_t + \lambda_0 \sum_{ij} T_{ij} M_{ij} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`M`: what it costs to take source row :math:`i` to target row :math:`j`, in
      features :math:`f` and in predictions :math:`h`,

      .. math:: M_{ij} = \eta_1 \|f(x^s_i) - f(x^t_j)\|^2
          - \eta_2 \log h_{y_i}(x^t_j). \tag{2}

    * :math:`T`: the plan that minimizes
      :math:`\sum_{ij} T_{ij} (M_{ij} + \epsilon \log T_{ij})`, of total mass :math:`m`,
      of which no row of a batch of :math:`b` has more than :math:`1 / b`. It has no
      gradient. The mass rises from 0.01 to :math:`m` in the first half of the training.

    The plan is solved for by POT, on the CPU, at every step: install ``skda[ot]``.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0 : float, default=5.0
        Weight :math:`\lambda_0` of the transport.
    eta1 : float, default=0.01
        Weight :math:`\eta_1` of the distance of the features.
    eta2 : float, default=1.0
        Weight :math:`\eta_2` of the predictions.
    mass : float, default=0.4
        Mass :math:`m`, the share of either batch that moves. Published: 0.1 to 0.4.
    epsilon : float, default=0.5
        Weight :math:`\epsilon` of the entropy of the plan. Published: 0.5 to 1.5.
    max_iter : int, default=100
        Most iterations of the solver.
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
        Share of every class in the predictions of the target.

    See Also
    --------
    PruneClasses : Leaves absent classes out, before any method.

    Notes
    -----
    Where it differs from the public code: there, every batch has as many source rows of
    each class.

    References
    ----------
    .. [1] K. Nguyen et al., "Improving Mini-batch Optimal Transport via Partial
       Transportation", ICML 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import MPOT
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = MPOT(max_epochs=5, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).predict(X_target).shape
    (77,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePartialClassifier._parameter_constraints,
        "eta1": [Interval(Real, 0, None, closed="left")],
        "eta2": [Interval(Real, 0, None, closed="left")],
        "mass": [Interval(Real, 0, 1, closed="right")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        lambda0: float = 5.0,
        eta1: float = 0.01,
        eta2: float = 1.0,
        mass: float = 0.4,
        epsilon: float = 0.5,
        max_iter: int = 100,
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
        self.eta1 = eta1
        self.eta2 = eta2
        self.mass = mass
        self.epsilon = epsilon
        self.max_iter = max_iter
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
        return MPOTObjective(
            self.lambda0,
            eta1=self.eta1,
            eta2=self.eta2,
            mass=self.mass,
            epsilon=self.epsilon,
            max_iter=self.max_iter,
        )


@torch.no_grad()
def transport_plan(
    cost: Tensor, mass: float, *, epsilon: float, max_iter: int
) -> Tensor:
    """Solve for the plan of Equation 1, which POT does on the CPU."""
    solver = import_optional("ot.partial", "MPOT solves for its plans with POT", "ot")
    n_s, n_t = cost.shape
    # What all pairs cost has no say in a plan whose mass is given.
    excess = (cost - cost.min()).double().clamp(max=LARGEST_COST * epsilon)
    rows = np.full(n_s, 1 / n_s), np.full(n_t, 1 / n_t)
    plan = solver.entropic_partial_wasserstein(
        *rows,
        excess.cpu().numpy(),
        reg=epsilon,
        m=min(mass, *(row.sum() for row in rows)),  # which may be but almost one
        numItermax=max_iter,
        stopThr=1e-7,
    )
    return torch.from_numpy(plan).to(cost)
