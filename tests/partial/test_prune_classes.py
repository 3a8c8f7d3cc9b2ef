"""Tests of `skda.partial.PruneClasses`."""

import os
import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer
from torch import nn

from skda.datasets import load_office_caltech
from skda.model_selection import HideLabels
from skda.partial import PruneClasses
from skda.unsupervised import (
    MCC,
    SPL,
    CenteredLabelPropagation,
    SourceOnly,
    TargetCentroids,
)
from skda.utils.warnings import NoSourceWarning

NEAREST = KNeighborsClassifier(n_neighbors=1)
NAMES = np.array(["ant", "bee", "cat", "dog", "elk", "fox"])
PLAIN = SourceOnly(NEAREST)
#: One source row per class, and target rows next to some of them.
CORNERS = 10 * np.eye(6)


def near(*classes):
    """Place target rows next to the source rows of these classes."""
    return CORNERS[list(classes)] + 0.1


def fitted(X, **params):
    """Fit to six classes, of which the nearest source row decides."""
    return PruneClasses(PLAIN, classifier=NEAREST, **params).fit(
        X, source=(CORNERS, NAMES)
    )


def test_absent_classes_are_left_out():
    X = near(*[0] * 6, *[1] * 5, 4)
    clf = fitted(X, threshold=0.6)

    assert clf.classes_.tolist() == NAMES.tolist()
    assert clf.kept_classes_.tolist() == ["ant", "bee"]
    assert_allclose(clf.class_shares_ * 12, [7, 5, 0, 0, 1, 0], atol=1.0)
    assert_array_equal(clf.estimator_.classes_, clf.kept_classes_)
    assert set(clf.predict(near(0, 1, 2, 3, 4, 5))) == {"ant", "bee"}
    assert clf.transduction_[:11].tolist() == ["ant"] * 6 + ["bee"] * 5


@pytest.mark.parametrize(("threshold", "n_kept"), [(0.0, 6), (0.49, 3), (0.51, 2)])
def test_the_threshold_is_a_share_of_an_equal_share(threshold, n_kept):
    X = near(*[0] * 6, *[1] * 5, 4)  # class 4 has half of its equal share

    assert len(fitted(X, threshold=threshold).kept_classes_) == n_kept


def test_the_rarer_half_goes_first():
    seen = []

    class Spy(KNeighborsClassifier):
        def fit(self, X, y):
            seen.append(sorted(set(y)))
            return super().fit(X, y)

    X = near(*[0] * 20, *[1] * 20, *[2] * 2, 3)
    PruneClasses(PLAIN, classifier=Spy(n_neighbors=1)).fit(X, source=(CORNERS, NAMES))

    assert seen == [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3], [0, 1, 2], [0, 1]]


def test_two_classes_stay_in_any_case():
    assert len(fitted(near(3)).kept_classes_) == 2
    assert "dog" in fitted(near(3)).kept_classes_
    source = CORNERS[:2], NAMES[:2]
    clf = PruneClasses(PLAIN, classifier=NEAREST).fit(near(0, 0), source=source)
    assert clf.kept_classes_.tolist() == ["ant", "bee"]


def test_a_class_with_a_label_in_the_target_stays():
    X = near(*[0] * 20, *[1] * 20, 5)
    y = np.full(41, None)
    y[-1] = "fox"
    clf = PruneClasses(PLAIN, classifier=NEAREST).fit(X, y, source=(CORNERS, NAMES))

    assert clf.kept_classes_.tolist() == ["ant", "bee", "fox"]
    assert clf.transduction_[-1] == "fox"


def test_probabilities_are_over_all_classes():
    X = near(*[0] * 6, *[3] * 6)
    clf = PruneClasses(TargetCentroids(), classifier=NEAREST)
    p = clf.fit(X, source=(CORNERS, NAMES)).predict_proba(X)

    assert p.shape == (12, 6)
    assert_allclose(p[:, [0, 3]], clf.estimator_.predict_proba(X))
    assert not p[:, [1, 2, 4, 5]].any()
    assert_array_equal(clf.predict(CORNERS, domain="source")[[0, 3]], ["ant", "dog"])


@pytest.mark.filterwarnings("ignore:The data contradict:UserWarning")
def test_four_methods_vote(partial_data):
    data = {"X": partial_data.X, "source": partial_data.source}
    unit = {"representation": "unit"}
    regression = LogisticRegression(C=10, max_iter=1000)
    voters = [
        SourceOnly(regression, shared_transformer=Normalizer()),
        SPL(**unit),
        CenteredLabelPropagation(**unit),
        CenteredLabelPropagation(),
    ]
    votes = [np.eye(5)[voter.fit(**data).transduction_] for voter in voters]
    most = sum(votes) == sum(votes).max(axis=1, keepdims=True)
    found = (sum(votes) + votes[0] / 2).argmax(axis=1)
    clf = PruneClasses(threshold=0.0).fit(**data)

    assert (most.sum(axis=1) > 1).any()  # a tie
    assert_allclose(clf.class_shares_, np.bincount(found, minlength=5) / 120)


def test_the_scale_that_the_user_chose_is_left_alone(partial_data):
    clf = PruneClasses(shared_transformer=MaxAbsScaler())
    clf.fit(partial_data.X, source=partial_data.source)
    voters = clf._make_voters()[1:]

    assert clf.estimator_.representation == "unit"
    assert {voter.representation for voter in voters} == {"unit"}


@pytest.mark.filterwarnings("ignore:The data contradict what")
def test_it_is_the_method_on_what_is_left(partial_data):
    X_source, y_source = partial_data.source
    clf = PruneClasses().fit(partial_data.X, source=partial_data.source)
    there = np.isin(y_source, clf.kept_classes_)
    alone = SPL().fit(partial_data.X, source=(X_source[there], y_source[there]))

    assert 2 <= len(clf.kept_classes_) < 5
    assert_array_equal(clf.transduction_, alone.transduction_)
    assert_array_equal(clf.predict(partial_data.X), alone.predict(partial_data.X))


@pytest.mark.filterwarnings("ignore:The data contradict:UserWarning")
@pytest.mark.parametrize("cls", [SPL, TargetCentroids, MCC])
def test_it_helps_methods_that_expect_every_class(cls, make_net, make_partial):
    voted, gains, over_plain = [], [], []
    regression = make_pipeline(Normalizer(), LogisticRegression(C=10))
    for seed in range(3):
        data = make_partial(seed, shift=2.0)
        by_vote, pruned, whole, plain = (
            clf.fit(data.X, source=data.source).score(data.X, data.y)
            for clf in (
                PruneClasses(make_net(cls)),
                PruneClasses(make_net(cls), classifier=regression),
                make_net(cls),
                SourceOnly(regression),
            )
        )
        voted.append(by_vote - whole)
        gains.append(pruned - whole)
        over_plain.append(pruned - plain)

    assert np.mean(voted) > 0.05
    assert np.mean(gains) > 0.05
    assert np.mean(over_plain) > 0


def test_its_seed_wins(make_net, partial_data):
    data = {"X": partial_data.X, "source": partial_data.source}
    inner = make_net(MCC, max_epochs=2, random_state=3)
    own, other, same, nested = (
        PruneClasses(estimator, random_state=seed).fit(**data).predict_proba(data["X"])
        for estimator, seed in (
            (inner, None),
            (inner, 5),
            (inner, 3),
            (HideLabels(inner), 5),
        )
    )

    assert abs(own - other).max() > 1e-4
    assert_array_equal(own, same)
    assert_array_equal(other, nested)
    assert inner.random_state == 3


@pytest.mark.filterwarnings("ignore:The data contradict what")
def test_no_labels_and_missing_and_hidden_ones_are_the_same(partial_data):
    data = {"X": partial_data.X, "source": partial_data.source}
    none = PruneClasses().fit(**data)
    missing = PruneClasses().fit(y=np.full(120, -1), **data)
    hidden = HideLabels(PruneClasses()).fit(y=partial_data.y, **data)

    for clf in (missing, hidden):
        assert_array_equal(clf.predict_proba(data["X"]), none.predict_proba(data["X"]))


def test_there_is_one_warning_without_a_source(partial_data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = PruneClasses().fit(partial_data.X, partial_data.y)

    assert [w.category for w in caught] == [NoSourceWarning]
    assert "PruneClasses" in str(caught[0].message)
    assert clf.kept_classes_.tolist() == [0, 1]
    assert np.isnan(clf.class_shares_).all()


@pytest.mark.filterwarnings("ignore:The data contradict what")
def test_a_search_finds_the_parameters_of_the_method(partial_data):
    grid = {"estimator__n_rounds": [1, 3], "threshold": [0.2, 0.4]}
    search = GridSearchCV(
        HideLabels(PruneClasses(SPL())),
        {f"estimator__{name}": values for name, values in grid.items()},
        cv=2,
    )
    search.fit(partial_data.X, partial_data.y, source=partial_data.source)

    assert search.best_params_["estimator__estimator__n_rounds"] in (1, 3)


# Bad input


def test_a_target_class_that_the_source_lacks_is_an_error(partial_data):
    y = np.where(np.arange(120) < 2, 9, partial_data.y)
    with pytest.raises(ValueError, match="got the label 9, which no source sample has"):
        PruneClasses().fit(partial_data.X, y, source=partial_data.source)


def test_a_source_of_one_class_is_an_error(partial_data):
    with pytest.raises(ValueError, match="two classes or more, got one class, 'ant'"):
        PruneClasses().fit(partial_data.X, source=(partial_data.X, ["ant"] * 120))


def test_the_method_has_to_take_a_source(partial_data):
    with pytest.raises(ValueError, match="whose fit takes source, got DummyClassifier"):
        PruneClasses(DummyClassifier()).fit(partial_data.X, source=partial_data.source)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 1.5), ("threshold", -0.1), ("classifier", 1), ("estimator", "SPL")],
)
def test_parameters_are_checked(name, value, partial_data):
    with pytest.raises(ValueError, match=f"'{name}' parameter of PruneClasses must be"):
        PruneClasses(**{name: value}).fit(partial_data.X, source=partial_data.source)


def test_a_target_of_one_row_can_be_fitted(partial_data):
    clf = PruneClasses().fit(partial_data.X[:1], source=partial_data.source)

    assert clf.transduction_.shape == (1,)
    assert len(clf.kept_classes_) == 2


@pytest.mark.skipif("SKDA_DATA" not in os.environ, reason="SKDA_DATA is not set")
@pytest.mark.parametrize("source", ["amazon", "webcam"])
def test_it_finds_the_classes_of_images(source):
    X, y = load_office_caltech("dslr", "squeezenet", return_X_y=True)
    shared = np.unique(y)[:5]
    there = np.isin(y, shared)
    X_source, y_source = load_office_caltech(source, "squeezenet", return_X_y=True)
    clf = PruneClasses().fit(X[there], source=(X_source, y_source))

    assert np.isin(shared, clf.kept_classes_).all()
    assert len(clf.kept_classes_) <= len(shared) + 1
    assert np.mean(clf.transduction_ == y[there]) > 0.95


def test_images_go_to_an_estimator_that_takes_them():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = rng.integers(0, 60, size=(60, 3, 8, 8)).astype(np.uint8)
    X[np.arange(60), y] += 120  # a class is a color
    present = y < 2
    module = partial(nn.Sequential, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    clf = PruneClasses(MCC(module=module, max_epochs=30, lr=0.1), random_state=0)
    clf.fit(X[present], source=(X, y))

    assert clf.kept_classes_.tolist() == [0, 1]
    assert clf.n_features_in_ == 192
    assert clf.score(X[present], y[present]) == 1
    with pytest.raises(ValueError, match="dim 4"):
        PruneClasses().fit(X[present], source=(X, y))
