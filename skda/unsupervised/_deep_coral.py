"""Deep correlation alignment."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import coral_loss
from skda.training import Objective, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["DeepCORAL"]


class DeepCORALObjective(OneStreamObjective):
    """Equation 1 of :class:`DeepCORAL`."""

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the distance of the covariances of the logits."""
        weight = self.lambda0 * sigmoid_ramp(progress)
        return {"covariance": weight * coral_loss(source.logits, target.logits)}


@estimator
class DeepCORAL(BaseOneStreamClassifier):
    r"""Deep correlation alignment.

    Learns to classify with outputs of the same covariance in both domains [1]_. The
    network minimizes

    .. math:: L = L_s + L_t + \lambda_p L_{CORAL} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{CORAL} = \|C_s - C_t\|_F^2 / (4 K^2)`, with the covariances of the
      logits of the :math:`K` classes.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the covariances, at the end of the training. The
        paper chooses one that makes both losses about as large in the end.

    See Also
    --------
    CORAL : Its closed form, and no network.
    DAN : Compares means as well.

    Notes
    -----
    Batches should hold more rows than there are classes. :meth:`published` has the
    settings of the authors' code for Office-31, where the weight does not rise and the
    learning rate falls to a tenth every 500 steps.

    References
    ----------
    .. [1] B. Sun and K. Saenko, "Deep CORAL: Correlation Alignment for Deep Domain
       Adaptation", ECCV Workshops 2016. arXiv:1607.01719.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import DeepCORAL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DeepCORAL(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 0.8,
        "batch_size": 128,
        "lr": 0.01,
        "weight_decay": 0.0005,
        "max_steps": 2000,
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return DeepCORALObjective(self.lambda0)
