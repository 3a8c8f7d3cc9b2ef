"""The target's own network, the control of every network that adapts."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from skda.base import BaseNetClassifier, DomainName, Sizes, TargetRisk, estimator
from skda.baselines._control import TargetLearner
from skda.modules import draw_normal
from skda.preprocessing import RowScaler
from skda.training import Objective
from skda.utils.ranges import Count, NonNegative

__all__ = ["TargetNet"]


class TargetNetModule(nn.Module):
    """A hidden layer and a classifier."""

    def __init__(self, sizes: Sizes, n_components: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(sizes.n_target_features, n_components), nn.LeakyReLU(0.2)
        )
        self.head = nn.Linear(n_components, sizes.n_classes)

    def encode(self, X: Tensor, domain: DomainName) -> Tensor:
        """Map samples, of shape (n, p), to hidden units, of shape (n, d)."""
        return self.hidden(X).to(X.dtype)

    def forward(self, X: Tensor, domain: DomainName = "target") -> Tensor:
        """Map samples, of shape (n, p), to logits, of shape (n, c)."""
        return self.head(self.encode(X, domain)).to(X.dtype)


@estimator
class TargetNet(TargetLearner, BaseNetClassifier):
    r"""Network of one hidden layer, trained on the labeled target samples alone.

    The control that papers on heterogeneous adaptation call NNt. It minimizes the
    cross-entropy of the labeled target rows plus
    :math:`\tfrac{\tau}{2} \sum_l \|W_l\|_F^2`. A ``source`` is accepted and ignored, so
    that the control stands in the same call as a method that adapts.

    Parameters
    ----------
    n_components
        Width of the hidden layer.
    tau
        Weight :math:`\tau` of the decay, which spares the biases.
    normalize
        Whether to scale every row to unit length.
    max_epochs
        Passes over the target.

    See Also
    --------
    TargetOnly : Any scikit-learn classifier as such a control.

    Notes
    -----
    Only labeled rows have a loss, so only they are trained on: a step costs the same
    however many unlabeled rows come along.

    Examples
    --------
    >>> from skda.baselines import TargetNet
    >>> from skda.datasets import make_heterogeneous_domains
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = TargetNet(random_state=0).fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    n_components: Count = 256
    tau: NonNegative = 0.001
    normalize: bool = True
    max_epochs = 500
    lr = 0.01

    def make_module(self, sizes: Sizes) -> nn.Module:
        module = TargetNetModule(sizes, self.n_components)
        draw_normal(module, std=0.01, truncated=True)
        return module

    def make_objective(self) -> Objective:
        return TargetRisk(self.tau)

    def make_target_objective(self) -> Objective:
        return self.make_objective()

    def make_preprocessor(self, domain: DomainName) -> Any:
        return RowScaler(power=1.0) if self.normalize else None
