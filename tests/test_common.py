"""Run scikit-learn's own checks on every estimator, without and with a source."""

import inspect

import numpy as np
import pytest
from scipy.sparse import hstack, issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.semi_supervised import LabelSpreading

import skda.auto
import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.retrieval
import skda.unsupervised
from skda.base import (
    BaseDomainClassifier,
    BaseHomogeneousClassifier,
    BasePairedClassifier,
    BaseRetriever,
    GalleryIndex,
)
from skda.baselines import (
    SSDAE,
    BalancedLabelPropagation,
    BalancedSelfTraining,
    TargetOnly,
    TunedClassifier,
)
from skda.heterogeneous import DATN, WSDTN
from skda.partial import PADA
from skda.preprocessing import PerView
from skda.unsupervised import MCD, SourceOnly

FAMILIES = [
    skda.auto,
    skda.heterogeneous,
    skda.unsupervised,
    skda.partial,
    skda.retrieval,
    skda.baselines,
]
ESTIMATORS = [
    cls
    for family in FAMILIES
    for cls in map(vars(family).get, family.__all__)
    if issubclass(cls, BaseDomainClassifier | BaseRetriever)
]
FAST = {
    "max_epochs": 2,
    "hidden_layer_sizes": (16,),
    "discriminator_layer_sizes": (8,),
    "random_state": 0,
}
#: What the check of accuracy needs beside, and learning rates for it where three times
#: an estimator's own will not do.
LEARNS = {"max_epochs": 5, "batch_size": 100}
RATES = {DATN: 0.01, MCD: 0.1, PADA: 0.1, SSDAE: 0.03, WSDTN: 0.03}
MORE = [
    TargetOnly(LogisticRegression()),
    TargetOnly(LabelSpreading(kernel="knn", n_neighbors=5), unlabeled="keep"),
    BalancedLabelPropagation(balance=False),
    BalancedSelfTraining(LogisticRegression()),
    SourceOnly(LogisticRegression()),
    TunedClassifier(),
    GalleryIndex(n_neighbors=1),
    PerView(MaxAbsScaler()),
]


def _with_source(cls):
    """Subclass an estimator so that it never lacks a source.

    The source is the target upside down, and one feature wider if it may be; where
    pairs are taken, each of its rows is one with the same row of the target. That of a
    retriever has all the labels, because no category may be in both.
    """

    def fit(self, X, y=None):
        if y is None:
            return cls.fit(self, X, y)
        upside_down = X.tocsr()[::-1] if issparse(X) else np.asarray(X)[::-1]
        y_source = np.asarray(y)[::-1].ravel()
        if issubclass(cls, BaseRetriever):
            return cls.fit(self, X, source=(upside_down, y_source))
        if issubclass(cls, BaseHomogeneousClassifier):
            return cls.fit(self, X, y, source=(upside_down, y_source))
        stack = hstack if issparse(X) else np.hstack
        X_source = stack([upside_down, np.zeros((upside_down.shape[0], 1))])
        if issubclass(cls, BasePairedClassifier):
            pairs = (X_source.tocsr() if issparse(X) else X_source)[::-1]
            return cls.fit(self, X, y, source=(X_source, y_source), pairs=pairs)
        return cls.fit(self, X, y, source=(X_source, y_source))

    name = f"{cls.__name__}WithSource"
    globals()[name] = type(name, (cls,), {"fit": fit, "__module__": __name__})
    return globals()[name]  # global, because one of the checks pickles it


def _fast(cls, signature):
    return cls(**{k: v for k, v in FAST.items() if k in signature.parameters})


def _learning(estimator):
    """Train an estimator for as long as it takes to learn something."""
    own = estimator.get_params()
    if "max_epochs" not in own:
        return estimator
    rates = [rate for cls, rate in RATES.items() if isinstance(estimator, cls)]
    return clone(estimator).set_params(**LEARNS, lr=[*rates, 3 * own["lr"]][0])


VARIANTS = [
    _fast(variant, inspect.signature(cls))
    for cls in ESTIMATORS
    for variant in (cls, _with_source(cls))
] + MORE


@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.filterwarnings("ignore:.*leaves out .* unlabeled pairs:UserWarning")
@pytest.mark.filterwarnings("ignore:AutoAdapter expects:UserWarning")
@pytest.mark.filterwarnings("ignore:The data contradict:UserWarning")
@pytest.mark.parametrize("estimator", VARIANTS, ids=lambda e: type(e).__name__)
def test_sklearn_contract(estimator, check_contract):
    check_contract(estimator, _learning(estimator))


def test_there_are_estimators_to_check():
    assert len(ESTIMATORS) >= 4


def test_only_keywords_configure():
    positional = {
        (cls.__name__, p.name)
        for cls in ESTIMATORS
        for p in inspect.signature(cls).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    }

    assert {name for _, name in positional} == {"estimator"}, positional


@pytest.mark.parametrize(
    "cls", [cls for cls in ESTIMATORS if hasattr(cls, "published")]
)
def test_published_settings_may_be_overridden(cls):
    published = cls.published()
    name = "shared" if issubclass(cls, BaseRetriever) else "target"
    scaled = cls.published(**{f"{name}_transformer": StandardScaler()})

    assert type(published) is cls
    assert not hasattr(published, "classes_")
    assert isinstance(getattr(scaled, f"{name}_transformer"), StandardScaler)
    scaled.set_params(**{f"{name}_transformer": None})
    # Estimators inside are equal if their parameters are, which are listed as well.
    assert repr(scaled.get_params()) == repr(published.get_params())
