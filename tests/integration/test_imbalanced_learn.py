"""Samplers of imbalanced-learn stand before an estimator in a pipeline of theirs."""

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline

from skda.heterogeneous import GeoST


def test_a_sampler_evens_out_a_labeled_target(toy):
    X, _, y, source = toy
    rare = np.flatnonzero((y != 2) | (np.arange(len(y)) % 10 == 0))
    X, y = X[rare], y[rare]
    sampler = RandomOverSampler(random_state=0)
    pipe = Pipeline([("sampler", sampler), ("clf", GeoST())])
    pipe.fit(X, y, clf__source=source)
    by_hand = GeoST().fit(*sampler.fit_resample(X, y), source=source)

    assert len(pipe[-1].transduction_) == 3 * np.bincount(y).max()
    np.testing.assert_array_equal(pipe.predict_proba(X), by_hand.predict_proba(X))
