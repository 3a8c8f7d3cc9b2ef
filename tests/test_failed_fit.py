"""A fit that fails leaves the estimator unfitted, whatever was fitted before."""

import inspect

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

import skda.auto
import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.retrieval
import skda.unsupervised
from skda.base import (
    BaseDomainClassifier,
    BasePairedClassifier,
    BaseRetriever,
    GalleryIndex,
)
from skda.baselines import TargetOnly
from skda.preprocessing import PerView
from skda.retrieval import DMTL, RidgeCCA
from skda.unsupervised import MCC

pytestmark = pytest.mark.filterwarnings("ignore")
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
FAST = {"max_epochs": 3, "hidden_layer_sizes": (16,), "random_state": 0}
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), np.arange(40) % 2
NAMES = np.array(["no", "yes"])[Y]


class Interrupt(BaseException):
    """What may come at any time, like a KeyboardInterrupt."""


def _fail(*args, **kwargs):
    raise Interrupt


def _make(cls):
    params = inspect.signature(cls).parameters
    return cls(**{name: value for name, value in FAST.items() if name in params})


def _fit(est, y):
    if not isinstance(est, BaseDomainClassifier):
        return est.fit(X, y)
    pairs = {"pairs": (X, X)} if isinstance(est, BasePairedClassifier) else {}
    return est.fit(X, y, source=(X[::-1], y[::-1]), **pairs)


def _fitted_attributes(est):
    return set(vars(est)) - set(est.get_params(deep=False))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_interrupted_refit_leaves_nothing_of_either_fit(cls, monkeypatch):
    est = _fit(_make(cls), Y)
    last = "transduce" if isinstance(est, BaseDomainClassifier) else "embed_rows"
    monkeypatch.setattr(cls, last, _fail)

    with pytest.raises(Interrupt):
        _fit(est, NAMES)

    assert not _fitted_attributes(est)
    with pytest.raises(NotFittedError):
        check_is_fitted(est)


@pytest.mark.parametrize(
    ("est", "bad"),
    [
        (RidgeCCA(), X[:1]),
        (GalleryIndex(n_neighbors=1), X[:0]),
        (PerView(StandardScaler()), X[:, :1]),
        (TargetOnly(LogisticRegression()), X[:0]),
    ],
)
def test_a_refit_to_bad_data_leaves_nothing(est, bad):
    est.fit(X, Y)

    with pytest.raises(ValueError, match=r"minimum|at least|is missing"):
        est.fit(bad, Y[: len(bad)])

    assert not _fitted_attributes(est)


def test_what_users_have_set_outlives_a_failed_fit():
    est = RidgeCCA().set_output(transform="pandas").fit(X)
    est.note = "mine"

    with pytest.raises(ValueError, match=r"at least two pairs|minimum of 2"):
        est.fit(X[:1])

    assert est.note == "mine"
    assert list(est.fit(X).transform(X).columns[:1]) == ["ridgecca0"]


def test_out_of_range_parameters_unfit_too():
    est = DMTL(max_epochs=1, hidden_layer_sizes=(4,)).fit(X)

    with pytest.raises(ValueError, match="max_epochs"):
        est.set_params(max_epochs=0).fit(X)

    with pytest.raises(NotFittedError):
        est.transform(X)


def test_a_plug_in_survives_a_failed_backbone(monkeypatch):
    est = MCC(max_epochs=1).fit(X, Y, source=(X, Y))

    with pytest.raises(ZeroDivisionError), est.extended(lambda *_: 1 / 0):
        est.fit(X, Y, source=(X, Y))

    assert not _fitted_attributes(est)
    est.fit(X, Y, source=(X, Y))
