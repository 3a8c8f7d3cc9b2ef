"""Partial optimal transport between batches."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from skda.base import OneStreamObjective, Pass, estimator
from skda.partial._base import BasePartialClassifier
from skda.training import Objective
from skda.utils._sklearn import Interval
from skda.utils.optional import import_optional
from skda.utils.ranges import Count, NonNegative, Positive

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

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the cost of the cheapest partial transport."""
        cost = self.costs(source, target)  # (n_s, n_t)
        plan = transport_plan(cost, self.mass_at(progress), **self.solver)
        return {"transport": self.lambda0 * (plan * cost).sum()}

    def costs(self, source: Pass, target: Pass) -> Tensor:
        """Evaluate Equation 2 for every pair of rows."""
        f_s, f_t = source.features, target.features
        # cdist has no gradient where two rows are equal.
        squares = f_s.square().sum(dim=1)[:, None] + f_t.square().sum(dim=1)
        distances = (squares - 2 * f_s @ f_t.T).clamp(min=0)
        log_h = target.logits.log_softmax(dim=1)  # (n_t, c)
        return self.eta1 * distances - self.eta2 * source.labels @ log_h.T

    def mass_at(self, progress: float) -> float:
        """Evaluate the mass, which rises in the first half of the training."""
        least = min(0.01, self.mass)
        return least + (self.mass - least) * min(2 * progress, 1.0)


@estimator
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
    lambda0
        Weight :math:`\lambda_0` of the transport.
    eta1
        Weight :math:`\eta_1` of the distance of the features.
    eta2
        Weight :math:`\eta_2` of the predictions.
    mass
        Mass :math:`m`, the share of either batch that moves. Published: 0.1 to 0.4.
    epsilon
        Weight :math:`\epsilon` of the entropy of the plan. Published: 0.5 to 1.5.
    max_iter
        Most iterations of the solver.

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
       Transportation", ICML 2022. arXiv:2108.09645.

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

    lambda0 = 5.0
    eta1: NonNegative = 0.01
    eta2: NonNegative = 1.0
    mass: Annotated[float, Interval(Real, 0, 1, closed="right")] = 0.4
    epsilon: Positive = 0.5
    max_iter: Count = 100

    def make_objective(self) -> Objective:
        return MPOTObjective(
            self.lambda0,
            eta1=self.eta1,
            eta2=self.eta2,
            mass=self.mass,
            epsilon=self.epsilon,
            max_iter=self.max_iter,
        )


@torch.compiler.disable  # it reads values, and computes in NumPy
@torch.no_grad()
def transport_plan(
    cost: Tensor, mass: float | Tensor, *, epsilon: float, max_iter: int
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
        m=min(float(mass), *(row.sum() for row in rows)),  # which may be but almost one
        numItermax=max_iter,
        stopThr=1e-7,
    )
    return torch.from_numpy(plan).to(cost)
