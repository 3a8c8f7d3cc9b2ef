"""Minimum class confusion."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import class_confusion_loss
from skda.training import Objective, constant, sigmoid_ramp
from skda.utils.ranges import NonNegative, Positive

__all__ = ["MCC"]


class MCCObjective(OneStreamObjective):
    """Equation 1 of :class:`MCC`."""

    def __init__(self, lambda0: float, *, temperature: float, ramp: bool) -> None:
        super().__init__(lambda0)
        self.temperature = temperature
        self.schedule = sigmoid_ramp if ramp else constant

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the class confusion of the target."""
        weight = self.lambda0 * self.schedule(progress)
        confusion = class_confusion_loss(target.logits, self.temperature)
        return {"confusion": weight * confusion}


@estimator
class MCC(BaseOneStreamClassifier):
    r"""Minimum class confusion.

    Makes the predictions of the target confuse no class with another [1]_, without any
    adversary. The network minimizes

    .. math:: L = L_s + L_t + \lambda_p L_{MCC} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{MCC}`: with :math:`P` the predictions of a batch of target rows at
      temperature :math:`T`, each weighted by :math:`1 + e^{-H}`, and :math:`C` the
      matrix :math:`P^\top \operatorname{diag}(w) P` with rows scaled to sum one, the
      mean over the classes of what is off the diagonal.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p`, or :math:`\lambda_0` all along.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the class confusion, at the end of the training.
    temperature
        Temperature :math:`T` of the predictions.
    ramp
        Whether the weight rises during the training; in the public code it is constant.

    See Also
    --------
    SymNets : Adversarial, and less steady on precomputed features.

    Notes
    -----
    Batches should hold several rows of every class. :meth:`published` has the
    settings of the authors' library (TLlib) for Office-31.

    References
    ----------
    .. [1] Y. Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation",
       ECCV 2020. arXiv:1912.03699.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import MCC
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = MCC(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    temperature: Positive = 2.5
    ramp: bool = True

    published_params: ClassVar[dict[str, Any]] = {
        "ramp": False,
        "n_components": 1024,
        "batch_norm": True,
        "batch_size": 36,
        "lr": 0.005,
        "max_steps": 10_000,
    }

    def make_objective(self) -> Objective:
        return MCCObjective(self.lambda0, temperature=self.temperature, ramp=self.ramp)
