"""Tests of the warning that the data contradict what a method expects."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

from skda import compare
from skda.partial import PruneClasses
from skda.unsupervised import SPL, CenteredLabelPropagation, TargetCentroids

METHODS = [SPL, TargetCentroids, CenteredLabelPropagation]
MEANS = 4 * np.random.default_rng(0).normal(size=(3, 10))


def draw(y, seed):
    return MEANS[y] + np.random.default_rng(seed).normal(size=(len(y), 10))


BALANCED = np.arange(150) % 3
SKEWED = np.repeat([0, 1, 2], [120, 15, 15])
SOURCE = draw(BALANCED, 0), BALANCED


@pytest.mark.parametrize("cls", METHODS)
def test_a_shift_of_the_features_alone_is_no_contradiction(cls):
    clf = cls()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(draw(BALANCED, 1) + 1.0, source=SOURCE)

    assert clf.score(draw(BALANCED, 1) + 1.0, BALANCED) > 0.9


@pytest.mark.parametrize("cls", [SPL, TargetCentroids])
def test_other_class_shares_are_warned_of(cls):
    with pytest.warns(UserWarning, match="differ from those in the source") as caught:
        clf = cls().fit(draw(SKEWED, 1), source=SOURCE)

    (message,) = [str(w.message) for w in caught]
    shares = np.bincount(clf.transduction_) / 150
    assert message.startswith(f"The data contradict what {cls.__name__} expects")
    assert f"{np.abs(shares - 1 / 3).sum() / 2:.0%} of the rows" in message
    assert "SourceOnly(TunedClassifier())" in message
    assert caught[0].filename == __file__


@pytest.mark.parametrize("cls", METHODS)
def test_classes_that_are_no_clusters_are_warned_of(cls):
    X = np.random.default_rng(0).normal(size=(400, 2))
    y = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int)
    with pytest.warns(UserWarning, match="five nearest neighbors classify 9"):
        cls().fit(X[:200], source=(X[200:], y[200:]))


@pytest.mark.parametrize("cls", METHODS)
def test_labels_that_do_not_lead_back_to_the_source_are_warned_of(cls):
    class Wrong(cls):
        def transduce(self, target):
            return np.roll(super().transduce(target), 1, axis=1)

    with pytest.warns(UserWarning, match="classify 0% of the source, and 100%"):
        Wrong().fit(draw(BALANCED, 1), source=SOURCE)


def test_rows_that_were_looked_at_are_not_kept():
    clf = SPL().fit(draw(BALANCED, 1), source=SOURCE)

    kept = [v for v in vars(clf).values() if np.shape(v) == SOURCE[0].shape]
    assert clf._sample is None
    assert kept == []


def test_unlabeled_and_transformed_source_rows_stay_with_their_labels():
    X, y = SOURCE[0][::-1], BALANCED[::-1].copy()
    y[::2] = -1
    clf = CenteredLabelPropagation(shared_transformer=PCA(3, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(draw(BALANCED, 1), source=(X, y))


@pytest.mark.parametrize("n_target", [49, 75])
def test_shares_of_few_rows_are_not_judged(n_target):
    y = np.zeros(n_target, dtype=int)
    n_classes = 3 if n_target < 50 else 16
    y_source = np.where(BALANCED == 0, 0, np.arange(150) % n_classes)
    SPL().fit(draw(y, 1), source=(draw(BALANCED, 0), y_source))


def test_published_settings_warn_as_well():
    with pytest.warns(UserWarning, match="The data contradict what SPL expects"):
        SPL.published().fit(draw(SKEWED, 1), source=SOURCE)


def test_pruning_passes_on_the_warning_of_its_estimator_once():
    with pytest.warns(UserWarning, match="contradict what SPL") as caught:
        PruneClasses(threshold=0.0).fit(draw(SKEWED, 1), source=SOURCE)

    assert len(caught) == 1


def test_a_comparison_does_not_repeat_what_it_measures():
    compare([SPL()], draw(SKEWED, 1), SKEWED, source=SOURCE)
