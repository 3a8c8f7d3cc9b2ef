"""Deep adaptation network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import kernel_mmd
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["DAN"]


class DANObjective(OneStreamObjective):
    """Equation 1 of :class:`DAN`."""

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the maximum mean discrepancy of the features."""
        weight = self.lambda0 * sigmoid_ramp(progress)
        return {"discrepancy": weight * kernel_mmd(source.features, target.features)}


@estimator
class DAN(BaseOneStreamClassifier):
    r"""Deep adaptation network.

    Learns features whose distributions are close under many kernels [1]_, without any
    adversary. The network minimizes

    .. math:: L = L_s + L_t + \lambda_p L_{MMD} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{MMD}`: the unbiased maximum mean discrepancy of the features of a batch,
      under the mean of five Gaussian kernels, see :func:`skda.losses.kernel_mmd`.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the discrepancy, at the end of the training.

    See Also
    --------
    JAN : Compares features and predictions together.
    DeepCORAL : Compares covariances.

    Notes
    -----
    A step looks at all pairs of rows of a batch. :meth:`published` has the
    settings of the authors' library (TLlib) for Office-31, which sums the kernels, has
    dropout behind the features, and a weight that does not rise. It compares the
    features alone, as here; the paper does so with the logits as well, and learns the
    weights of the kernels. The one of skada has the biased estimate, and Laplacian
    kernels of 33 widths, relative to the median distance of two rows of the source.

    References
    ----------
    .. [1] M. Long et al., "Learning Transferable Features with Deep Adaptation
       Networks", ICML 2015. arXiv:1502.02791.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import DAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DAN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 5.0,
        "batch_size": 32,
        "lr": 0.003,
        "weight_decay": 0.0005,
        "max_steps": 10_000,
        "lr_schedule": partial(inverse_decay, alpha=3.0),
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return DANObjective(self.lambda0)
