"""A search that Ray spreads over processes is that of a loop."""

import joblib
import numpy as np
import pytest
import ray
from ray.util.joblib import register_ray
from sklearn.model_selection import GridSearchCV

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import GeoST
from skda.model_selection import LabeledFold


@pytest.fixture
def cluster(monkeypatch):
    """Two processes on this machine, which do not wait for all others."""
    monkeypatch.setenv("RAY_worker_niceness", "0")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        object_store_memory=80 * 2**20,
    )
    register_ray()
    yield
    ray.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray leaves sockets to the garbage collector
@pytest.mark.usefixtures("cluster")
def test_ray_computes_what_a_loop_computes():
    data = make_heterogeneous_domains(random_state=0)
    search = GridSearchCV(GeoST(), {"alpha": [0.5, 0.9]}, cv=LabeledFold(2))
    serial = search.fit(data.X, data.y, source=data.source).cv_results_
    with joblib.parallel_config("ray", n_jobs=2):
        spread = search.fit(data.X, data.y, source=data.source).cv_results_

    np.testing.assert_allclose(spread["mean_test_score"], serial["mean_test_score"])
