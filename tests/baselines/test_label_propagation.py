"""Tests of `skda.baselines.BalancedLabelPropagation`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_softmax
from sklearn.datasets import make_blobs
from sklearn.preprocessing import normalize
from sklearn.semi_supervised import LabelSpreading

from skda.baselines import BalancedLabelPropagation
from skda.datasets import label_few
from skda.preprocessing import cosine_graph, symmetric_normalization
from skda.utils.labels import UNLABELED

X, Y_TRUE = make_blobs(90, n_features=6, centers=3, cluster_std=5.0, random_state=0)
Y = label_few(Y_TRUE, 3, random_state=0)
HIDDEN = Y == UNLABELED


@pytest.mark.parametrize("alpha", [0.1, 0.8, 0.99])
def test_without_balance_it_solves_the_linear_system(alpha):
    S = symmetric_normalization(cosine_graph(X)).toarray()
    F = np.linalg.solve(np.eye(90) - alpha * S, np.eye(4)[Y][:, :3])
    clf = BalancedLabelPropagation.published(alpha=alpha, balance=False).fit(X, Y)

    expected = (F / F.sum(axis=1, keepdims=True))[HIDDEN]
    assert_allclose(clf.label_distributions_[HIDDEN], expected, atol=1e-6)


def test_without_balance_it_is_the_label_spreading_of_scikit_learn():
    def kernel(rows, others):
        return cosine_graph(rows, n_neighbors=7).toarray()

    clf = BalancedLabelPropagation.published(n_neighbors=7, balance=False).fit(X, Y)
    theirs = LabelSpreading(kernel, alpha=0.8, max_iter=200, tol=1e-9).fit(X, Y)

    assert_allclose(
        clf.label_distributions_[HIDDEN],
        theirs.label_distributions_[HIDDEN],
        atol=1e-6,
    )


def test_balance_moves_all_rows_by_the_same_biases():
    plain = BalancedLabelPropagation.published(balance=False).fit(X, Y)
    clf = BalancedLabelPropagation.published(class_prior=[3, 2, 1]).fit(X, Y)
    before, after = (
        np.log(fitted.label_distributions_[HIDDEN]) for fitted in (plain, clf)
    )
    bias = (after - before)[0]

    assert np.ptp(bias) > 0.1
    assert_allclose(after, log_softmax(before + bias, axis=1))


def test_a_new_row_takes_the_mean_of_its_neighbors_by_their_cosines():
    clf = BalancedLabelPropagation.published(n_neighbors=3).fit(X, Y)
    new = X[:1] + X[1:2]
    cosines = (normalize(X) @ normalize(new).T).ravel()
    nearest = np.argsort(cosines)[-3:]
    expected = np.average(
        clf.label_distributions_[nearest], axis=0, weights=cosines[nearest]
    )

    assert_allclose(clf.predict_proba(new)[0], expected)


def test_a_row_that_is_like_no_other_takes_the_prior():
    rows = np.eye(3)[[0, 0, 1, 1, 1]]
    clf = BalancedLabelPropagation.published(class_prior=[1, 3]).fit(
        rows, [0, 0, 1, 1, -1]
    )

    assert_allclose(clf.predict_proba(np.eye(3)[2:]), [[0.25, 0.75]])


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_is_between_zero_and_one(alpha):
    with pytest.raises(ValueError, match="'alpha' parameter of BalancedLabelProp"):
        BalancedLabelPropagation.published(alpha=alpha).fit(X, Y)
