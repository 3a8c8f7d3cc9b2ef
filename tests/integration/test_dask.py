"""Fits that Dask spreads over threads, and over processes, are those of a loop."""

import logging

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.model_selection import cross_validate

from skda.baselines import TargetNet
from skda.heterogeneous import STN, GeoST
from skda.model_selection import LabeledFold
from skda.unsupervised import MCC

ESTIMATORS = {
    "STN": STN(max_epochs=10, random_state=0),
    "MCC": MCC(max_epochs=3, random_state=0),
    "GeoST": GeoST(),
    "TargetNet": TargetNet(max_epochs=10, random_state=0),
}


@pytest.fixture(scope="module", params=["threads", "processes"])
def client(request):
    processes = request.param == "processes"
    with (
        LocalCluster(
            n_workers=2 if processes else 1,
            threads_per_worker=1 if processes else 4,
            processes=processes,
            dashboard_address=":0",  # any free port
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


# Joblib's map of what it has shipped forgets an array whose address is used again; of
# two threads that make it do so at once, the second finds nothing left to forget.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function _WeakKeyDictionary"
    ":pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_dask_computes_what_a_loop_computes(toy, client, name):
    X, y, _, source = toy
    if name == "MCC":  # the same features in both domains
        source = X[:100] + 1, toy.y_true[:100]
    arguments = {
        "estimator": ESTIMATORS[name],
        "X": X,
        "y": y,
        "cv": LabeledFold(cv=4),
        "params": {"source": source},
        "return_estimator": True,
    }
    serial = cross_validate(**arguments)
    with joblib.parallel_config("dask"):
        spread = cross_validate(**arguments, n_jobs=4)

    # A network computes the same bits; of a copy of X, BLAS may round sums anew.
    atol = 1e-12 if name == "GeoST" else 0.0
    for one, other in zip(serial["estimator"], spread["estimator"], strict=True):
        p, q = one.predict_proba(X), other.predict_proba(X)
        np.testing.assert_allclose(p, q, rtol=0, atol=atol)
