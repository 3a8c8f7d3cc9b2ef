"""What the table of meta-estimators in the user guide says, row by row."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skda.baselines import TargetOnly
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import GeoST
from skda.model_selection import LabeledFold, calibrate

DATA = make_heterogeneous_domains(150, 150, random_state=0)
KNOWN = DATA.y >= 0
NAMES = np.array(["ant", "bee", "cat", "dog"], dtype=object)
BY_NAME = {
    "y": np.where(KNOWN, NAMES[DATA.y], None),
    "source": (DATA.source[0], NAMES[DATA.source[1]]),
}


@pytest.fixture(autouse=True)
def _routing():
    """Let meta-estimators pass the source on, which most of them cannot otherwise."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def _accuracy(clf):
    return np.mean(clf.predict(DATA.X[~KNOWN]) == DATA.y_true[~KNOWN])


def _fitted(**params):
    return GeoST(**params).fit(DATA.X, DATA.y, source=DATA.source)


ENCODING = [
    VotingClassifier([("a", GeoST()), ("b", GeoST(alpha=0.3))], voting="soft"),
    BaggingClassifier(GeoST(), n_estimators=2, random_state=0),
    StackingClassifier([("a", GeoST())], TargetOnly(), cv=2),
    CalibratedClassifierCV(GeoST(), cv=2, ensemble=False),
]
BINARY = [
    OneVsRestClassifier(GeoST()),
    OneVsOneClassifier(GeoST()),
    OutputCodeClassifier(GeoST(), random_state=0),
]
SEARCHES = [
    make_pipeline(StandardScaler(), GeoST()),
    GridSearchCV(GeoST(), {}, cv=LabeledFold(3)),
]


# Safe


@pytest.mark.parametrize("meta", SEARCHES, ids=lambda meta: type(meta).__name__)
@pytest.mark.parametrize("labels", [{"y": DATA.y, "source": DATA.source}, BY_NAME])
def test_searches_and_pipelines_leave_unlabeled_rows_unlabeled(meta, labels):
    clf = clone(meta).fit(DATA.X, labels["y"], source=labels["source"])

    assert len(clf.classes_) == 4


def test_scores_on_labeled_folds_are_of_labeled_rows():
    scores = cross_val_score(
        GeoST(),
        DATA.X,
        DATA.y,
        cv=LabeledFold(3),
        scoring="accuracy",
        params={"source": DATA.source},
    )
    assert scores.mean() > 0.5


def test_self_training_learns_from_the_labeled_rows_first():
    clf = SelfTrainingClassifier(GeoST(), max_iter=1)
    clf.fit(DATA.X, DATA.y, source=DATA.source)

    assert_array_equal(clf.classes_, range(4))
    assert_array_equal(clf.labeled_iter_[KNOWN], 0)


# Refused


@pytest.mark.parametrize("meta", ENCODING, ids=lambda meta: type(meta).__name__)
def test_numbers_that_were_made_of_unlabeled_rows_are_refused(meta):
    expected = r"labeled from 0 to 4 throughout.*no 4: .*FrozenEstimator with the lab"
    with pytest.raises(ValueError, match=expected):
        clone(meta).fit(DATA.X, DATA.y, source=DATA.source)


@pytest.mark.parametrize("first", [0, 1, 10])
def test_they_are_refused_whatever_the_classes_are(first):
    y = np.where(KNOWN, DATA.y + first, -1)
    source = DATA.source[0], DATA.source[1] + first
    with pytest.raises(ValueError, match="labeled from 0 to 4 throughout"):
        clone(ENCODING[0]).fit(DATA.X, y, source=source)


@pytest.mark.parametrize(
    "meta",
    [*ENCODING[:2], ENCODING[3], *BINARY, CalibratedClassifierCV(GeoST())],
    ids=lambda meta: type(meta).__name__,
)
def test_what_encodes_labels_refuses_names_beside_none(meta):
    with pytest.raises((ValueError, TypeError), match=r"label type|not supported"):
        clone(meta).fit(DATA.X, BY_NAME["y"], source=BY_NAME["source"])


def test_boosting_and_thresholds_refuse():
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(GeoST()).fit(DATA.X, DATA.y)
    with pytest.raises(ValueError, match="Only binary classification"):
        TunedThresholdClassifierCV(GeoST()).fit(DATA.X, DATA.y, source=DATA.source)


def test_cross_val_predict_of_sklearn_refuses_labeled_folds():
    with pytest.raises(ValueError, match="only works for partitions"):
        cross_val_predict(
            GeoST(),
            DATA.X,
            DATA.y,
            cv=LabeledFold(3),
            params={"source": DATA.source},
        )


@pytest.mark.filterwarnings("ignore:No target sample is labeled 3")
@pytest.mark.parametrize(
    "y", [DATA.y, DATA.y_true, np.where(DATA.y_true == 3, 1, DATA.y_true)]
)
def test_labels_of_ones_own_are_not_refused(y):
    clf = GeoST().fit(DATA.X, y, source=DATA.source)

    assert_array_equal(clf.classes_, range(4))


def test_a_class_of_the_target_alone_is_not_refused_if_classes_are_balanced():
    X_source, y_source = DATA.source
    rows = y_source < 3
    with pytest.warns(UserWarning, match="No source sample is labeled 3"):
        GeoST().fit(DATA.X, DATA.y_true, source=(X_source[rows], y_source[rows]))


def test_a_class_of_the_target_alone_is_not_refused_if_it_has_a_name():
    y, source = BY_NAME["y"], BY_NAME["source"]
    rows = source[1] != "dog"
    with pytest.warns(UserWarning, match="No source sample is labeled 'dog'"):
        clf = GeoST().fit(DATA.X, y, source=(source[0][rows], source[1][rows]))

    assert "dog" in clf.classes_


# Not safe, and not noticed


@pytest.mark.parametrize("meta", BINARY, ids=lambda meta: type(meta).__name__)
def test_classifiers_of_two_classes_warn_and_make_a_class_of_unlabeled_rows(meta):
    with pytest.warns(UserWarning, match="If OneVsRestClassifier or its like made 0"):
        clf = clone(meta).fit(DATA.X, DATA.y, source=DATA.source)

    assert -1 in clf.classes_
    assert _accuracy(clf) < _accuracy(_fitted()) - 0.1


def test_calibration_in_folds_takes_unlabeled_rows_for_negatives():
    clf = CalibratedClassifierCV(GeoST(), cv=2)
    clf.fit(DATA.X, DATA.y, source=DATA.source)

    assert -1 in clf.classes_


def test_supervised_selection_takes_unlabeled_for_a_class():
    rng = np.random.default_rng(0)
    unlabeled = ~KNOWN * 1.0  # a feature that tells who is unlabeled, and nothing else
    X = np.column_stack([DATA.X, unlabeled + 0.1 * rng.normal(size=len(DATA.X))])
    naive = SelectKBest(k=1).fit(X, DATA.y)
    careful = FrozenEstimator(SelectKBest(k=10).fit(X[KNOWN], DATA.y[KNOWN]))

    assert naive.get_support()[-1]
    assert not careful.get_support()[-1]
    clf = make_pipeline(careful, GeoST()).fit(X, DATA.y, source=DATA.source)
    assert_array_equal(clf.classes_, range(4))


# The way out


def test_fitted_estimators_vote_on_labeled_rows():
    clfs = [("a", _fitted()), ("b", _fitted(alpha=0.3))]
    frozen = [(name, FrozenEstimator(clf)) for name, clf in clfs]
    vote = VotingClassifier(frozen, voting="soft").fit(DATA.X[KNOWN], DATA.y[KNOWN])

    assert_array_equal(vote.classes_, range(4))
    assert _accuracy(vote) > min(_accuracy(clf) for _, clf in clfs) - 0.05


def test_fitted_estimators_are_stacked_on_labeled_rows():
    clfs = [("a", _fitted()), ("b", _fitted(alpha=0.3))]
    stack = StackingClassifier(clfs, TargetOnly(), cv="prefit")
    stack.fit(DATA.X[KNOWN], DATA.y[KNOWN])

    assert_array_equal(stack.classes_, range(4))
    assert _accuracy(stack) > 0.5


def test_fitted_estimators_are_calibrated_on_labeled_rows():
    clf = _fitted()
    calibrated = calibrate(clf, DATA.X, DATA.y)

    assert_array_equal(calibrated.classes_, range(4))
    assert _accuracy(calibrated) > _accuracy(clf) - 0.1


def test_a_source_may_be_resampled_and_a_target_stays():
    X_source, y_source = DATA.source
    rare = (y_source > 0) | (np.arange(len(y_source)) % 5 == 0)
    X_source, y_source = X_source[rare], y_source[rare]
    most = np.bincount(y_source).max()
    rng = np.random.default_rng(0)
    rows = [rng.choice(np.flatnonzero(y_source == k), most) for k in range(4)]
    source = X_source[np.concatenate(rows)], y_source[np.concatenate(rows)]

    assert _accuracy(GeoST().fit(DATA.X, DATA.y, source=source)) > 0.5
