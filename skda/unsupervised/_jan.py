"""Joint adaptation network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import joint_kernel_mmd
from skda.modules import OneStreamClassifier, reverse_gradient
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["JAN"]


class JANModule(OneStreamClassifier):
    """A classifier, and linear maps of what the kernels compare."""

    def __init__(
        self, extractor: nn.Module, n_components: int, n_classes: int, **layout: Any
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        # Without a bias, which no distance between two rows would show.
        maps = [nn.Linear(w, w, bias=False) for w in (n_components, n_classes)]
        for linear in maps:  # so that the kernels start as those of JAN
            nn.init.eye_(linear.weight)
        self.maps = nn.ModuleList(maps)

    def oppose(self, layers: list[Tensor]) -> list[Tensor]:
        """Map layers, so that the maps climb where the layers descend."""
        return [
            reverse_gradient(linear(reverse_gradient(layer)).to(layer.dtype))
            for linear, layer in zip(self.maps, layers, strict=True)
        ]


class JANObjective(OneStreamObjective):
    """Equation 1 of :class:`JAN`."""

    def __init__(self, lambda0: float, *, adversarial: bool) -> None:
        super().__init__(lambda0)
        self.adversarial = adversarial

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the joint discrepancy of the features and the predictions."""
        weight = self.lambda0 * sigmoid_ramp(progress)
        a, b = (self.layers(module, domain) for domain in (source, target))
        return {"discrepancy": weight * joint_kernel_mmd(a, b)}

    def layers(self, module: Any, domain: Pass) -> list[Tensor]:
        """List what the kernels compare: features and class probabilities, or maps."""
        layers = [domain.features, domain.logits.softmax(dim=1)]
        if self.adversarial:
            layers = module.oppose(layers)
        return layers


@estimator
class JAN(BaseOneStreamClassifier):
    r"""Joint adaptation network.

    Learns features whose joint distributions with the predictions are close [1]_. The
    network minimizes

    .. math:: L = L_s + L_t + \lambda_p L_{JMMD} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{JMMD}`: the unbiased maximum mean discrepancy under the product of a
      kernel of the features and one of the class probabilities, each the mean of five
      Gaussian kernels, see :func:`skda.losses.joint_kernel_mmd`.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p` of the training.

    The adversarial form [1]_, JAN-A, maps features and class probabilities by a linear
    layer each before they meet their kernels. The layers start as the identity and
    maximize what the rest of the network minimizes: the kernels learn to look where the
    domains differ most.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the discrepancy, at the end of the training.
    adversarial
        Whether to learn the maps of JAN-A, at a tenth of the learning rate, as the
        authors' library does.

    See Also
    --------
    DAN : Compares the features alone.

    Notes
    -----
    A step looks at all pairs of rows of a batch. :meth:`published` has the
    settings of the authors' library (TLlib) for Office-31, which sums the five kernels
    of the features, has dropout behind them, and a weight that does not rise. It has a
    single kernel of the predictions, of a fixed width.

    References
    ----------
    .. [1] M. Long et al., "Deep Transfer Learning with Joint Adaptation Networks", ICML
       2017. arXiv:1605.06636.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import JAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = JAN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    adversarial: bool = False

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 5.0,
        "batch_norm": True,
        "batch_size": 32,
        "lr": 0.003,
        "weight_decay": 0.0005,
        "max_steps": 10_000,
        "lr_schedule": partial(inverse_decay, alpha=3.0),
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return JANObjective(self.lambda0, adversarial=self.adversarial)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return (JANModule if self.adversarial else OneStreamClassifier)(**layout)

    @property
    def _lr_multipliers(self) -> dict[str, float]:
        slower = {"maps": 0.1} if self.adversarial else {}
        return super()._lr_multipliers | slower
