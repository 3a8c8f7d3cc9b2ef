"""Every public estimator that predicts new rows, as a model."""

import inspect

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

import skda
from skda.base import BaseHomogeneousClassifier, BasePairedClassifier, BaseRetriever
from skda.baselines import TargetOnly
from tests.test_common import ESTIMATORS, FAST

CLASSES = np.array(["ash", "birch", "cedar"])


def _make(cls):
    params = inspect.signature(cls).parameters
    fast = FAST | {"pretraining_epochs": 2, "transfer_epochs": 2}
    return cls(**{name: value for name, value in fast.items() if name in params})


def _rows(seed):
    rng = np.random.default_rng(seed)
    y = np.arange(60) % 3
    return rng.normal(size=(60, 12)) + 2 * np.eye(12)[y], y


@pytest.fixture(scope="module")
def domains():
    (X, y), (X_source, y_source) = _rows(0), _rows(1)
    labels = CLASSES[y].astype(object)
    labels[24:] = None
    return X * 3 + 1, labels, X_source, CLASSES[y_source]


def _fit(estimator, domains):
    X, y, X_source, y_source = domains
    if isinstance(estimator, BaseRetriever):
        return estimator.fit(X, y)
    params = inspect.signature(estimator.fit).parameters
    if isinstance(estimator, BaseHomogeneousClassifier):
        return estimator.fit(X, y, source=(X_source, y_source))
    if isinstance(estimator, BasePairedClassifier):
        pairs = X_source[:, :9], X
        return estimator.fit(X, y, source=(X_source[:, :9], y_source), pairs=pairs)
    if "source" in params:
        return estimator.fit(X, y, source=(X_source[:, :9], y_source))
    return estimator.fit(X, y)


def _run(path, feed):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        *map(_make, ESTIMATORS),
        TargetOnly(LogisticRegression()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_model_computes_what_its_estimator_does(estimator, domains, tmp_path):
    fitted, path = _fit(clone(estimator), domains), tmp_path / "model.onnx"
    new = _rows(2)[0] * 3 + 1
    views = {"view0": new[:, :6], "view1": new[:, 6:]}
    is_retriever = isinstance(estimator, BaseRetriever)
    skda.export_onnx(fitted, path, X=views if is_retriever else new)
    onnx.checker.check_model(path, full_check=True)

    for n_rows in (1, 7):
        if is_retriever:
            feed = {name: rows[:n_rows] for name, rows in views.items()}
            wanted = fitted.transform(feed)
            found = _run(path, feed)
            for name in views:
                embedded = found[f"{name}_embedding"]

                np.testing.assert_allclose(embedded, wanted[name], rtol=0, atol=1e-5)
        else:
            rows = new[:n_rows]
            found, wanted = _run(path, {"X": rows}), fitted.predict_proba(rows)

            np.testing.assert_allclose(
                found["probabilities"], wanted, rtol=0, atol=1e-5
            )
            assert found["label"].tolist() == fitted.predict(rows).tolist()
