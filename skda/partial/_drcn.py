"""Deep residual correction network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import Pass, estimator
from skda.losses import classwise_kernel_mmd, cross_entropy, joint_kernel_mmd
from skda.modules import OneStreamClassifier, multilayer_perceptron
from skda.partial._base import BasePartialClassifier, PartialObjective
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Count, Fraction, NonNegative

__all__ = ["DRCN"]


class DRCNModule(OneStreamClassifier):
    """A classifier of corrected features; those of the source need no correction."""

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        batch_norm: bool,
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        self.residual = multilayer_perceptron([n_components] * 3, batch_norm=batch_norm)
        for parameter in self.residual[-1].parameters():  # so that nothing is corrected
            nn.init.zeros_(parameter)  # at first

    def correct(self, f: Tensor) -> Tensor:
        """Add what target features, of shape (n, d), differ by, of the same shape."""
        return f + self.residual(f).to(f.dtype)

    def encode(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to features, of shape (n, d)."""
        f = super().encode(X, domain)
        return self.correct(f) if domain == "target" else f

    def encode_both(self, X_s: Tensor, X_t: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch of either domain to features, of shapes (n_s, d), (n_t, d)."""
        if not self.joint or X_s.dtype != X_t.dtype:
            return self.encode(X_s, "source"), self.encode(X_t, "target")
        both = super().encode(torch.cat([X_s, X_t]), "source")
        f_s, f_t = both.split([len(X_s), len(X_t)])
        return f_s, self.correct(f_t)


class DRCNObjective(PartialObjective):
    """Equation 1 of :class:`DRCN`."""

    def __init__(
        self,
        lambda0: float,
        *,
        joint_weight: float,
        threshold: float,
        n_refreshes: int,
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.joint_weight = joint_weight
        self.threshold = threshold

    def weigh(self, shares: Tensor) -> Tensor:
        """Scale the shares so that the largest is one."""
        return shares / shares.max()

    def source_risk(self, source: Pass) -> Tensor:
        """Evaluate the cross-entropy of the source, in which all classes count."""
        return cross_entropy(source.logits, source.labels)

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the discrepancies of the domains and of their classes."""
        f_s, f_t = source.features, target.features
        p_s, p_t = source.logits.softmax(dim=1), target.logits.softmax(dim=1)
        likely = p_t.detach() * (p_t > self.threshold)  # (n_t, c)
        of_classes = classwise_kernel_mmd(f_s, f_t, source.labels, likely)  # (c,)
        weight = self.lambda0 * sigmoid_ramp(progress)
        joint = self.joint_weight * joint_kernel_mmd([f_s, p_s], [f_t, p_t])
        return {
            "classwise": weight * (self.class_weights * of_classes).sum(),
            "joint": weight * joint,
        }


@estimator
class DRCN(BasePartialClassifier):
    r"""Deep residual correction network.

    Corrects the features of the target by a residual, and brings each class to the rows
    of the target that seem to belong to it [1]_. The network minimizes

    .. math::

        L = L_s + L_t + \lambda_p \Bigl(
            \sum_{k=1}^{c} w_k L_k + \eta L_J \Bigr) \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target. A source row has the features :math:`f`, a
      target row :math:`f + \Delta(f)`, with a network :math:`\Delta` of one hidden
      layer, as wide as there are features.
    * :math:`L_k`: the unbiased maximum mean discrepancy of the features of a class, see
      :func:`skda.losses.classwise_kernel_mmd`. A source row counts if it has the label,
      a target row by its probability of the class, if this is above a threshold.
    * :math:`w_k`: the mean probability of the class over the whole target, divided by
      that of the most likely one. It is looked at ``n_refreshes`` times during the
      training; all classes weigh the same before.
    * :math:`L_J`: that of the features and class probabilities of all rows together,
      see :func:`skda.losses.joint_kernel_mmd`.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the discrepancies, at the end of the training.
    joint_weight
        Weight :math:`\eta` of that of all rows, which pulls the target towards absent
        classes, too, relative to those of the classes.
    threshold
        Least probability with which a target row counts for a class.
    n_refreshes
        Number of equal parts of the training after which the class weights change, at
        the next epoch.
    residual_lr
        Learning rate of the residual, relative to ``lr``.

    See Also
    --------
    PADA : Class weights of this kind, with an adversary.
    skda.unsupervised.RTN : A residual of the classifier.

    Notes
    -----
    A step takes a matrix of all pairs of rows of a batch. With ``batch_norm``, the
    residual has one, too. :meth:`published` has the settings of the public code for
    Office-31, which starts from a network that has learned the source, and has the
    full weight from there. It estimates discrepancies from pairs of successive rows,
    sums the five kernels of the features, has a single one of the predictions, of a
    fixed width, and a width for each class. It multiplies the features of a target row
    by the probability by which the row counts here, and takes the class weights of the
    last epoch. Another network of the same name reconstructs images of the target.

    References
    ----------
    .. [1] S. Li et al., "Deep Residual Correction Network for Partial Domain
       Adaptation", IEEE TPAMI 43(7), 2021. arXiv:2004.04914.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import DRCN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DRCN(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    lambda0 = 0.3
    joint_weight: NonNegative = 0.1
    threshold: Fraction = 0.4
    n_refreshes: Count = 10
    residual_lr: NonNegative = 1.0

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 0.125,
        "joint_weight": 4.0,
        "threshold": 0.4,
        "n_refreshes": 11_000,
        "residual_lr": 0.01,
        "batch_norm": True,
        "batch_size": 36,
        "lr": 0.003,
        "weight_decay": 0.0005,
        "max_steps": 11_000,
        "lr_schedule": partial(inverse_decay, alpha=3.3),
    }

    def make_objective(self) -> Objective:
        return DRCNObjective(
            self.lambda0,
            joint_weight=self.joint_weight,
            threshold=self.threshold,
            n_refreshes=self.n_refreshes,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return DRCNModule(**layout, batch_norm=self.batch_norm)

    @property
    def _lr_multipliers(self) -> dict[str, float]:
        return super()._lr_multipliers | {"residual": self.residual_lr}
