"""MLflow logs the estimator that was fitted, not one that it uses inside."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import mlflow
import numpy as np
import pytest
from sklearn import model_selection
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import MlflowLogger

from skda.heterogeneous import STN, GeoST
from skda.model_selection import LabeledFold
from skda.unsupervised import SPL

pytestmark = pytest.mark.filterwarnings("default")  # MLflow has warnings of its own


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Log into a folder; call to see the runs, the first one first."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(tmp_path.as_uri())
    mlflow.set_experiment("skda")
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    yield lambda: mlflow.search_runs(output_format="list")[::-1]
    mlflow.sklearn.autolog(disable=True)


def _names(runs):
    return {run.data.tags["estimator_name"] for run in runs()}


@pytest.mark.parametrize(
    "estimator", [GeoST(), STN(max_epochs=2)], ids=["GeoST", "STN"]
)
def test_no_inner_estimator_is_logged_in_place_of_a_heterogeneous_one(
    toy, runs, estimator
):
    estimator.fit(toy.X, toy.y, source=toy.source)

    assert _names(runs) <= {type(estimator).__name__}


def test_no_inner_estimator_is_logged_in_place_of_an_unsupervised_one(toy, runs):
    SPL().fit(toy.X, source=(toy.X[:90] + 1, toy.y_true[:90]))

    assert _names(runs) <= {"SPL"}


def test_a_pipeline_is_logged_with_the_parameters_of_its_last_step(toy, runs):
    pipe = make_pipeline(StandardScaler(), GeoST(n_neighbors=7))
    pipe.fit(toy.X, toy.y, geost__source=toy.source)
    (run,) = runs()

    assert run.data.tags["estimator_name"] == "Pipeline"
    assert run.data.params["geost__n_neighbors"] == "7"


def test_a_search_is_logged_with_what_it_tried(toy, runs):
    grid = {"n_components": [3, 5]}
    search = GridSearchCV(STN(max_epochs=2), grid, cv=LabeledFold(cv=3))
    search.fit(toy.X, toy.y, source=toy.source)
    parent = [run for run in runs() if "mlflow.parentRunId" not in run.data.tags]
    tried = {run.data.params.get("n_components") for run in runs()}

    assert [run.data.tags["estimator_name"] for run in parent] == ["GridSearchCV"]
    assert {"3", "5"} <= tried


def test_the_logger_of_skorch_logs_every_epoch(toy, runs):
    with mlflow.start_run():
        STN(max_epochs=3, callbacks=[MlflowLogger(create_artifact=False)]).fit(
            toy.X, toy.y, source=toy.source
        )
    logged = [run for run in runs() if "train_loss" in run.data.metrics]
    history = mlflow.MlflowClient().get_metric_history(
        logged[0].info.run_id, "train_loss"
    )

    assert len(logged) == 1
    assert [metric.step for metric in history] == [1, 2, 3]


def test_a_fit_inside_a_validation_leaves_autologging_disabled(toy, runs):
    pipe = make_pipeline(StandardScaler(), GeoST())
    params = {"geost__source": toy.source}
    cv = LabeledFold(cv=3)  # called by its module, where MLflow patches it
    model_selection.cross_validate(pipe, toy.X, toy.y, cv=cv, params=params)

    assert not runs()


def test_a_fit_that_ends_first_leaves_another_one_unlogged(toy, runs):
    def fit(has_begun, goes_on):
        def wait(X):
            has_begun.set()
            assert goes_on.wait(60)
            return X

        clf = GeoST(target_transformer=FunctionTransformer(wait))
        clf.fit(toy.X, toy.y, source=toy.source)

    events = [(Event(), Event()), (Event(), Event())]
    with ThreadPoolExecutor(2) as pool:
        fits = []
        for has_begun, goes_on in events:
            fits.append(pool.submit(fit, has_begun, goes_on))
            assert has_begun.wait(60)
        for result, (_, goes_on) in zip(fits, events, strict=True):
            goes_on.set()
            result.result()

    assert not runs()


def test_a_failed_fit_leaves_autologging_enabled(toy, runs):
    with pytest.raises(ValueError, match="NaN"):
        GeoST().fit(np.full_like(toy.X, np.nan), toy.y, source=toy.source)
    PCA().fit(toy.X)

    assert _names(runs) == {"PCA"}
