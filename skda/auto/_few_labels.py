"""The committee over representations that learns from a few labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from skda.auto._margins import Margins, Split, share_of_margins
from skda.auto._mixture import ClassMixture
from skda.auto._regression import KernelRegression, Regression
from skda.auto._views import View, look
from skda.utils.labels import UNLABELED
from skda.utils.mixing import member_weights
from skda.utils.operations import spread_columns

__all__ = ["FewLabelsCommittee"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Folds of the labeled rows that judge the members.
N_FOLDS = 3
#: With fewer labels per class on average, folds say nothing, and weights stay prior.
FEWEST_LABELS = 3
#: Prior worth of the members by their names. The regression on smoothed rows is where
#: the mixture starts, which makes the two alike, so it counts half.
WORTH = {"mixture": 1.0, "smooth": 0.5, "kernel": 1.0}
#: With fewer rows, threads would wait for one another more than they compute.
MIN_ROWS_FOR_THREADS = 2000


class FewLabelsCommittee:
    r"""Average of classifiers of a partially labeled target in several representations.

    Any single representation of rows fails on some kind of data; the mean over
    representations does not. There are four: powers scaled to unit rows, z-scores,
    z-scores scaled to unit rows, and normal scores of ranks; of text (more than 90 %
    zeros), the first and the third.

    **Smoothing.** Rows are moved towards their neighbors,
    :math:`Z = (1 - \alpha) (I - \alpha S)^{-1} X`, over one graph :math:`S` for all
    representations, the mean of theirs: two rows are neighbors as far as
    representations agree.

    **Members.** In every representation there are three:

    * a logistic regression on the smoothed rows;
    * a mixture of Gaussians on their principal components (:class:`ClassMixture`). At
      first, each starts at the regression of its representation; in every further
      round, all start at the mean of their probabilities, so that each learns from what
      the others see. This is worth most where labels are few;
    * a logistic regression with a Gaussian kernel on rows as they are, which is right
      where neighbors mislead and where classes are no linear matter.

    With three labels per class or more, support vector machines join, linear and
    radial, on standardized rows and on unit rows
    (:class:`~skda.auto._margins.Margins`), but not for text: what a user would tune,
    and right on tables where nothing else is.

    **Weights.** With :math:`o_{im}` the probability that member :math:`m` gives to the
    class of the labeled row :math:`i`, learned without the fold of :math:`i`,

    .. math::

        r_{im} = \frac{w_m o_{im}}{\sum_l w_l o_{il}}, \qquad
        w_m = \frac{\sum_i r_{im} + \lambda v_m}{n_A + \lambda}

    are iterated: the most likely weights of the mean, drawn by the worth of
    :math:`\lambda` labels to prior ones :math:`v`. These are equal, but half for the
    regressions on smoothed rows, which the mixtures start at and are like, and
    :math:`m / (m + 10)` for all machines together with :math:`m` labels per class:
    what learns from labels alone needs more of them. Below three labels per class, they
    are the weights.

    **New rows** have no place in the graph. In every representation, Gaussians that
    share a covariance are fitted to the rows as they are, with the probabilities of the
    committee for their classes, in closed form; the mean of the representations is what
    comes out, and the machines have their own say. (With regressions in the place of
    the Gaussians, linear or with a kernel, or the mean of the nearest rows of the fit,
    new rows were 1.5 to 2 points less accurate.)

    Parameters
    ----------
    alpha : float
        Weight of the neighbors, from 0 to less than 1.
    n_neighbors : int
        Number of neighbors in the graph.
    neighbors : transformer or None
        What searches for them; see :func:`skda.utils.neighbors.fit_neighbors`.
    n_components : int
        Most principal components of the mixtures.
    n_steps : int
        Steps of EM of a mixture in a round.
    n_rounds : int
        Rounds in which the mixtures are fitted.
    C : float
        Inverse strength of the regularization of the regressions on labels.
    prior_strength : float
        :math:`\lambda`.

    Attributes
    ----------
    members_ : dict of str to ndarray of shape (n, n_classes)
        Probabilities of every member.
    weights_ : dict of str to float
        Weights of the members.
    probabilities_ : ndarray of shape (n, n_classes)
        Their weighted mean; zero for a class without a label.
    fold_accuracy_ : dict of str to float, or None
        Accuracy of every member in the folds of the labeled rows, None without folds.
    fold_truth_ : ndarray of shape (n_labeled,) or None
        Probability that the committee gives to the class of every labeled row that was
        in no fold it learned from, None without folds.
    shares_ : ndarray of shape (n_classes,)
        Mean probabilities.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.5,
        n_neighbors: int = 10,
        neighbors: Any = None,
        n_components: int = 30,
        n_steps: int = 4,
        n_rounds: int = 3,
        C: float = 100.0,
        prior_strength: float = 10.0,
    ) -> None:
        self.alpha = alpha
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors
        self.n_components = n_components
        self.n_steps = n_steps
        self.n_rounds = n_rounds
        self.C = C
        self.prior_strength = prior_strength

    def fit(
        self,
        X: Array,
        codes: Codes,
        n_classes: int,
        *,
        geometry: Array | None = None,
        extra: Mapping[str, Array] | None = None,
    ) -> Self:
        """Classify the rows of a target.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            All rows.
        codes : ndarray of shape (n,)
            Classes from 0 to ``n_classes - 1``, -1 where unknown.
        n_classes : int
            Number of classes; those without a label get a probability of zero.
        geometry : ndarray of shape (n_classes, n_classes) or None
            Prior covariance between classes; the regressions that mixtures start at are
            averaged over those with and without it.
        extra : dict of str to ndarray of shape (n, n_classes), or None
            Probabilities by others, who have not seen the labels.

        Returns
        -------
        self : object
            Fitted committee.
        """
        labeled = np.flatnonzero(codes != UNLABELED)
        if not labeled.size:
            raise ValueError(
                "FewLabelsCommittee expects labeled rows, got none. Label a few rows "
                "of every class, or pass a source of the same features."
            )
        present, labels = np.unique(codes[labeled], return_inverse=True)
        if geometry is not None:
            geometry = geometry[np.ix_(present, present)]
        extra = dict(extra or {})
        n_threads = 1 if len(X) < MIN_ROWS_FOR_THREADS else None
        with threadpool_limits(n_threads, user_api="blas"):
            views = look(
                X, self.alpha, self.n_neighbors, self.n_components, self.neighbors
            )
            found = self._train(views, labeled, labels, geometry)
            own: dict[str, Array] | None = None
            margins: dict[str, Array] = {}
            splits = _split(labels)
            self._margins = None
            if splits:
                self._margins = Margins().fit(X, labeled, labels, splits)
                margins = self._margins.probabilities_
                own = self._judge(views, labeled, labels, splits, geometry)
                own |= self._margins.held_out_
            self.members_ = {
                name: _spread_out(each, present, n_classes)
                for name, each in (found | margins).items()
            } | extra
            prior = self._prior(margins, len(labels) / len(present))
            self._weigh(
                own, prior, [each[labeled] for each in extra.values()], codes[labeled]
            )
            self.take(self.members_)
            self._distill(views, self._mean(found), present, n_classes)
        return self

    def predict_proba(
        self, X: Array, extra: Mapping[str, Array] | None = None
    ) -> Array:
        """Give the probabilities of the classes for new rows.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.
        extra : dict of str to ndarray of shape (n, n_classes), or None
            Probabilities of these rows by the others that ``fit`` was given.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities.
        """
        own, given = self.predict_parts(X, extra)
        share = 1 - sum(self.weights_[name] for name in given)
        return share * own + sum(self.weights_[k] * P for k, P in given.items())

    def take(self, members: dict[str, Array]) -> None:
        """Take what the members say of all rows, and average it by their weights."""
        self.members_ = members
        self.probabilities_ = self._mean(members)
        self.shares_ = self.probabilities_.mean(axis=0)

    def predict_parts(
        self, X: Array, extra: Mapping[str, Array] | None = None
    ) -> tuple[Array, dict[str, Array]]:
        """Give the probabilities of new rows by what is left of the members.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.
        extra : dict of str to ndarray of shape (n, n_classes), or None
            Probabilities of these rows by the others that ``fit`` was given.

        Returns
        -------
        own : ndarray of shape (n, n_classes)
            Probabilities by all members that need a graph.
        given : dict of str to ndarray of shape (n, n_classes)
            Those by each of the others.
        """
        present, n_classes = self._classes
        found = [
            mixture.predict_proba(map_.transform(X) @ axes)
            for map_, axes, mixture in self._students
        ]
        given = dict(extra or {})
        if self._margins is not None:
            for name, each in self._margins.predict_proba(X).items():
                given[name] = _spread_out(each, present, n_classes)
        own = np.stack(found).mean(axis=0)
        return _spread_out(own, present, n_classes), given

    def _train(
        self, views: list[View], labeled: Codes, labels: Codes, geometry: Array | None
    ) -> dict[str, Array]:
        """Fit the members to some labeled rows, for the probabilities of all rows."""
        one_hot = np.eye(labels.max() + 1)[labels]
        starts = [self._fit_start(view, labeled, one_hot, geometry) for view in views]
        mixtures = self._fit_mixtures(views, starts, labeled, one_hot)
        found = {}
        for view, start, mixture in zip(views, starts, mixtures, strict=True):
            kernel = KernelRegression(self.C).prepare(view.rows)
            kernel.fit(view.rows[labeled], one_hot)
            found[f"mixture, {view.kind}"] = mixture
            found[f"smooth, {view.kind}"] = start
            found[f"kernel, {view.kind}"] = kernel.predict_proba(view.rows)
        return found

    def _fit_start(
        self, view: View, labeled: Codes, one_hot: Array, geometry: Array | None
    ) -> Array:
        """Fit the regression on smoothed rows, with and without the geometry."""
        runs = [None] if geometry is None else [None, geometry]
        Z = view.smooth
        fits = [Regression(self.C, run).fit(Z[labeled], one_hot) for run in runs]
        return np.asarray(np.mean([fit.predict_proba(Z) for fit in fits], axis=0))

    def _fit_mixtures(
        self, views: list[View], starts: list[Array], labeled: Codes, one_hot: Array
    ) -> list[Array]:
        """Fit the mixtures of all views in turns, for their probabilities."""
        for _ in range(self.n_rounds):
            mixtures = [
                ClassMixture(self.n_steps)
                .fit(view.components, start, labeled, one_hot)
                .probabilities_
                for view, start in zip(views, starts, strict=True)
            ]
            starts = [np.mean(mixtures, axis=0)] * len(views)
        return mixtures

    def _judge(
        self,
        views: list[View],
        labeled: Codes,
        labels: Codes,
        splits: list[Split],
        geometry: Array | None,
    ) -> dict[str, Array]:
        """Find what members make of labeled rows that they have not seen."""
        judged: dict[str, Array] = {}
        shape = len(labels), labels.max() + 1
        for train, test in splits:
            known, codes = np.unique(labels[train], return_inverse=True)
            prior = None if geometry is None else geometry[np.ix_(known, known)]
            found = self._train(views, labeled[train], codes, prior)
            for name, each in found.items():
                all_ = judged.setdefault(name, np.zeros(shape))
                all_[np.ix_(test, known)] = each[labeled[test]]
        return judged

    def _prior(self, margins: Mapping[str, Array], n_per_class: float) -> Array:
        """Weigh the members by their worth, before any fold is looked at."""
        names = list(self.members_)
        prior = np.array([WORTH.get(name.split(",")[0], 1.0) for name in names])
        is_margin = np.isin(names, list(margins))
        share = share_of_margins(n_per_class) if margins else 0.0
        prior[is_margin] *= share / max(prior[is_margin].sum(), 1.0)
        prior[~is_margin] *= (1 - share) / prior[~is_margin].sum()
        return prior

    def _weigh(
        self,
        own: dict[str, Array] | None,
        prior: Array,
        extra: list[Array],
        codes: Codes,
    ) -> None:
        """Weigh the members, by the folds if there are any."""
        names = list(self.members_)
        if own is None:
            self.fold_accuracy_ = self.fold_truth_ = None
            self.weights_ = dict(zip(names, prior.tolist(), strict=True))
            return
        present, labels = np.unique(codes, return_inverse=True)
        judged = [*own.values(), *(each[:, present] for each in extra)]
        truth = np.array([each[np.arange(len(labels)), labels] for each in judged]).T
        weights = member_weights(truth, prior, self.prior_strength)
        self.weights_ = dict(zip(names, weights.tolist(), strict=True))
        self.fold_truth_ = truth @ weights
        self.fold_accuracy_ = {
            name: float(np.mean(each.argmax(axis=1) == labels))
            for name, each in zip(names, judged, strict=True)
        }

    def _mean(self, members: Mapping[str, Array]) -> Array:
        """Average some members by their weights."""
        total = sum(self.weights_[name] for name in members)
        mean = sum(self.weights_[name] * each for name, each in members.items())
        return np.asarray(mean / total)

    def _distill(
        self, views: list[View], teacher: Array, present: Codes, n_classes: int
    ) -> None:
        """Learn the probabilities of the committee from rows as they are."""
        self._classes = present, n_classes
        self._students = []
        for view in views:
            rows = view.rows @ view.axes
            mixture = ClassMixture().fit_known(rows, teacher)
            self._students.append((view.map, view.axes, mixture))


def _split(labels: Codes) -> list[Split]:
    """Split labeled rows into folds, where they are enough for any."""
    n_classes = labels.max() + 1
    if len(labels) < max(FEWEST_LABELS * n_classes, N_FOLDS):
        return []
    if np.bincount(labels).max() < N_FOLDS:  # impossible to stratify
        return []
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # Of classes with fewer labels than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        return list(folds.split(labels, labels))


def _spread_out(P: Array, present: Codes, n_classes: int) -> Array:
    """Give classes without a label a column of zeros."""
    return spread_columns(P, present, n_classes)
