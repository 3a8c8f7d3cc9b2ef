"""The first choice: committees over representations, for whatever there is."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.auto._few_labels import FewLabelsCommittee
from skda.auto._from_source import SourceCommittee
from skda.auto._opinion import fit_opinion
from skda.auto._outside import Given, fit_added, fit_paired
from skda.auto._part import fit_to_part
from skda.auto._plain import PlainClassifier
from skda.auto._report_mixin import ReportMixin
from skda.auto._several_sources import SeveralSourcesAdapter
from skda.auto._unlabeled import name_classes
from skda.auto._votes import agreement_weights, average
from skda.base import (
    DomainName,
    OpinionMixin,
    PairedRows,
    Rows,
    estimator,
)
from skda.utils._sklearn import fit_context
from skda.utils.labels import UNLABELED
from skda.utils.mixing import member_weights
from skda.utils.ranges import Transformer

__all__ = ["AutoAdapter"]

Array = NDArray[np.float64]

#: Name of the committee that learns from the source, as a member of the other one.
SOURCE = "source"
#: Name of the committee that learns from labels of the target, for new rows.
OWN = "target"
#: Share of what the source says before any label is looked at, where its features are
#: the target's or pairs carry it over, and how many labels that is worth.
SHARE_OF_SOURCE, N_LABELS = 0.7, 10.0
#: Probability of the true class by the committee of the target where labels are too few
#: for folds.
UNJUDGED = 0.3


@estimator
class AutoAdapter(OpinionMixin, ReportMixin, SeveralSourcesAdapter):
    r"""What to try first, whatever there is of labels, of a source and of pairs.

    It is told neither what it has to do with nor whether classes are missing. It looks,
    and lets a committee decide. Its members are classifiers without a seed, each in a
    representation of its own: roots, rows of unit length, standardized features,
    standardized domains, ranks. Each representation is right for some data and ruinous
    for other; their average is neither, as long as members that stand alone count less.

    **Few target labels.** The rows move towards their neighbors, a logistic regression
    learns from the labeled ones, and a Gaussian mixture of the classes, which starts
    from it, from all of them; beside these, kernel regressions on the rows as they are.
    With three labels per class or more, support vector machines join, and folds of the
    labeled rows weigh the members. A source of other features says which classes are
    alike, and half of the members believe it. One of the same features has its own
    committee, as below, which has not seen the labels: they tell how far to believe it.

    **No target label.** A source of the same features is brought together with the
    target in several ways, and its labels are carried over by projections, kernels,
    neighbors and graphs; members weigh by how far they agree. Classes that the target
    seems to lack count less in the next round, and none is lost for good unless much
    speaks for it. (See :class:`skda.unsupervised.SPL`.)

    **Pairs.** :class:`skda.heterogeneous.PairedRidgeTransfer` joins in the same way, in
    two representations; with no label and a source of other features it is all there
    is.

    **Several sources** have a committee each; ``source_weights_`` and ``report_`` say
    which of them are used.

    **Opinions.** Probabilities from anywhere, corrected by how the rows lie, are one
    more member: :class:`skda.unsupervised.PriorTransduction`. With them neither labels
    nor a source are needed.

    **Trust.** ``report_`` says what was assumed, who took part with which weight, how
    far they agree, and how probable it is that a plain classifier is better. Where that
    is likely, the fit warns. The statement has been calibrated on tasks for choosing,
    and tested on others; see the boards in the documentation.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead, or, for domains of the
    same features, ``shared_transformer``.

    Parameters
    ----------
    members : dict of str to estimator, list of estimators or None
        Further members, classifiers or methods of skda, networks too. They are cloned,
        fitted to the same domains, averaged and weighed like the others; with three
        labels per class or more they are fitted to folds as well.
    same_features
        Whether the source has the features of the target. "auto" takes it that it has
        if there are as many, and, of frames, of the same names.
    unlabeled_classes
        What becomes of classes of the source that no target row is labeled with, where
        others are: "infer" takes it that the target has unlabeled rows of them, which
        the source names (of other features, as
        :class:`skda.heterogeneous.GeoST` does); "ignore" leaves them to members that
        learn from the source alone; "auto" infers them where labeled rows say that the
        source can name classes, and unlabeled ones that the classes are there.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).

    Attributes
    ----------
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Probabilities of the classes for every target sample seen in ``fit``.
    members_ : dict of str to ndarray of shape (n_target, n_classes)
        What every member says of them.
    weights_ : dict of str to float
        Weights of the members, which sum to one.
    report_ : Report
        What was done and is expected, a dict of plain values whose ``str`` is a text.

    See Also
    --------
    skda.heterogeneous.GeoST : One of its ideas alone, for few labels.
    skda.unsupervised.SPL : One of its ideas alone, for none.
    skda.baselines.TunedClassifier : What it has to beat.

    Notes
    -----
    New rows are judged without a graph: by the maps of the representations and what the
    members learned. Of the rows of the fit it knows more, see ``transduction_``. Rows
    of the source are judged by a logistic regression of the source.

    It has no random state: nothing is drawn but by fixed seeds.

    Nothing has been published, so :meth:`published` returns the defaults.

    Examples
    --------
    >>> from skda import AutoAdapter
    >>> from skda.datasets import make_heterogeneous_domains
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = AutoAdapter().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    >>> clf.report_["trust"] in ("high", "fair", "low")
    True
    """

    members: Annotated[Any, dict, list, None] = None
    same_features: Literal["auto"] | bool = "auto"
    unlabeled_classes: Literal["auto", "ignore", "infer"] = "auto"
    neighbors: Transformer = None
    scaling = field(default=None, init=False)

    needs_same_features: ClassVar[bool] = False
    unlabeled_fate: ClassVar[str] = (
        "by unlabeled_classes AutoAdapter infers or ignores them, or takes the target "
        "to lack them; report_ says which"
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        pairs: Any = None,
        probabilities: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit to whatever there is.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source) or list of such tuples, default=None
            Source samples, of shape (n_source, n_source_features), and their labels,
            of shape (n_source,); a list of several sources.
        pairs : tuple (X_source_pairs, X_target_pairs) or array-like, default=None
            Co-occurring samples, as :class:`skda.heterogeneous.PairedRidgeTransfer`
            takes them.
        probabilities : array-like of shape (n_target, n_classes), default=None
            Somebody else's opinion on every target sample; new ones are taken to have
            that of their neighbors. Cross-validation cuts it with ``X``.
        classes : array-like of shape (n_classes,), default=None
            Classes of the columns of ``probabilities``; None for the sorted labels of
            ``y`` and the source. Required if there is no label.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        is_list = isinstance(source, list) and len(source) > 1
        if probabilities is not None and is_list:
            raise ValueError(
                "AutoAdapter expects one source (X_source, y_source) or none beside "
                "probabilities, got a list: pass the source that is most like the "
                "target, or leave out the probabilities."
            )
        with self.holding_opinion(probabilities, classes):
            return super().fit(X, y, source=source, pairs=pairs)

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        given = self._look(source, target, pairs)
        self._check_given(given)
        self._from_source: SourceCommittee | None = None
        self._few_labels: FewLabelsCommittee | None = None
        if len(self.classes_) > 1 and given.has_source and given.same_features:
            self._from_source = SourceCommittee().fit(
                source.X, given.source_codes, target.X, len(self.classes_)
            )
        # Of classes that an opinion names, nothing has to be inferred.
        mode = self.unlabeled_classes if self._columns is None else "ignore"
        self._named = name_classes(mode, given, self.classes_, self._from_source)
        learned = given._replace(codes=self._named.codes)
        self._plain = PlainClassifier().fit(learned, len(self.classes_))
        self._added, added = fit_added(self.members, learned, self.classes_)
        self._paired, transferred = fit_paired(learned, self.classes_)
        probabilities = self.given_probabilities(len(target.X))
        opinion, said = fit_opinion(probabilities, given, self.classes_)
        self._paired, transferred = self._paired | opinion, transferred | said
        if len(self.classes_) == 1:
            added = {"the only class": np.ones((len(target.X), 1))}
        if given.has_labels and len(self.classes_) > 1:
            was_labeled = given.codes != UNLABELED
            self._fit_few_labels(learned, was_labeled, added, transferred)
        else:
            self._join(added | transferred)
        self.label_distributions_ = average(self.members_, self.weights_)
        self._report(given)

    def _fit_few_labels(
        self,
        given: Given,
        was_labeled: NDArray[np.bool_],
        added: dict[str, Array],
        transferred: dict[str, Array],
    ) -> None:
        """Learn from labels of the target, and weigh what the source says by them."""
        self._geometry = given.geometry(len(self.classes_))
        few = self._few_labels = fit_to_part(
            FewLabelsCommittee(neighbors=self.neighbors),
            given.target.X,
            given.codes,
            len(self.classes_),
            geometry=self._geometry,
            extra=added,
        )
        self.members_, self.weights_ = few.members_, few.weights_
        if self._from_source is not None:
            transferred = transferred | {SOURCE: self._from_source.probabilities_}
        if not transferred:
            return
        labeled = np.flatnonzero(was_labeled)
        own = np.full(len(labeled), UNJUDGED)
        if few.fold_truth_ is not None:
            own = few.fold_truth_[was_labeled[given.codes != UNLABELED]]
        truth = [own, *(P[labeled, given.codes[labeled]] for P in transferred.values())]
        share = SHARE_OF_SOURCE / len(transferred)
        prior = np.array([1 - SHARE_OF_SOURCE, *[share] * len(transferred)])
        own_share, *shares = member_weights(np.transpose(truth), prior, N_LABELS)
        self.members_ = self.members_ | transferred
        self.weights_ = {
            name: float(own_share) * weight for name, weight in self.weights_.items()
        } | dict(zip(transferred, map(float, shares), strict=True))

    def _join(self, said: dict[str, Array]) -> None:
        """Weigh what was said outside of the committee by its agreement."""
        committee = self._from_source
        self.members_ = said if committee is None else committee.members_ | said
        self.weights_ = {} if committee is None else committee.weights_
        if said:
            typical = np.mean([*self.weights_.values()] or [1.0])
            strengths = self.weights_ | dict.fromkeys(said, float(typical))
            self.weights_, _ = agreement_weights(self.members_, strengths)

    def transduce(self, target: Rows) -> Array:
        return self.label_distributions_

    def predict_proba_rows(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            return self._plain.predict_proba_of_source(X)
        if len(self.classes_) == 1:
            return np.ones((len(X), 1))
        added = {name: each.predict_proba(X) for name, each in self._added.items()}
        said = {name: each.predict_proba(X) for name, each in self._paired.items()}
        few, committee = self._few_labels, self._from_source
        if few is None:
            said |= added | ({} if committee is None else committee.predict_members(X))
            return average(said, self.weights_)
        if committee is not None:
            said[SOURCE] = committee.predict_proba(X)
        weights = {name: self.weights_[name] for name in said}
        own = few.predict_proba(X, extra=added)
        return average(said | {OWN: own}, weights | {OWN: 1 - sum(weights.values())})

    def _fit_shared(self, rows: dict[DomainName, Any], labels: Any) -> None:
        if self.shared_transformer is not None:  # else the features may differ
            super()._fit_shared(rows, labels)

    def _needs_pairs(self) -> bool:
        return False

    def _look(self, source: Rows, target: Rows, pairs: PairedRows | None) -> Given:
        """Look at what there is."""
        same: Any = self.same_features
        if same == "auto":
            same = source.X.shape[1] == target.X.shape[1] and self._same_names()
        if same and source.X.shape[1] != target.X.shape[1]:
            raise ValueError(
                f"AutoAdapter expects a source with the features of the target, as "
                f"same_features is True, got {source.X.shape[1]} source features and "
                f"{target.X.shape[1]} target features: pass same_features='auto'."
            )
        source_codes, codes = (
            rows.labels.codes(self.classes_) for rows in (source, target)
        )
        return Given(source, target, source_codes, codes, pairs, bool(same))

    def _same_names(self) -> bool:
        """Say whether the features have the same names, where both have any."""
        if self.shared_transformer is not None:
            return True
        names = getattr(self, "feature_names_in_", None)
        domain = getattr(self, "_source_domain", None)
        source_names = getattr(domain, "feature_names_in_", None)
        if names is None or source_names is None:
            return True
        return bool(np.array_equal(names, source_names))

    def _check_given(self, given: Given) -> None:
        """Refuse what nothing can be learned from."""
        n_labeled = int((given.codes != UNLABELED).sum())
        helped = given.has_source and (given.same_features or given.pairs is not None)
        helped = helped or self._columns is not None
        if not helped and not given.has_labels:
            raise ValueError(
                f"AutoAdapter expects labels of the target, or pairs, where the source "
                f"has other features, got a source of {given.source.X.shape[1]} "
                f"features, a target of {given.target.X.shape[1]} and no label: label "
                f"a few target rows of every class, pass pairs, or same_features=True "
                f"if the columns are the same."
            )
        n_shown = len(np.unique(given.codes[given.codes != UNLABELED]))
        if not helped and n_shown == 1 < len(self.classes_):
            raise ValueError(
                f"AutoAdapter expects labels of two classes or more, where the source "
                f"has other features, got {n_labeled} labeled target rows of one "
                f"class: label a few rows of every class."
            )
