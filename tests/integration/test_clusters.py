"""Searches and tables on clusters: what is shipped, and what outlives a worker."""

import json
import logging
import os
import sys
from functools import partial

import joblib
import numpy as np
import pytest
from distributed import Client, Nanny, SpecCluster
from distributed.scheduler import Scheduler
from sklearn.model_selection import GridSearchCV

import skda
from benchmarks import _cells, _results
from skda.heterogeneous import GeoST
from tests.integration.on_workers import (
    Witness,
    count_sources,
    measure,
    visible_devices,
)

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
X = RNG.normal(size=(40, 5)) + 3 * Y[:, None]
SOURCE = (
    RNG.normal(size=(400, 5)) + np.repeat([0, 3], 200)[:, None],
    np.repeat([0, 1], 200),
)
GRID = {"shift": [0.0, 1.0, 2.0, 3.0]}


@pytest.fixture(scope="module")
def client():
    """Two workers, each told of a GPU of its own, as the user guide says."""
    options = {"nthreads": 1, "silence_logs": logging.CRITICAL}
    workers = {
        number: {
            "cls": Nanny,
            "options": options | {"env": {"CUDA_VISIBLE_DEVICES": str(number)}},
        }
        for number in range(2)
    }
    any_port = {"dashboard": False, "dashboard_address": ":0"}  # of the HTTP server
    scheduler = {"cls": Scheduler, "options": any_port}
    with (
        SpecCluster(workers, scheduler, silence_logs=logging.CRITICAL) as cluster,
        Client(cluster) as client,
    ):
        client.scatter = partial(client.scatter, broadcast=True)
        client.wait_for_workers(2)
        yield client


def test_every_worker_has_its_own_device(client):
    found = client.run(visible_devices)

    assert sorted(seen for seen, _ in found.values()) == ["0", "1"]
    assert len({device for _, device in found.values()}) == 1  # "cpu" or "cuda"


def test_no_worker_receives_the_source_of_a_search_twice(client):
    before = client.run(count_sources)
    source = client.scatter(SOURCE)
    with joblib.parallel_config("dask"):
        search = GridSearchCV(Witness(), GRID, cv=3).fit(X, Y, source=source)
    serial = GridSearchCV(Witness(), GRID, cv=3).fit(X, Y, source=SOURCE)
    after = client.run(count_sources)

    assert max(after[worker] - before[worker] for worker in after) == 1
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )


def test_no_worker_receives_the_data_of_a_table_twice(client, tmp_path):
    before = client.run(count_sources)
    given = {"X": X, "y": Y, "source": SOURCE, "n_splits": 4, "n_per_class": 2}
    with joblib.parallel_config("dask"):
        spread = skda.compare(Witness(), **given, journal=tmp_path / "journal")
    after = client.run(count_sources)
    serial = skda.compare(Witness(), **given)

    assert max(after[worker] - before[worker] for worker in after) == 1
    assert spread["accuracies"].tolist() == serial["accuracies"].tolist()
    assert len((tmp_path / "journal").read_bytes().splitlines()) == 4 * len(spread)


def test_cells_are_measured_by_the_workers_and_written_here(
    client, tmp_path, monkeypatch
):
    for module in (_cells, _results):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["cells"])
    cells = [_cells.Cell("task", "method", {}, n, 1) for n in range(6)]
    with joblib.parallel_config("dask"):
        _cells.run("file", {"all": cells}, measure, "")
        _cells.run("file", {"all": cells}, measure, "")
    lines = map(json.loads, (tmp_path / "file.jsonl").read_text().splitlines())
    found = {line["values"][0]: line["process"] for line in lines}

    assert sorted(found) == list(range(6))
    assert os.getpid() not in found.values()


def test_a_search_survives_the_death_of_a_worker(client, tmp_path):
    flag = tmp_path / "killed"
    source = client.scatter(SOURCE)
    with joblib.parallel_config("dask"):
        search = GridSearchCV(Witness(flag=str(flag)), GRID, cv=3)
        search.fit(np.tile(X, (10, 1)), np.tile(Y, 10), source=source)
    serial = GridSearchCV(Witness(), GRID, cv=3)
    serial.fit(np.tile(X, (10, 1)), np.tile(Y, 10), source=SOURCE)

    assert flag.exists()
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )


def test_an_estimator_fetches_a_source_that_is_on_the_cluster(client):
    here = GeoST().fit(X, Y, source=SOURCE)
    there = GeoST().fit(X, Y, source=client.scatter(SOURCE))

    np.testing.assert_array_equal(here.predict_proba(X), there.predict_proba(X))
