"""Tests of `skda.base`: what every estimator says to bad input, and takes as good."""

import inspect
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_array
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import skda.heterogeneous
from skda.base import BaseNetClassifier, BasePairedClassifier
from skda.baselines import TargetNet
from skda.utils.warnings import NoSourceWarning

METHODS = [getattr(skda.heterogeneous, name) for name in skda.heterogeneous.__all__]


def _with_pairs(cls):
    """Subclass a method so that the rows of its source are pairs with its target's."""
    if not issubclass(cls, BasePairedClassifier):
        return cls

    def fit(self, X, y=None, *, source=None):
        pairs = None if source is None else source[0]
        return cls.fit(self, X, y, source=source, pairs=pairs)

    return type(cls.__name__, (cls,), {"fit": fit, "__module__": cls.__module__})


def _maker(cls):
    """Build classifiers of a class, each to fit at once."""

    def make(**params):
        fast = {"n_components": 8, "max_epochs": 3, "random_state": 0, "device": "cpu"}
        known = inspect.signature(cls).parameters
        paired = _with_pairs(cls)
        return paired(**{k: v for k, v in fast.items() if k in known} | params)

    return make


@pytest.fixture(params=METHODS, ids=lambda cls: cls.__name__)
def make_clf(request):
    """Build one classifier after the other."""
    return _maker(request.param)


def with_parameters(*names, but=()):
    """Run a test for the methods that have all of the parameters, but for some."""
    methods = [m for m in METHODS if m not in but]
    having = [m for m in methods if {*names} <= {*inspect.signature(m).parameters}]
    return pytest.mark.parametrize(
        "make_clf",
        [_maker(cls) for cls in having],
        ids=[cls.__name__ for cls in having],
    )


# Bad data


@pytest.mark.parametrize("side", ["target", "source"])
def test_values_that_are_no_numbers(toy, make_clf, subtests, side):
    clf = make_clf()
    messages = {
        np.nan: "contains NaN",
        np.inf: "contains infinity",
        -np.inf: "contains infinity",
    }
    holds_it = clf._dtype is np.float64
    huge = r"1e\+300 in row 3, column 1, whose square overflows"
    messages[1e300] = huge if holds_it else "infinity or a value too large"
    for flaw, message in messages.items():
        X, X_source = toy.X.copy(), toy.source[0].copy()
        (X if side == "target" else X_source)[3, 1] = flaw
        with (
            subtests.test(flaw=flaw),
            pytest.raises(ValueError, match=message),
        ):
            clf.fit(X, toy.y, source=(X_source, toy.source[1]))


@pytest.mark.parametrize("side", ["target", "source"])
def test_arrays_that_are_no_tables(toy, make_clf, subtests, side):
    messages = {
        (0, 6): "Found array with 0 sample",
        (300, 0): "Found array with 0 feature",
        (300,): "Expected 2D array, got 1D array",
        (300, 6, 2): "Found array with dim 3",
    }
    for shape, message in messages.items():
        flawed = np.zeros(shape)
        X, X_source = (flawed, toy.source[0]) if side == "target" else (toy.X, flawed)
        with subtests.test(shape=shape), pytest.raises(ValueError, match=message):
            make_clf().fit(X, toy.y, source=(X_source, toy.source[1]))


def test_labels_must_be_as_many_as_rows(toy, make_clf):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_clf().fit(toy.X, toy.y[:-1], source=toy.source)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_clf().fit(toy.X, toy.y, source=(toy.source[0], toy.source[1][:-1]))


def test_no_label_anywhere(toy, make_clf):
    y = np.full(300, -1)
    with pytest.raises(ValueError, match="Every label is missing"):
        make_clf().fit(toy.X, y, source=(toy.source[0], y))


def test_one_class_coded_as_plus_and_minus_one(toy, make_clf):
    y = np.where(toy.y_true == 0, 1, -1)
    with pytest.raises(ValueError, match=r"coded as \{-1, 1\}, recode them as"):
        make_clf().fit(toy.X, y, source=(toy.source[0], y))


def test_one_class_in_all_is_predicted(toy, make_clf):
    ones = np.ones(300, dtype=int)
    clf = make_clf().fit(toy.X, ones, source=(toy.source[0], ones))

    assert_array_equal(clf.predict(toy.X), 1)


def test_labels_of_two_kinds(toy, make_clf):
    y = toy.y.astype(object)
    y[0] = "zero"
    with pytest.raises(ValueError, match="Expected labels of one kind"):
        make_clf().fit(toy.X, y, source=toy.source)
    with pytest.raises(ValueError, match="Mix of label input types"):
        make_clf().fit(toy.X, toy.y, source=(toy.source[0], toy.source[1].astype(str)))


@pytest.mark.parametrize("side", ["target", "source"])
def test_a_class_that_one_domain_lacks_is_named_and_survived(toy, make_clf, side):
    y, (X_source, y_source) = toy.y.copy(), toy.source
    if side == "target":
        y[y == 2] = -1
    else:
        y_source = np.where(y_source == 2, 1, y_source)
    with pytest.warns(UserWarning, match=f"No {side} sample is labeled 2") as record:
        clf = make_clf().fit(toy.X, y, source=(X_source, y_source))

    assert record[0].filename == __file__
    assert_array_equal(clf.classes_, [0, 1, 2])
    assert np.isfinite(clf.predict_proba(toy.X)).all()


@pytest.mark.filterwarnings("ignore:.* got no label of the target:UserWarning")
def test_an_unlabeled_target(toy, make_clf):
    if not isinstance(make_clf(), BaseNetClassifier | BasePairedClassifier):
        with pytest.raises(ValueError, match="expects labeled target samples, got non"):
            make_clf().fit(toy.X, source=toy.source)
        return
    unlabeled, masked = (
        make_clf().fit(toy.X, y, source=toy.source) for y in (None, np.full(300, -1))
    )

    assert_array_equal(unlabeled.predict_proba(toy.X), masked.predict_proba(toy.X))


def test_a_source_of_another_width_in_prediction(toy, make_clf):
    clf = make_clf().fit(toy.X, toy.y, source=toy.source)
    with pytest.raises(ValueError, match="X has 5 features, but the source of "):
        clf.predict(toy.source[0][:, :5], domain="source")
    with pytest.raises(ValueError, match=r"X has 6 features, but .* is expecting 9"):
        clf.predict(toy.source[0])


@with_parameters("target_transformer")
def test_what_a_transformer_returns_is_named_in_errors(toy, make_clf):
    keep = FunctionTransformer(lambda X: X[:, np.abs(X).max(axis=0) < 1e6])
    clf = make_clf(target_transformer=keep).fit(toy.X, toy.y, source=toy.source)
    X = toy.X.copy()
    X[0, 0] = 1e7

    with pytest.raises(ValueError, match=r"but .* behind target_transformer is expect"):
        clf.predict(X)


def test_the_source_is_unknown_where_there_was_none(toy, make_clf):
    with pytest.warns(NoSourceWarning):
        clf = make_clf().fit(toy.X, toy.y)
    for method in (clf.predict, clf.predict_proba):
        with pytest.raises(ValueError, match=r"fitted without a source: fit it with s"):
            method(toy.source[0], domain="source")
        with pytest.raises(ValueError, match="domain must be 'target' or 'source', go"):
            method(toy.X, domain="test")


# Bad parameters


OUT_OF_RANGE = [
    ("alpha", -0.1),
    ("beta", -1.0),
    ("gamma", -1.0),
    ("tau", -1.0),
    ("temperature", 0.0),
    ("n_components", 0),
    ("n_hidden", 0),
    ("init_std", 0.0),
    ("source_per_class", 0),
    ("n_neighbors", 0),
    ("power", 0.0),
    ("max_epochs", 0),
    ("max_steps", 0),
    ("batch_size", 0),
    ("batch_size", -2),
    ("lr", 0.0),
    ("lr", -1.0),
    ("momentum", 1.0),
    ("weight_decay", -1.0),
    ("optimizer", "newton"),
    ("lr_schedule", "steps"),
    ("precision", "float16"),
    ("callbacks", "all"),
    ("normalize", "yes"),
    ("source_transformer", "scale"),
    ("target_transformer", "scale"),
]


@pytest.mark.parametrize("cls", [*METHODS, TargetNet])
def test_parameters_out_of_range_are_named(toy, cls, subtests):
    known = inspect.signature(cls).parameters
    for name, value in OUT_OF_RANGE:
        if name in known:
            clf = _with_pairs(cls)(**{name: value})
            message = f"The '{name}' parameter of {cls.__name__}"
            with (
                subtests.test(**{name: value}),
                pytest.raises(ValueError, match=message),
            ):
                clf.fit(toy.X, toy.y, source=toy.source)


def test_every_parameter_out_of_range_is_one_of_an_estimator():
    known = {name for cls in METHODS for name in inspect.signature(cls).parameters}

    assert {name for name, _ in OUT_OF_RANGE} <= known


@with_parameters("device")
def test_an_unknown_device(toy, make_clf):
    clf = make_clf(device="abacus")
    with pytest.raises(ValueError, match="Expected a device that PyTorch knows"):
        clf.fit(toy.X, toy.y, source=toy.source)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@with_parameters("device")
def test_cuda_where_there_is_none(toy, make_clf):
    clf = make_clf(device="cuda")
    with pytest.raises(ValueError, match="of which PyTorch finds 0"):
        clf.fit(toy.X, toy.y, source=toy.source)


# The forest of TNT saturates: its splits are sigmoids, its leaves distributions.
@with_parameters("lr", "optimizer", but=[skda.heterogeneous.TNT])
def test_a_diverging_fit_is_an_error(toy, make_clf):
    clf = make_clf(lr=1e30, optimizer="sgd", max_epochs=5)
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=r"diverged: .* lr=1e\+30"),
    ):
        clf.fit(toy.X, toy.y, source=toy.source)


# Good input in many forms


@with_parameters("batch_size")
def test_batches_larger_than_either_domain(toy, make_clf):
    full, huge = (
        make_clf(batch_size=batch_size).fit(toy.X, toy.y, source=toy.source)
        for batch_size in (-1, 10_000)
    )

    assert huge.n_iter_ == full.n_iter_
    assert_array_equal(huge.predict_proba(toy.X), full.predict_proba(toy.X))


def test_sparse_rows_are_as_good_as_dense_ones(toy, make_clf, subtests):
    X, X_source = np.maximum(toy.X, 0), np.maximum(toy.source[0], 0)
    dense = make_clf().fit(X, toy.y, source=(X_source, toy.source[1]))
    for form in (csr_array, csc_matrix):
        with subtests.test(form=form.__name__):
            source = form(X_source), toy.source[1]
            sparse = make_clf().fit(form(X), toy.y, source=source)

            assert_array_equal(sparse.predict_proba(form(X)), dense.predict_proba(X))
            assert_array_equal(
                sparse.predict(form(X_source), domain="source"),
                dense.predict(X_source, domain="source"),
            )


def test_numbers_of_any_type(toy, make_clf, subtests):
    def counts(X):
        return np.clip(20 * X + 60, 0, 200).astype(np.uint8)

    X, X_source = counts(toy.X), counts(toy.source[0])
    usual = make_clf().fit(X, toy.y, source=(X_source, toy.source[1]))
    for dtype in (np.float64, np.float32, np.float16, int):
        with subtests.test(dtype=dtype.__name__):
            other = make_clf().fit(
                X.astype(dtype), toy.y, source=(X_source.astype(dtype), toy.source[1])
            )

            assert_allclose(
                other.predict_proba(X.astype(dtype)), usual.predict_proba(X), atol=1e-5
            )


def test_whatever_comes_from_a_step_of_a_pipeline(toy, make_clf, subtests):
    steps = {
        "sparse": FunctionTransformer(csr_array),
        "float64": FunctionTransformer(np.float64),
        "scaled": StandardScaler(),
        "reduced": TruncatedSVD(3, random_state=0),
        "encoded": make_pipeline(
            OneHotEncoder(handle_unknown="ignore"), TruncatedSVD(3, random_state=0)
        ),
    }
    for name, step in steps.items():
        with subtests.test(name):
            clf = make_clf(source_transformer=StandardScaler())
            pipeline = make_pipeline(step, clf)
            source = {f"{type(clf).__name__.lower()}__source": toy.source}
            pipeline.fit(toy.X, toy.y, **source)

            assert np.isfinite(pipeline.predict_proba(toy.X)).all()


def test_frames_leave_the_names_of_their_columns(toy, make_clf, subtests):
    names = [f"feature {i}" for i in range(9)]
    plain = make_clf().fit(toy.X, toy.y, source=toy.source)
    for frame in (pd.DataFrame, pl.DataFrame):
        X = frame(dict(zip(names, toy.X.T, strict=True)))
        columns = {f"word {i}": column for i, column in enumerate(toy.source[0].T)}
        source = frame(columns)
        with subtests.test(frame=frame.__module__):
            clf = make_clf().fit(X, toy.y, source=(source, toy.source[1]))

            assert_array_equal(clf.feature_names_in_, names)
            assert_allclose(clf.predict_proba(X), plain.predict_proba(toy.X), rtol=1e-5)
            assert_array_equal(
                clf.predict(source, domain="source"),
                plain.predict(toy.source[0], domain="source"),
            )
            with pytest.raises(ValueError, match="should match those that were passed"):
                clf.predict(X[names[::-1]])
            with pytest.raises(ValueError, match="should match those that were passed"):
                clf.predict(source[list(columns)[::-1]], domain="source")


def test_a_transformer_may_mend_what_would_be_refused(toy, make_clf):
    X = toy.X.copy()
    X[::7, 2] = np.nan
    X_source = pd.DataFrame(toy.source[0][:, :2], columns=["a", "b"])
    X_source["c"] = np.where(X_source["a"] > 0, "yes", "no")
    encoder = make_column_transformer(
        (OneHotEncoder(), ["c"]), (StandardScaler(), ["a", "b"])
    )
    clf = make_clf(source_transformer=encoder, target_transformer=SimpleImputer())

    clf.fit(X, toy.y, source=(X_source, toy.source[1]))

    assert (clf.n_features_in_, clf.n_features_in_source_) == (9, 3)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(clf.predict_proba(X_source, domain="source")).all()


def test_the_transduction_is_of_the_labels_own_type(toy, make_clf):
    names = np.array(["ant", "bee", "cat"])
    y = np.where(toy.y < 0, None, names[toy.y])
    clf = make_clf().fit(toy.X, y, source=(toy.source[0], names[toy.source[1]]))

    assert clf.transduction_.dtype == names.dtype
    assert_array_equal(clf.transduction_[toy.y >= 0], names[toy.y[toy.y >= 0]])


def test_a_domain_may_look_like_the_other(toy, make_clf):
    """Domains of one width are told by their role."""
    X_source = np.column_stack([toy.source[0], toy.source[0][:, :3]])
    clf = make_clf().fit(toy.X, toy.y, source=(X_source, toy.source[1]))
    as_target, as_source = (
        clf.predict_proba(X_source, domain=domain) for domain in ("target", "source")
    )

    assert not np.array_equal(as_target, as_source)


def test_controls_ignore_the_source_without_a_word(toy):
    clf = TargetNet(max_epochs=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with_source = clf.fit(toy.X, toy.y, source=toy.source).predict_proba(toy.X)
        without = clf.fit(toy.X, toy.y).predict_proba(toy.X)

    assert_array_equal(with_source, without)
