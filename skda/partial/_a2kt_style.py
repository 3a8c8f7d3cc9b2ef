"""Dual classifiers, and a selection that grows: after the abstract of A2KT."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any

from torch import nn

from skda.base import Rows, TargetRisk, estimator
from skda.partial._base import BasePartialClassifier
from skda.partial._dual import DualClassifier, insert_dropout
from skda.partial._dual_objectives import A2KTStyleObjective, DualTargetRisk
from skda.training import Objective
from skda.utils._sklearn import Interval
from skda.utils.ranges import Count, Fraction, NonNegative, Positive, Share

__all__ = ["A2KTStyle"]


@estimator
class A2KTStyle(BasePartialClassifier):
    r"""Two classifiers that select together, **our design** after an abstract.

    This is not A2KT, adaptively accumulated knowledge transfer [1]_: of that, we could
    read the abstract alone, and there is no public code. From the abstract are the two
    classifiers, a selection of target rows and source classes that grows, compact
    classes that are far apart, and an alignment of domains; everything else is ours.
    **No number of this class may be published under the name A2KT.**

    A linear classifier has the probabilities :math:`p^m`. With :math:`g` the features
    of a row, scaled to unit length, and :math:`\mu_k` the prototype of a class, the
    other one has

    .. math:: p^p_k \propto \exp(g^\top \mu_k / \tau), \qquad
        \mu'_k \propto \beta \mu_k + (1 - \beta) \bar g_k, \tag{1}

    where :math:`\mu'_k`, of unit length too, is what a step with the mean
    :math:`\bar g_k` of its source rows makes of a prototype. Predictions are the mean
    :math:`q` of both. The training has :math:`R` parts. As part :math:`r + 1` begins,
    all target rows are looked at: of those that both classifiers find in a class, the
    fraction :math:`r / R` with the largest :math:`q` is selected. From the second
    selection on, a source row weighs nothing if its class is not selected, which takes

    .. math:: n_k > 0 \quad\text{and}\quad n_k \ge \theta \, n / K \tag{2}

    of :math:`n` selected rows. The network minimizes

    .. math:: L = L_s + L_t + \lambda_0 \bigl( \lambda_y L_y + \lambda_d L_d
        + \eta_1 L_1 + \eta_2 L_2 \bigr) \tag{3}

    * :math:`L_s`, :math:`L_t` and :math:`L_y`: the cross-entropy of both classifiers,
      added up, for the source rows of selected classes, for the labeled target rows, if
      there are any, and for the others that are selected.
    * :math:`L_d`: the unbiased maximum mean discrepancy
      (:func:`skda.losses.kernel_mmd`) of :math:`g` between these source rows and
      selected or labeled target rows.
    * :math:`L_1`: the mean of :math:`\lVert g - \mu_y \rVert^2` over the same rows of
      both domains.
    * :math:`L_2`: the mean of :math:`\max(0, m - \lVert \mu'_k - \mu'_l \rVert)` over
      selected classes :math:`k \neq l`; :math:`\mu` is a constant everywhere.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. A label of the target that the source lacks is an error. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of everything but the risks of labeled rows.
    pseudo_weight
        Weight :math:`\lambda_y` of the labels of selected rows.
    discrepancy_weight
        Weight :math:`\lambda_d` of the discrepancy.
    intra_weight
        Weight :math:`\eta_1` of the distances to the prototypes.
    inter_weight
        Weight :math:`\eta_2` of prototypes that are too close.
    margin
        Distance :math:`m` at which they are not; they have unit length.
    temperature
        Temperature :math:`\tau` of the cosines with the prototypes.
    decay
        What is left of a prototype after a step, :math:`\beta`.
    threshold
        Share :math:`\theta` of Equation 2; 0 selects every class that has a row.
    n_refreshes
        Number :math:`R` of equal parts of the training; each but the first begins, at
        its first epoch, with a selection.
    dropout
        Fraction of the units of every layer of ``hidden_layer_sizes`` to drop.

    Attributes
    ----------
    selected_classes_ : ndarray of shape (n_selected_classes,)
        Classes that weighed something at the end; all of them if there were fewer than
        two selections. Not there without a source.
    n_selected_ : ndarray of shape (n_classes,)
        Rows of every class in the last selection, with labeled ones. Not there without
        a source.
    prototypes_ : ndarray of shape (n_classes, n_components)
        The prototypes :math:`\mu`.
    class_weights_history_ : ndarray of shape (n_refreshes, n_classes)
        These shares at every selection, and at the end of the training.

    See Also
    --------
    SHOT : Published, with code, and prototypes of the target alone.
    PruneClasses : Leaves classes out once, before any method.

    Notes
    -----
    :meth:`published` gives the defaults, because no code and no settings are public.

    A larger network, of ``n_components=512`` and ``hidden_layer_sizes=(1024,)``, was no
    better on the features of Office-Caltech, and several times slower.

    Without a source, both classifiers learn the labeled rows of the target.

    References
    ----------
    .. [1] T. Jing, H. Xia and Z. Ding, "Adaptively-Accumulated Knowledge Transfer for
       Partial Domain Adaptation", ACM Multimedia 2020. arXiv:2008.11873.
       doi:10.1145/3394171.3413986.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import A2KTStyle
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = A2KTStyle(max_epochs=20, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).selected_classes_
    array([0, 1])
    """

    pseudo_weight: NonNegative = 1.0
    discrepancy_weight: NonNegative = 1.0
    intra_weight: NonNegative = 1.0
    inter_weight: NonNegative = 0.1
    margin: Annotated[float, Interval(Real, 0, 2, closed="both")] = 1.0
    temperature: Positive = 0.1
    decay: Fraction = 0.9
    threshold: Share = 0.4
    n_refreshes: Count = 10
    dropout: Fraction = 0.5

    def make_objective(self) -> Objective:
        return A2KTStyleObjective(
            self.lambda0,
            n_refreshes=self.n_refreshes,
            threshold=self.threshold,
            pseudo_weight=self.pseudo_weight,
            discrepancy_weight=self.discrepancy_weight,
            intra_weight=self.intra_weight,
            inter_weight=self.inter_weight,
            margin=self.margin,
        )

    def make_target_objective(self) -> TargetRisk:
        return DualTargetRisk()

    def make_classifier(self, **layout: Any) -> nn.Module:
        if self.module is None and self.dropout:
            layout["extractor"] = insert_dropout(layout["extractor"], self.dropout)
        return DualClassifier(
            **layout, temperature=self.temperature, momentum=self.decay
        )

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        self.prototypes_ = self.net_.module_.prototypes.cpu().numpy()
        objective = self._find_objective(A2KTStyleObjective)
        if objective is not None:
            in_use = objective.class_weights.cpu() > 0
            self.selected_classes_ = self.classes_[in_use]
            self.n_selected_ = objective.selected.sum(dim=0).int().cpu().numpy()
