"""What is loaded is what was saved, for every public estimator."""

import importlib
import inspect
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skorch.callbacks import Callback, EarlyStopping

import skda
from skda.base import GalleryIndex
from skda.baselines import SeededKMeans, TargetNet, TargetOnly, TunedClassifier
from skda.heterogeneous import SSAN, STN, GeoST
from skda.model_selection import (
    AdaptiveSets,
    BatchedSearchCV,
    HideLabels,
    LabeledFold,
    prediction_entropy_scorer,
)
from skda.preprocessing import (
    DomainScaler,
    GraphSmoother,
    LinearOptimalTransport,
    NormalScoreTransformer,
    PerView,
    RowScaler,
)
from skda.unsupervised import DANN, SPL
from tests.properties.estimators import (
    BUILDERS,
    RETRIEVERS,
    build_estimator,
    toy_domains,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
MORE = {
    "AdaptiveSets": partial(AdaptiveSets, SPL()),
    "DomainScaler": DomainScaler,
    "GalleryIndex": partial(GalleryIndex, n_neighbors=1),
    "GraphSmoother": partial(GraphSmoother, n_neighbors=2),
    "HideLabels": partial(HideLabels, SPL()),
    "LinearOptimalTransport": LinearOptimalTransport,
    "NormalScoreTransformer": NormalScoreTransformer,
    "PerView": partial(PerView, StandardScaler()),
    "RowScaler": RowScaler,
    "TargetOnly": partial(TargetOnly, LogisticRegression()),
    "TunedClassifier": TunedClassifier,
}


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet."""
    return tmp_path / "model.skda"


def _public_estimators():
    for package in ("", ".auto", ".baselines", ".heterogeneous", ".model_selection"):
        yield importlib.import_module(f"skda{package}")
    for package in ("partial", "preprocessing", "retrieval", "unsupervised"):
        yield importlib.import_module(f"skda.{package}")


def _data(name):
    """Make a dozen rows of each domain."""
    return toy_domains(name if name in BUILDERS else "SPL")


def _fit(name, estimator):
    """Fit an estimator with all that it takes."""
    data = _data(name)
    if name in RETRIEVERS or name == "TunedClassifier":
        return estimator.fit(data.X, data.source[1])
    takes = inspect.signature(estimator.fit).parameters
    given = {"source": data.source} if "source" in takes else {}
    if name in BUILDERS and "pairs" in takes:
        given["pairs"] = data.pairs
    return estimator.fit(data.X, data.y, **given)


def _outputs(name, estimator):
    """Say all that an estimator says of new rows."""
    X = _data(name).X[:7] + 0.1
    found = {}
    for method in ("predict", "predict_proba", "transform", "search"):
        if hasattr(estimator, method):
            found[method] = np.asarray(getattr(estimator, method)(X))
    return found


def _assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    assert found
    for method, values in wanted.items():
        np.testing.assert_array_equal(found[method], values)


def test_every_public_estimator_is_tried():
    public = {
        name
        for module in _public_estimators()
        for name in module.__all__
        if inspect.isclass(cls := getattr(module, name))
        and issubclass(cls, BaseEstimator)
    }

    searches = {type(search).__name__ for search in SEARCHES}
    assert public <= {*BUILDERS, *MORE, *searches}


@pytest.mark.parametrize("name", [*BUILDERS, *MORE])
def test_a_loaded_estimator_is_the_saved_one(name, path):
    build = MORE.get(name) or partial(build_estimator, name)
    fitted = _fit(name, build())
    wanted = _outputs(name, fitted)
    skda.save(fitted, path)

    loaded = skda.load(path)

    assert type(loaded) is type(fitted)
    assert repr(loaded.get_params()) == repr(fitted.get_params())
    assert list(vars(loaded)) == list(vars(fitted))
    _assert_equal(_outputs(name, loaded), wanted)
    _assert_equal(_outputs(name, pickle.loads(pickle.dumps(loaded))), wanted)  # noqa: S301
    _assert_equal(_outputs(name, _fit(name, clone(loaded))), wanted)


@pytest.mark.parametrize("name", ["SSAN", "STN", "DANN", "DATN", "ISRA", "DMTL"])
def test_networks_go_on_from_a_loaded_one(name, path):
    fitted = _fit(name, build_estimator(name))
    skda.save(fitted, path)
    loaded = skda.load(path)
    nets = [getattr(e, "backbone_", e).net_ for e in (fitted, loaded)]

    assert nets[0].history == nets[1].history
    for name_of_module in ("module_", "criterion_"):
        weights = [getattr(net, name_of_module).state_dict() for net in nets]
        torch.testing.assert_close(*weights, rtol=0, atol=0)
    if name != "ISRA":
        again = [_fit(name, e.set_params(warm_start=True)) for e in (fitted, loaded)]
        _assert_equal(_outputs(name, again[1]), _outputs(name, again[0]))


def test_estimators_need_not_be_fitted(path):
    skda.save(GeoST(source_transformer=StandardScaler()), path)

    loaded = skda.load(path)

    assert not hasattr(loaded, "classes_")
    assert repr(loaded) == "GeoST(source_transformer=StandardScaler())"


def _rows(n_rows=40):
    rng = np.random.default_rng(0)
    codes = np.arange(n_rows) % 2
    X = rng.normal(size=(n_rows, 4)) + 2 * codes[:, None]
    return X, np.where(np.arange(n_rows) < n_rows // 2, codes, -1), (X + 1, codes)


@pytest.mark.parametrize(
    "final", [GeoST(), STN(max_epochs=2, random_state=0), SPL()], ids=repr
)
def test_pipelines_may_end_in_an_estimator(final, path):
    X, y, source = _rows()
    step = type(final).__name__.lower()
    pipeline = make_pipeline(StandardScaler(), final)
    pipeline.fit(X, y, **{f"{step}__source": source})
    skda.save(pipeline, path)

    loaded = skda.load(path)

    np.testing.assert_array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))


NET = {"max_epochs": 2, "random_state": 0}
FOLDS = LabeledFold(StratifiedKFold(2))
SEARCHES = [
    GridSearchCV(GeoST(), {"alpha": [0.5, 0.9]}, cv=LabeledFold(2)),
    GridSearchCV(SSAN(**NET), {"lr": [0.1, 0.01]}, cv=2, scoring="balanced_accuracy"),
    GridSearchCV(
        DANN(**NET), {"lr": [0.1]}, cv=FOLDS, scoring=prediction_entropy_scorer
    ),
    BatchedSearchCV(STN(**NET), {"lr": [0.1, 0.01]}, cv=LabeledFold(2)),
    RandomizedSearchCV(
        SPL(),
        {"n_components": [2, 3]},
        n_iter=2,
        cv=FOLDS,
        scoring=["accuracy", "f1_macro"],
        refit="accuracy",
    ),
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda s: type(s.estimator).__name__)
def test_searches_keep_what_they_found(search, path):
    X, _, source = _rows()
    search = clone(search).fit(X, source[1], source=source)
    skda.save(search, path)

    loaded = skda.load(path)

    np.testing.assert_array_equal(loaded.predict_proba(X), search.predict_proba(X))
    assert loaded.best_params_ == search.best_params_
    assert loaded.score(X, source[1]) == search.score(X, source[1])


def test_parameters_of_all_plain_kinds_survive(path):
    settings = {
        "a list": [1, -2.5, 1e300, float("inf"), True, None],
        "others": (1j, b"bytes", {1, 2}, frozenset("a"), slice(1, None), range(3)),
        ("no", "string"): {"": {}},
        "numpy": [np.float32(0.1), np.int8(3), np.str_("x"), np.bool_(True)],
        "time": np.datetime64("2026-01-01"),
        "torch": [torch.device("cpu"), torch.bfloat16],
        "class": torch.optim.SGD,
        "\ud800 no Unicode": 2**200,
    }
    skda.save(TargetNet(random_state=settings), path)

    loaded = skda.load(path).random_state

    assert loaded == settings
    assert list(map(type, loaded["numpy"])) == list(map(type, settings["numpy"]))


ARRAYS = {
    "C": np.arange(6.0).reshape(2, 3),
    "F": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "reversed": np.arange(6)[::-1],
    "empty": np.zeros((0, 3), dtype=np.float32),
    "of shape ()": np.array(2.5),
    "big-endian": np.arange(3, dtype=">f8"),
    "float16": np.array([0.1, np.nan, -0.0], dtype=np.float16),
    "complex": np.array([1 + 2j]),
    "strings": np.array(["ant", "beetle", "\u00e9"]),
    "bytes": np.array([b"a", b"bc"]),
    "dates": np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
    "durations": np.array([1, 2], dtype="timedelta64[25us]"),
    "booleans": np.array([[True], [False]]),
    "objects": np.array([["a", None], [1.5, True]], dtype=object),
    "no objects": np.empty((0, 2), dtype=object),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_keep_type_and_order(kind, path):
    array = ARRAYS[kind]
    skda.save(TargetNet(random_state=array), path)

    loaded = skda.load(path).random_state

    assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
    assert loaded.flags.f_contiguous == np.copy(array, order="K").flags.f_contiguous
    assert loaded.flags.writeable
    np.testing.assert_array_equal(loaded, array)


def test_what_is_shared_stays_shared(path):
    array, rows = np.arange(3), [1]
    skda.save(TargetNet(random_state=[array, rows, {"a": array, "b": rows}]), path)

    first, second, both = skda.load(path).random_state

    assert both["a"] is first
    assert both["b"] is second


def test_trees_of_neighbors_are_built_again(path):
    X, y, _ = _rows()
    fitted = TargetOnly(KNeighborsClassifier(algorithm="ball_tree")).fit(X, y)
    skda.save(fitted, path)

    loaded = skda.load(path)

    assert fitted.estimator_._tree is not None
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


def test_sparse_matrices_and_transformers_are_kept(path):
    X, y, _ = _rows()
    names = np.array(["a", "b"], dtype=object)[(X[:, :1] > 1).astype(int)]
    encoded = GeoST(target_transformer=OneHotEncoder()).fit(names, y, source=(X, y))
    encoded.note_ = csr_array(X)
    skda.save(encoded, path)

    loaded = skda.load(path)

    np.testing.assert_array_equal(loaded.predict(names), encoded.predict(names))
    assert (loaded.note_ != encoded.note_).nnz == 0


class Counter(Callback):
    """Count the epochs."""

    n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        """Count one more."""
        self.n_epochs += 1


class MyMethod(TargetNet):
    """A method of somebody else."""


def test_own_methods_and_callbacks_are_loaded_if_trusted(path):
    X, y, _ = _rows()
    fitted = MyMethod(max_epochs=3, callbacks=[Counter(), EarlyStopping("train_loss")])
    skda.save(fitted.fit(X, y), path)

    with pytest.raises(ValueError, match=r"got .*EarlyStopping, .*Counter, .*MyMethod"):
        skda.load(path, trusted=[])
    loaded = skda.load(path, trusted=[MyMethod, Counter, EarlyStopping])

    assert type(loaded) is MyMethod
    assert dict(loaded.net_.callbacks_)["Counter"].n_epochs == 3
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


def test_factories_of_modules_are_loaded_if_trusted(path):
    X, y, source = _rows()
    fitted = DANN(module=_module, max_epochs=2, random_state=0)
    skda.save(fitted.fit(X, y, source=source), path)

    with pytest.raises(ValueError, match=r"_module.*trusted=\["):
        skda.load(path)
    loaded = skda.load(path, trusted=[_module])

    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    refitted = clone(loaded).fit(X, y, source=source)
    np.testing.assert_array_equal(refitted.predict_proba(X), fitted.predict_proba(X))


def _module():
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))


def test_a_progress_bar_is_not_saved(path, capsys):
    X, y, _ = _rows()
    fitted = TargetNet(max_epochs=2, verbose=1, random_state=0).fit(X, y)
    skda.save(fitted, path)

    loaded = skda.load(path)

    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert [name for name, _ in loaded.net_.callbacks_] == ["terms_bar"]


def test_what_was_fitted_on_cuda_is_loaded_to_the_cpu(path):
    X, y, _ = _rows()
    fitted = TargetNet(max_epochs=2, random_state=0).fit(X, y)
    wanted = fitted.predict_proba(X)
    fitted.net_.device = torch.device("cuda:7")
    skda.save(fitted, path)

    loaded = skda.load(path)

    assert loaded.net_.device == torch.device("cpu")
    np.testing.assert_array_equal(loaded.predict_proba(X), wanted)


def test_a_failed_save_leaves_the_old_file(path):
    skda.save(SeededKMeans(), path)

    with pytest.raises(TypeError, match="lambda"):
        skda.save(TargetNet(random_state=lambda: None), path)

    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert repr(skda.load(path)) == "SeededKMeans()"
