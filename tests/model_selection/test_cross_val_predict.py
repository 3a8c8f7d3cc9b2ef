"""Tests of `skda.model_selection.cross_val_predict` and `calibrate`."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import model_selection
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetOnly
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import GeoST
from skda.model_selection import LabeledFold, calibrate, cross_val_predict

DATA = make_heterogeneous_domains(120, 120, n_labeled_per_class=6, random_state=0)
KNOWN = DATA.y >= 0
NAMES = np.array(["ant", "bee", "cat", "dog"], dtype=object)


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def _routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield


@pytest.mark.usefixtures("_routed")
def test_labeled_rows_are_predicted_by_models_that_have_not_seen_them():
    params = {"source": DATA.source}
    y_pred = cross_val_predict(GeoST(), DATA.X, DATA.y, cv=3, params=params)
    proba = cross_val_predict(
        GeoST(),
        DATA.X,
        DATA.y,
        cv=LabeledFold(3),
        params=params,
        method="predict_proba",
    )

    assert_array_equal(y_pred[~KNOWN], -1)
    assert np.isnan(proba[~KNOWN]).all()
    for train, test in LabeledFold(3).split(DATA.X, DATA.y):
        clf = GeoST().fit(DATA.X[train], DATA.y[train], source=DATA.source)
        assert_array_equal(y_pred[test], clf.predict(DATA.X[test]))
        assert_array_equal(proba[test], clf.predict_proba(DATA.X[test]))


def test_names_are_marked_by_none():
    y = pd.Series(np.where(KNOWN, NAMES[DATA.y], None))
    y_pred = cross_val_predict(TargetOnly(), pd.DataFrame(DATA.X), y, cv=3)
    by_number = cross_val_predict(TargetOnly(), DATA.X, DATA.y, cv=3)

    assert y_pred.dtype == object
    assert all(label is None for label in y_pred[~KNOWN])
    assert_array_equal(y_pred[KNOWN], NAMES[by_number[KNOWN]])


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_it_is_that_of_sklearn_where_all_rows_are_labeled(method):
    clf = make_pipeline(StandardScaler(), LogisticRegression())
    ours, theirs = (
        predict(clf, DATA.X, DATA.y_true, cv=4, method=method)
        for predict in (cross_val_predict, model_selection.cross_val_predict)
    )

    assert_allclose(ours, theirs)


def test_a_class_that_a_model_has_not_seen_has_no_probability():
    y = np.where(KNOWN, DATA.y, -1)
    y[KNOWN & (DATA.y == 3)] = -1
    last = np.flatnonzero(KNOWN & (DATA.y == 3))[0]
    y[last] = 3
    rows = np.flatnonzero(y >= 0)
    fold = np.full(len(y), -1)
    fold[rows] = np.arange(len(rows)) % 2

    proba = cross_val_predict(
        TargetOnly(LogisticRegression()),
        DATA.X,
        y,
        cv=model_selection.PredefinedSplit(fold),
        method="predict_proba",
    )

    assert proba.shape == (120, 4)
    assert_array_equal(proba[rows, 3] == 0, fold[rows] == fold[last])
    assert_allclose(proba[rows].sum(axis=1), 1)


def test_groups_stay_together():
    groups = np.arange(120) % 7
    y_pred = cross_val_predict(
        TargetOnly(), DATA.X, DATA.y, cv=GroupKFold(3), groups=groups
    )

    assert_array_equal(y_pred >= 0, KNOWN)


def test_a_row_that_is_never_tested_is_marked_and_none_is_tested_twice():
    once = ShuffleSplit(1, test_size=5, random_state=0)
    y_pred = cross_val_predict(TargetOnly(), DATA.X, DATA.y, cv=once)

    assert (y_pred >= 0).sum() == 5
    with pytest.raises(ValueError, match=r"every row once at most.*RepeatedKFold"):
        cross_val_predict(TargetOnly(), DATA.X, DATA.y, cv=RepeatedKFold(n_splits=2))


def test_what_cannot_be_predicted_is_refused():
    with pytest.raises(ValueError, match=r"method to be one of .*, got 'transform'"):
        cross_val_predict(GeoST(), DATA.X, DATA.y, method="transform")


# Calibration


@pytest.mark.usefixtures("_routed")
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_unlabeled_rows_make_no_difference_to_calibration(method):
    clf = GeoST().fit(DATA.X[:60], DATA.y_true[:60], source=DATA.source)
    X, y = DATA.X[60:], DATA.y_true[60:].copy()
    y[::2] = -1

    calibrated = calibrate(clf, X, y, method=method)
    alone = calibrate(clf, X[1::2], y[1::2], method=method)

    assert_array_equal(calibrated.classes_, range(4))
    assert_array_equal(calibrated.predict_proba(X), alone.predict_proba(X))


def test_calibration_mends_probabilities_that_are_too_sure():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    X = (y + rng.normal(size=600))[:, None]
    sure = LogisticRegression(C=1e6).fit(X[:200], y[:200])
    sure.coef_ *= 10
    sure.intercept_ *= 10
    few = y[200:400].copy()
    few[::2] = -1

    calibrated = calibrate(sure, X[200:400], few)

    before, after = (
        log_loss(y[400:], clf.predict_proba(X[400:])) for clf in (sure, calibrated)
    )
    assert after < 0.7 < before


def test_names_are_calibrated_too():
    y = NAMES[DATA.y_true]
    clf = TargetOnly().fit(DATA.X[:60], y[:60])
    few = np.where(np.arange(60) % 2, y[60:], None)

    assert_array_equal(calibrate(clf, DATA.X[60:], few).classes_, NAMES)


def test_every_class_must_be_labeled():
    clf = TargetOnly().fit(DATA.X, DATA.y_true)
    with pytest.raises(ValueError, match=r"got none of \[3\] and some of \[7\]"):
        calibrate(clf, DATA.X, np.where(DATA.y_true == 3, 7, DATA.y_true))
    with pytest.raises(NotFittedError):
        calibrate(TargetOnly(), DATA.X, DATA.y)
