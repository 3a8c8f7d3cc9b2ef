"""Source hypothesis transfer, for a target that lacks classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from torch import nn

from skda.base import Rows, estimator
from skda.partial._base import BasePartialClassifier
from skda.partial._hypothesis import (
    SHOTClassifier,
    SHOTObjective,
    SourceObjective,
)
from skda.training import Objective, Phase
from skda.utils.labels import check_labels
from skda.utils.ranges import Count, Fraction, NonNegative, Share, WholeNumber

__all__ = ["SHOT"]


@estimator
class SHOT(BasePartialClassifier):
    r"""Source hypothesis transfer, for a target that lacks classes.

    First, features :math:`f` and a classifier :math:`h` learn from the source alone,
    with labels smoothed by :math:`\varepsilon` [1]_:

    .. math:: L_1 = -\frac{1}{n_s} \sum_i \sum_k
        \bigl((1 - \varepsilon) [k = y_i] + \tfrac{\varepsilon}{K}\bigr)
        \log h_k(f(x_i)) \tag{1}

    Then the classifier is frozen, the source is put away, and the features learn from
    the target alone:

    .. math:: L_2 = \lambda_0 \Bigl( \frac{1}{n_t} \sum_j H\bigl(h(f(x_j))\bigr)
        - \frac{\beta}{n_t} \sum_j \log h_{\hat y_j}(f(x_j)) \Bigr) \tag{2}

    with :math:`H` the entropy. There is no term for diverse predictions, which would
    spread them over absent classes. From time to time, there are new pseudo-labels
    :math:`\hat y`: with :math:`\phi_j` the features of a row and a 1, scaled to unit
    length, and :math:`p_{jk}` its probabilities,

    .. math:: \mu_k \propto \sum_j p_{jk} \phi_j, \qquad
        \hat y_j = \arg\max_{k : n_k > T_c} \cos(\phi_j, \mu_k), \tag{3}

    where :math:`n_k` rows are predicted to be of class :math:`k`, and once more with
    :math:`p_{jk} = [\hat y_j = k]`. A class of few rows is not kept:

    .. math:: T_c = \theta \, n_t / K. \tag{4}

    With ``warm_start=True``, ``fit(X)`` without a source, after a ``fit`` with one,
    takes the features on to new rows of a target by Equation 2 alone; transformers and
    ``classes_`` stay what they are.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy to both losses.
    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of Equation 2 against labeled rows of the target.
    beta
        Weight :math:`\beta` of the pseudo-labels; 0 leaves the entropy alone, which is
        SHOT-IM for a target that lacks classes.
    threshold
        Share :math:`\theta` of Equation 4; 0 keeps every class that has a row.
    min_count
        Count :math:`T_c` to take instead, as published (10), which loses every class
        of a small target but the largest.
    n_refreshes
        Number of equal parts of the second phase; each begins, at its first epoch, with
        new pseudo-labels. If they change more often, a class may die out early.
    smoothing
        Share :math:`\varepsilon` of the label that all classes have in equal parts.
    source_epochs
        Epochs of the first phase; None is as many as there are of the second, and so
        it is with ``max_steps``.

    Attributes
    ----------
    kept_classes_ : ndarray of shape (n_kept_classes,)
        Classes with more than :math:`T_c` rows.
    pseudo_labels_ : ndarray of shape (n_target,)
        What Equation 3 makes of the target at the end.
    centroids_ : ndarray of shape (n_kept_classes, n_components + 1)
        The centroids :math:`\mu`, of unit length, that they are nearest to.
    class_counts_ : ndarray of shape (n_classes,)
        Rows of every class among the pseudo-labels.

    See Also
    --------
    PruneClasses : Leaves classes out by a similar rule, before any method.
    skda.unsupervised.TargetCentroids : Equation 3 for every class, without a network.

    Notes
    -----
    Without a source, and without a fit before that had one, the network is trained on
    the labeled rows of the target.

    Where it differs from the public code: there, the bottleneck has batch norm and
    comes after a network of images (pass both as ``module``), a tenth of the source is
    held out to choose the epoch at which the first phase ends, and :math:`T_c` counts
    rows. :meth:`published` has the settings for Office-Home.

    References
    ----------
    .. [1] J. Liang, D. Hu and J. Feng, "Do We Really Need to Access the Source Data?
       Source Hypothesis Transfer for Unsupervised Domain Adaptation", ICML 2020.
       arXiv:2002.08546.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SHOT
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = SHOT(max_epochs=10, warm_start=True, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).kept_classes_
    array([0, 1])
    >>> clf.fit(X_target[:20]).predict_proba(X_target).shape
    (77, 4)
    """

    beta: NonNegative = 0.3
    threshold: Share = 0.4
    min_count: WholeNumber | None = None
    n_refreshes: Count = 15
    smoothing: Fraction = 0.1
    source_epochs: Count | None = None

    published_params: ClassVar[dict[str, Any]] = {
        "min_count": 10,
        "source_epochs": 50,
        "max_epochs": 15,
    }

    @property
    def _adapts_without_source(self) -> bool:
        """Say whether there is a network to adapt without a source."""
        knew_source = getattr(self, "n_features_in_source_", None) is not None
        return self.warm_start and hasattr(self, "net_") and knew_source

    def _check_domains(self, X: Any, y: Any, source: Any) -> tuple[Rows, Rows]:
        """Check both domains, or new rows of the target alone."""
        if source is not None or not self._adapts_without_source:
            return super()._check_domains(X, y, source)
        rows = self._check_samples(X, "target")
        no_source = Rows(rows[:0], check_labels(None, rows[:0]))
        return no_source, Rows(rows, self._check_subset(y, rows))

    def _network(self, task: Any, build: Callable[[], nn.Module]) -> nn.Module:
        n_source_features = task[0].n_source_features
        if self._adapts_without_source and not n_source_features:
            return self.net_.module_
        return super()._network(task, build)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return SHOTClassifier(**layout)

    def make_objective(self) -> SHOTObjective:
        return SHOTObjective(
            self.lambda0,
            beta=self.beta,
            threshold=self.threshold,
            min_count=self.min_count,
            n_refreshes=self.n_refreshes,
        )

    def make_target_objective(self) -> Objective:
        if self._adapts_without_source:
            return self.make_objective()
        return super().make_target_objective()

    def make_phases(self, max_epochs: int) -> list[Phase]:
        first = max_epochs if self.max_steps else self.source_epochs or max_epochs
        return [
            Phase(SourceObjective(self.smoothing), first, "source"),
            Phase(self.make_objective(), max_epochs, "target"),
        ]

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        clusters = self.make_objective().find_clusters(*self._outputs(target, "target"))
        kept = clusters.kept.numpy()
        self.kept_classes_ = self.classes_[kept]
        self.pseudo_labels_ = self.classes_[clusters.labels.argmax(dim=1).numpy()]
        self.centroids_ = clusters.centroids.numpy()[kept]
        self.class_counts_ = clusters.counts.numpy()
