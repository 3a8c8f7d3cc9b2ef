"""What goes into a model, what comes out of it, and what is refused."""

import json

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from torch import nn

import skda
from skda.baselines import TargetOnly, TunedClassifier
from skda.heterogeneous import CDSPP, GeoST, PairedRidgeTransfer
from skda.retrieval import RidgeCCA
from skda.unsupervised import CORAL, DANN, SPL, PriorTransduction, SourceOnly

N = 60


@pytest.fixture(scope="module")
def task():
    """A target in units of all sizes, a source, and their labels."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    X, X_source = (rng.normal(size=(N, 6)) + 2 * np.eye(6)[y] for _ in range(2))
    units = np.array([1.0, 10.0, 100.0, 1.0, 5.0, 0.1])
    labels = y.copy()
    labels[30:] = -1
    return X * units + 50, labels, (X_source * units + 50, y)


def _load(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def _run(path, X):
    return _load(path).run(None, {"X": X})


def _check(fitted, path, X):
    label, probabilities = _run(path, np.asarray(X))

    np.testing.assert_allclose(
        probabilities, fitted.predict_proba(X), rtol=0, atol=1e-5
    )
    assert label.tolist() == fitted.predict(X).tolist()


TRANSFORMERS = [
    StandardScaler(),
    MinMaxScaler(),
    PolynomialFeatures(2),
    PowerTransformer(),
    QuantileTransformer(n_quantiles=10),
    FunctionTransformer(np.tanh),
    make_union(StandardScaler(), MinMaxScaler()),
    make_column_transformer(
        (StandardScaler(), [0, 2]), ("drop", [1]), remainder="passthrough"
    ),
]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_the_transformer_of_the_user_is_inside(transformer, task, tmp_path):
    X, y, source = task
    fitted = GeoST(target_transformer=transformer).fit(X, y, source=source)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)

    _check(fitted, tmp_path / "m.onnx", X)


INSIDE = [
    CDSPP(SVC()),
    CORAL(KNeighborsClassifier(3)),
    SourceOnly(GaussianNB()),
    TargetOnly(RandomForestClassifier(5, random_state=0)),
    TargetOnly(TunedClassifier()),
    make_pipeline(StandardScaler(), TargetOnly(LogisticRegression())),
    DANN(batch_norm=True, max_epochs=2, random_state=0),
    skda.AutoAdapter(members=[LogisticRegression()]),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("estimator", INSIDE, ids=lambda e: type(e).__name__)
def test_the_classifier_of_the_user_is_inside(estimator, task, tmp_path):
    X, y, source = task
    takes_none = isinstance(estimator, TargetOnly) or hasattr(estimator, "steps")
    estimator.fit(X, y, **({} if takes_none else {"source": source}))
    skda.export_onnx(estimator, tmp_path / "m.onnx", X=X)

    _check(estimator, tmp_path / "m.onnx", X)


def test_a_search_exports_its_best_estimator(task, tmp_path):
    X, y, _ = task
    search = GridSearchCV(
        TargetOnly(GaussianNB()), {"estimator__var_smoothing": [0.1, 1]}
    )
    search.fit(X[:30], y[:30])
    skda.export_onnx(search, tmp_path / "m.onnx", X=X)

    _check(search, tmp_path / "m.onnx", X)


@pytest.mark.parametrize("estimator", [GeoST(), PairedRidgeTransfer()])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_several_sources_vote_in_the_model(estimator, task, tmp_path):
    X, y, (X_source, y_source) = task
    sources = [(X_source, y_source), (X_source[:, :4], y_source)]
    params = {}
    if isinstance(estimator, PairedRidgeTransfer):
        params["pairs"] = [(rows, X_source) for rows, _ in sources]
    fitted = estimator.fit(X, y, source=sources, **params)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)

    _check(fitted, tmp_path / "m.onnx", X)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("labeled", [False, True])
@pytest.mark.parametrize("width", [4, 6])
def test_auto_adapter_is_exported_in_every_situation(labeled, width, task, tmp_path):
    X, y, (X_source, y_source) = task
    X_source = X_source[:, :width]
    given = y if labeled else np.full(N, -1)
    pairs = {} if labeled or width == 6 else {"pairs": (X_source, X)}
    fitted = skda.AutoAdapter().fit(X, given, source=(X_source, y_source), **pairs)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)

    _check(fitted, tmp_path / "m.onnx", X)


def test_an_opinion_on_the_fitted_rows_is_inside(task, tmp_path):
    X, _, _ = task
    P = np.eye(3)[np.arange(N) % 3] * 0.7 + 0.1
    fitted = PriorTransduction().fit(X, probabilities=P, classes=[0, 1, 2])
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)

    _check(fitted, tmp_path / "m.onnx", X)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_single_class_is_certain(task, tmp_path):
    X, _, (X_source, _) = task
    fitted = CDSPP().fit(X, ["ash"] * N, source=(X_source, ["ash"] * N))
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)

    _check(fitted, tmp_path / "m.onnx", X)


def test_common_layers_are_inside(task, tmp_path):
    X, _, source = task

    def build():
        return nn.Sequential(
            nn.Linear(6, 4),
            nn.LayerNorm(4),
            nn.GELU(),
            nn.Linear(4, 4, bias=False),
            nn.ELU(),
            nn.Tanh(),
            nn.SiLU(),
            nn.LeakyReLU(),
            nn.ReLU6(),
        )

    net = DANN(module=build, max_epochs=1, random_state=0).fit(X / 50, source=source)
    skda.export_onnx(net, tmp_path / "m.onnx", X=X / 50)

    _check(net, tmp_path / "m.onnx", X / 50)


def test_images_go_through_the_network_of_the_user(tmp_path):
    rng = np.random.default_rng(0)
    X, X_source = rng.random((2, 24, 8, 8, 3)).astype(np.float32)

    def build():
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.1),
        )

    net = DANN(module=build, max_epochs=2, random_state=0)
    net.fit(X, source=(X_source, np.arange(24) % 2))
    skda.export_onnx(net, tmp_path / "m.onnx", X=X, dtype="float32")

    _check(net, tmp_path / "m.onnx", X[:3])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator", [SPL(), DANN(max_epochs=1, random_state=0)])
def test_the_model_takes_rows_of_either_type(estimator, dtype, task, tmp_path):
    X, _, source = task
    fitted = estimator.fit(X, source=source)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=X, dtype=dtype)
    rows = X.astype(dtype)

    _check(fitted, tmp_path / "m.onnx", rows)


def test_without_samples_the_model_is_checked_on_drawn_rows(task, tmp_path):
    X, y, source = task
    fitted = GeoST().fit(X, y, source=source)
    skda.export_onnx(fitted, tmp_path / "m.onnx")

    _check(fitted, tmp_path / "m.onnx", X)


def test_columns_by_name_come_in_the_order_of_the_fit(task, tmp_path):
    X, y, source = task
    frame = pd.DataFrame(X, columns=list("abcdef"))
    transformer = make_column_transformer(
        (StandardScaler(), ["e", "b"]), ("passthrough", ["a"])
    )
    fitted = GeoST(target_transformer=transformer).fit(frame, y, source=source)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=frame)

    _check(fitted, tmp_path / "m.onnx", frame)


def test_the_model_says_what_it_is_of(task, tmp_path):
    X, y, source = task
    named = np.array(["ash", "birch", "cedar"], dtype=object)
    source = source[0], named[source[1]]
    named = np.where(y < 0, None, named[y])
    frame = pd.DataFrame(X, columns=list("abcdef"))
    fitted = GeoST().fit(frame, named, source=source)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=frame)
    model = onnx.load(tmp_path / "m.onnx")
    said = {each.key: each.value for each in model.metadata_props}

    assert said["skda"] == skda.__version__
    assert said["estimator"] == "skda.heterogeneous._geost.GeoST"
    assert json.loads(said["classes"]) == fitted.classes_.tolist()
    assert json.loads(said["feature_names_in"]) == list("abcdef")


def test_views_have_numbers_of_rows_of_their_own(task, tmp_path):
    X, _, _ = task
    views = {"text": X[:, :2], "image": X[:, 2:]}
    fitted = RidgeCCA(n_components=2).fit(views)
    skda.export_onnx(fitted, tmp_path / "m.onnx", X=views)
    feed = {"text": views["text"][:1], "image": views["image"][:5]}
    session = _load(tmp_path / "m.onnx")
    text, image = session.run(["text_embedding", "image_embedding"], feed)

    np.testing.assert_allclose(text, fitted.transform(feed)["text"], atol=1e-5)
    np.testing.assert_allclose(image, fitted.transform(feed)["image"], atol=1e-5)


class Doubled(TransformerMixin, BaseEstimator):
    """A transformer that nobody has told how to write."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return 2 * X


def test_a_part_that_cannot_be_exported_is_named(task, tmp_path):
    X, y, source = task
    fitted = GeoST(target_transformer=Doubled()).fit(X, y, source=source)

    with pytest.raises(ValueError, match="GeoST cannot be exported: Doubled: skl2onnx"):
        skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)
    assert not (tmp_path / "m.onnx").exists()


def test_a_network_of_other_functions_is_refused_by_their_name(task, tmp_path):
    X, _, source = task

    def build():
        return nn.Sequential(nn.Linear(6, 4), nn.GroupNorm(2, 4))

    net = DANN(module=build, max_epochs=1).fit(X, source=source)

    with pytest.raises(ValueError, match="computes group_norm"):
        skda.export_onnx(net, tmp_path / "m.onnx", X=X)


class Shifted(GeoST):
    """A prediction that depends on the other rows."""

    def predict_proba_rows(self, X, domain):
        return super().predict_proba_rows(X - X.mean(axis=0), domain)


def test_a_prediction_of_several_rows_at_once_is_refused(task, tmp_path):
    X, y, source = task
    fitted = Shifted().fit(X, y, source=source)

    with pytest.raises(ValueError, match="depends on the other rows"):
        skda.export_onnx(fitted, tmp_path / "m.onnx", X=X)


class Wrong(nn.Module):
    """A network whose output is that of the first call for ever."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 4)

    def forward(self, X):
        Z = self.layer(X)
        return Z + 0.1 * torch.rand(4)


def test_a_model_that_computes_something_else_is_not_written(task, tmp_path):
    X, _, (X_source, y_source) = task
    X, X_source = (X - 50) / 10, (X_source - 50) / 10
    net = DANN(module=Wrong, max_epochs=1, lr=1e-3, random_state=0)
    net.fit(X, source=(X_source, y_source))

    with pytest.raises(ValueError, match="computes other probabilities"):
        skda.export_onnx(net, tmp_path / "m.onnx", X=X)
    assert not (tmp_path / "m.onnx").exists()


def test_what_is_not_fitted_or_no_classifier_is_refused(task, tmp_path):
    with pytest.raises(NotFittedError):
        skda.export_onnx(GeoST(), tmp_path / "m.onnx")
    machine = TargetOnly(SVC()).fit(*task[:2])
    with pytest.raises(ValueError, match="has no predict_proba"):
        skda.export_onnx(machine, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="dtype must be"):
        skda.export_onnx(machine, tmp_path / "m.onnx", dtype="int8")
