"""Tests of `skda.baselines.IterativeLabelPropagation`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.datasets import make_blobs

from skda.baselines import IterativeLabelPropagation
from skda.datasets import label_few
from skda.preprocessing import cosine_graph, symmetric_normalization
from skda.utils.labels import UNLABELED
from skda.utils.sinkhorn import balancing_bias

X, Y_TRUE = make_blobs(90, n_features=6, centers=3, cluster_std=5.0, random_state=0)
Y = label_few(Y_TRUE, 3, random_state=0)
HIDDEN = Y == UNLABELED
PRIOR = np.full(3, 1 / 3)


@pytest.mark.parametrize("n_rounds", [1, 2, 5])
def test_it_spreads_balances_and_promotes_by_turns(n_rounds):
    S = symmetric_normalization(cosine_graph(X)).toarray()
    inverse = np.linalg.inv(np.eye(90) - 0.8 * S)

    def balanced(labels):
        F = (inverse @ labels)[HIDDEN]
        logits = np.log(F / F.sum(axis=1, keepdims=True))
        return softmax(logits + balancing_bias(logits, PRIOR), axis=1)

    given = np.eye(4)[Y][:, :3]
    P = balanced(given)
    for r in range(1, n_rounds + 1):
        labels = given.copy()
        margin = np.diff(np.sort(P, axis=1)[:, -2:]).ravel()
        for k in range(3):
            rows = np.flatnonzero(P.argmax(axis=1) == k)
            best = rows[np.argsort(-margin[rows])]
            n_best = int(np.ceil(0.6 * r / n_rounds * len(rows) - 1e-9))
            labels[np.flatnonzero(HIDDEN)[best[:n_best]], k] = 1
        P = balanced(labels)

    clf = IterativeLabelPropagation.published(n_rounds=n_rounds, share=0.6).fit(X, Y)

    assert_allclose(clf.label_distributions_[HIDDEN], P, atol=1e-5)


@pytest.mark.parametrize("settings", [{"share": 0}, {"share": 1.1}, {"n_rounds": 0}])
def test_something_is_promoted(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}' parameter of Iter"):
        IterativeLabelPropagation.published(**settings).fit(X, Y)
