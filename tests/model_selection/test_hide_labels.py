"""Tests of `skda.model_selection.HideLabels`."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetOnly
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import STN
from skda.model_selection import HideLabels, LabeledFold
from skda.utils.labels import UNLABELED

# The net here is tiny: threads cost more than they give.
torch.set_num_threads(1)

# What the method makes of hidden labels is not what is tested here.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.* got no label of the target:UserWarning"
)

NAMES = np.array(["ant", "bee", "cat", "dog"], dtype=object)


@pytest.fixture(scope="module")
def data():
    """Two domains with as many rows, so that a splitter might cut the source."""
    return make_heterogeneous_domains(60, 60, random_state=0)


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


class Recorder(ClassifierMixin, BaseEstimator):
    """A method that takes pairs, and remembers what it was called with."""

    def fit(self, X, y=None, *, source=None, pairs=None):
        self.fit_, self.classes_ = SimpleNamespace(y=y, source=source, pairs=pairs), [7]
        return self

    def predict(self, X, *, domain="target"):
        self.domain_ = domain
        return np.full(len(X), 7)


def _stn(**params):
    return STN(max_epochs=2, n_components=4, random_state=0, **params)


# What it hides


def test_the_labels_make_no_difference(data):
    y, source = data.y_true, data.source
    labels = [y, y[::-1], NAMES[y], pd.Series(NAMES[y]).where(y > 1, None), None]

    probabilities = [
        HideLabels(_stn()).fit(data.X, y, source=source).predict_proba(data.X)
        for y in labels
    ]

    seen = _stn().fit(data.X, y, source=source).predict_proba(data.X)
    assert not np.array_equal(probabilities[0], seen)
    for other in probabilities[1:]:
        assert_array_equal(other, probabilities[0])


def test_the_method_gets_what_is_given_and_no_label():
    clf = HideLabels(Recorder()).fit([[0], [1]], ["a", None], pairs="pairs")

    assert clf.fit_.y.tolist() == [UNLABELED, UNLABELED]
    assert clf.fit_.pairs == "pairs"
    assert clf.fit_.source is None


def test_a_method_without_pairs_is_not_passed_any(data):
    with pytest.raises(TypeError, match="unexpected keyword argument 'pairs'"):
        HideLabels(_stn()).fit(data.X, source=data.source, pairs=(data.X, data.X))
    HideLabels(_stn()).fit(data.X, source=data.source)


@pytest.mark.parametrize("estimator", [_stn(), TargetOnly()])
def test_without_a_source_there_is_nothing_to_learn_from(data, estimator):
    message = (
        r"label is missing(.|\n)*HideLabels hides every target label.*pass source="
    )
    with pytest.raises(ValueError, match=message):
        HideLabels(estimator).fit(data.X, data.y_true)


def test_what_is_wrong_with_the_rows_is_said_alone(data):
    with pytest.raises(ValueError, match="X contains NaN") as error:
        HideLabels(_stn()).fit(data.X * np.nan, data.y_true, source=data.source)

    assert not hasattr(error.value, "__notes__")


# What it passes on


@pytest.mark.parametrize("domain", ["target", "source"])
def test_it_predicts_as_the_method_does(data, domain):
    clf = HideLabels(_stn()).fit(data.X, data.y_true, source=data.source)
    X, y = (data.X, data.y_true) if domain == "target" else data.source

    for method in ("predict", "predict_proba", "transform"):
        ours, its = (
            getattr(estimator, method)(X, domain=domain)
            for estimator in (clf, clf.estimator_)
        )
        assert_array_equal(ours, its)
    assert clf.score(X, y, domain=domain) == clf.estimator_.score(X, y, domain=domain)


def test_score_counts_labeled_samples_only():
    clf = HideLabels(Recorder()).fit([[0], [1]], None)
    X, y = [[0], [1], [2]], [7, 8, None]

    assert clf.score(X, y) == 0.5
    assert clf.score(X, y, [3, 1, 9]) == 0.75
    with pytest.raises(ValueError, match="nothing to score"):
        clf.score(X, [None] * 3)


def test_what_knows_no_domains_may_be_wrapped():
    X = [[0.0], [0.1], [5.0], [5.1]]
    clf = HideLabels(KMeans(2, random_state=0)).fit(X, [0, 0, 1, 1])

    assert clf.score(X, clf.predict(X)) == 1
    assert not is_classifier(clf)


def test_what_was_learned_is_at_hand(data):
    clf = HideLabels(_stn())
    assert not hasattr(clf, "classes_")
    clf.fit(pd.DataFrame(data.X).add_prefix("x"), data.y_true, source=data.source)

    for name in ("classes_", "history_", "net_", "transduction_", "feature_names_in_"):
        assert getattr(clf, name) is getattr(clf.estimator_, name)
    assert clf.n_features_in_ == data.X.shape[1]
    with pytest.raises(
        AttributeError, match="'HideLabels' object has no attribute 'x'"
    ):
        _ = clf.x


def test_it_has_the_methods_of_its_estimator():
    assert hasattr(HideLabels(_stn()), "predict_proba")
    assert not hasattr(HideLabels(Recorder()), "predict_proba")
    assert not hasattr(HideLabels(StandardScaler()), "score")
    with pytest.raises(NotFittedError, match="This HideLabels instance is not fitted"):
        HideLabels(_stn()).predict([[0.0]])


def test_an_estimator_is_required():
    with pytest.raises(ValueError, match="'estimator' parameter of HideLabels must be"):
        HideLabels("STN").fit([[0.0]])


# In scikit-learn


def test_it_is_an_estimator_like_any_other(data):
    clf = HideLabels(_stn()).fit(data.X, source=data.source)
    copy, stored = clone(clf), pickle.loads(pickle.dumps(clf))  # noqa: S301

    assert copy.get_params()["estimator__beta"] == 0.001
    assert copy.set_params(estimator__beta=0.5).estimator.beta == 0.5
    assert clf.estimator.beta == 0.001
    assert not hasattr(clf.estimator, "net_")
    assert_array_equal(stored.predict(data.X), clf.predict(data.X))
    assert repr(clf).startswith("HideLabels(estimator=STN(")
    assert is_classifier(clf)


@pytest.mark.parametrize("cv", [3, LabeledFold(3)], ids=repr)
@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_log_loss"])
def test_it_cross_validates_against_real_labels(data, routed, cv, scoring):
    clf = make_pipeline(HideLabels(_stn())) if routed else HideLabels(_stn())

    result = cross_validate(
        clf,
        data.X,
        data.y_true,
        params={"source": data.source},
        cv=cv,
        scoring=scoring,
        error_score="raise",
        return_estimator=True,
        return_indices=True,
    )

    for fitted, train in zip(
        result["estimator"], result["indices"]["train"], strict=True
    ):
        hidden = (fitted[-1] if routed else fitted).estimator_
        alone = _stn().fit(data.X[train], source=data.source)
        assert_array_equal(hidden.predict_proba(data.X), alone.predict_proba(data.X))


def test_the_parameters_of_the_method_can_be_searched(data, routed):
    step = "" if routed else "hidelabels__"
    search = GridSearchCV(
        make_pipeline(StandardScaler(), HideLabels(_stn())),
        {"hidelabels__estimator__beta": [0.0, 0.1]},
        cv=2,
        error_score="raise",
    )
    search.fit(data.X, data.y_true, **{f"{step}source": data.source})

    best = search.best_estimator_[-1]
    assert best.estimator_.beta == search.best_params_["hidelabels__estimator__beta"]
    assert search.predict(data.X).shape == (60,)


def test_dates_are_no_labels_though_hidden(data):
    y = np.full(len(data.X), np.datetime64("2026-01-01"))

    with pytest.raises(ValueError, match="got dates or times"):
        HideLabels(STN(max_epochs=1)).fit(data.X, y, source=data.source)
