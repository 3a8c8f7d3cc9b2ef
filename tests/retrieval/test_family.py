"""What every retriever promises, whatever its method."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

import skda.retrieval
from skda.base import BaseRetriever
from skda.preprocessing import PerView
from skda.retrieval import DCCA, DMTL, MCCA, ClusterRetrieval, RidgeCCA

RETRIEVERS = [
    cls
    for cls in map(vars(skda.retrieval).get, skda.retrieval.__all__)
    if issubclass(cls, BaseRetriever)
]
FAST = {"max_epochs": 5, "hidden_layer_sizes": (16,), "random_state": 0}


@pytest.fixture(params=RETRIEVERS)
def make(request):
    """Build a retriever that fits at once."""

    def make(**params):
        known = inspect.signature(request.param).parameters
        fast = {name: value for name, value in FAST.items() if name in known}
        return request.param(**fast | params)

    return make


@pytest.fixture
def frames(toy_pairs):
    """Views with names, which differ between the views."""
    return {
        view: pd.DataFrame(X, columns=[f"{view}{i}" for i in range(X.shape[1])])
        for view, X in toy_pairs.views.items()
    }


# Units


@pytest.mark.parametrize("exponent", [-100, -50, 50, 99])
@pytest.mark.parametrize("view", ["image", "text"])
def test_the_unit_of_a_view_does_not_matter(make, toy_pairs, view, exponent):
    def scaled(views):
        return views | {view: np.ldexp(views[view], exponent)}

    def embed(change):
        source = change(toy_pairs.source[0]), toy_pairs.source[1]
        est = make().fit(change(toy_pairs.views), toy_pairs.y, source=source)
        return est.transform(change(toy_pairs.test))

    expected, got = embed(dict), embed(scaled)

    for name in expected:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("where", ["X", "source"])
def test_a_view_of_zeros_is_an_error(make, toy_pairs, where):
    views, (known, y) = toy_pairs.views, toy_pairs.source
    if where == "X":
        views = views | {"text": 0 * views["text"]}
    else:
        known = known | {"text": 0 * known["text"]}

    with pytest.raises(ValueError, match=f"View 'text' of {where} is zero in all"):
        make().fit(views, source=(known, y))


def test_unscaled_features_beyond_float32_are_an_error(toy_pairs):
    huge = {name: np.ldexp(X, 300) for name, X in toy_pairs.views.items()}

    with pytest.raises(ValueError, match=r"embeddings of PLS are not finite: scale"):
        skda.retrieval.PLS(scaling=None).fit(huge)


# Divergence


@pytest.mark.parametrize("cls", [DMTL, DCCA, skda.retrieval.DCCAE])
@pytest.mark.parametrize("lr", [100.0, 1e4])
def test_a_diverging_fit_is_an_error(cls, toy_pairs, lr):
    est = cls(lr=lr, optimizer="sgd", max_epochs=12, random_state=0)

    with pytest.raises(ValueError, match=f"diverged: .* lr={lr:g}, or scale"):
        est.fit(toy_pairs.views, source=toy_pairs.source)

    assert not hasattr(est, "net_")


def test_a_network_that_has_become_constant_is_an_error(toy_pairs):
    est = DMTL(lr=100.0, optimizer="adam", max_epochs=12, random_state=0)

    with pytest.raises(ValueError, match=r"collapsed: .* view '.*' to the same output"):
        est.fit(toy_pairs.views, source=toy_pairs.source)


# Views that are none

BAD_VIEWS = {
    "Expected rows in .*view 'text'.*, got a single": [3.0, None, "a.csv", {"a": 1}],
    "View 'text'.*: Expected 2D array, got 1D": [np.arange(12)],
    "View 'text'.*: Found array with dim 3": [np.ones((12, 2, 2))],
    "View 'text'.*: Found array with 0 feature": [np.empty((12, 0))],
    "View 'text'.*: could not convert .*\nPass a shared_t": [[["red", "round"]] * 12],
    "View 'text'.*: setting an array element": [[[1.0], [1.0, 2.0]] * 6],
    "in view 'text'.*, got 1e.300 in row 0, column 0": [np.full((12, 5), 1e300)],
}
EVERY_BAD_VIEW = [(X, message) for message, views in BAD_VIEWS.items() for X in views]


def _views(text):
    rng = np.random.default_rng(0)
    return {"image": rng.normal(size=(12, 4)), "text": text}


@pytest.mark.parametrize(("text", "message"), EVERY_BAD_VIEW)
@pytest.mark.parametrize("where", ["X", "source"])
@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_what_is_no_view_is_an_error_in_words(text, message, where, kind):
    good, y = _views(kind(np.random.default_rng(0).normal(size=(12, 5)))), [0, 1] * 6
    X, known = (_views(text), good) if where == "X" else (good, _views(text))

    with pytest.raises(ValueError, match=message):
        RidgeCCA().fit(X, source=(known, y))


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_both_sides_have_the_same_features(kind):
    known, X = _views(kind(np.ones((12, 7)))), _views(np.ones((12, 5)))

    for transformer in (None, StandardScaler(with_mean=False)):
        with pytest.raises(
            ValueError, match=r"view 'text' to have the same .* shape \(7,\) and \(5,\)"
        ):
            RidgeCCA(shared_transformer=transformer).fit(X, source=(known, [0, 1] * 6))


@pytest.mark.parametrize("dtype", [object, np.float16, np.float32])
def test_a_sparse_view_goes_with_dense_ones_of_any_type(dtype):
    rows = np.random.default_rng(0).integers(-9, 9, size=(12, 5))
    known, y = _views(rows.astype(float)), [0, 1] * 6
    expected = RidgeCCA().fit(_views(rows.astype(float)), source=(known, y))

    for transformer in (None, FunctionTransformer(accept_sparse=True)):
        est = RidgeCCA(shared_transformer=transformer)
        est.fit(_views(csr_array(rows)), source=(_views(rows.astype(dtype)), y))

        for got, z in zip(
            est.transform(known).values(),
            expected.transform(known).values(),
            strict=True,
        ):
            np.testing.assert_array_equal(got, z)


@pytest.mark.parametrize("form", [np.hstack, list])
def test_values_beyond_the_type_of_a_network_are_an_error(form):
    views = [np.eye(12, 4), np.full((12, 5), 1e300)]

    with pytest.raises(ValueError, match="too large for dtype"):
        DMTL().fit(form(views), [0, 1] * 6)


# Names of columns


def test_reordered_columns_are_an_error(make, frames):
    est = make().fit(frames, np.arange(len(frames["text"])) % 3)
    text = frames["text"][frames["text"].columns[::-1]]

    with pytest.raises(ValueError, match="View 'text': The feature names should match"):
        est.transform({"text": text})


def test_the_source_has_the_columns_of_the_target(frames):
    known = frames | {"text": frames["text"][frames["text"].columns[::-1]]}
    y = np.arange(len(frames["text"])) % 3

    with pytest.raises(ValueError, match="View 'text': The feature names should match"):
        RidgeCCA().fit(frames, source=(known, y))


def test_columns_of_one_name_are_an_error(frames):
    twice = frames["text"].set_axis(["a", "b", "a", "c", "d", "e", "f"], axis=1)

    with pytest.raises(ValueError, match=r"view 'text' .* several that are called a"):
        RidgeCCA().fit(frames | {"text": twice})


def test_arrays_after_frames_warn_by_scikit_learns_words(frames, toy_pairs):
    est = RidgeCCA().fit(frames)

    with pytest.warns(
        UserWarning,
        match=r"not have valid feature names, but view '.*' of RidgeCCA was",
    ):
        got = est.transform(toy_pairs.test)

    expected = RidgeCCA().fit(toy_pairs.views).transform(toy_pairs.test)
    np.testing.assert_array_equal(got["text"], expected["text"])


def test_transformers_that_select_by_name_see_frames_with_a_source_too(frames):
    choose = ColumnTransformer([("scale", StandardScaler(), ["text1", "text3"])])
    per_view = PerView({"text": choose})
    y = np.arange(len(frames["text"])) % 3

    est = RidgeCCA(shared_transformer=per_view).fit(frames, source=(frames, y))

    assert est.view_widths_ == {"image": 9, "text": 2}
    assert est.transform({"text": frames["text"]})["text"].shape[1] == 2


def test_a_new_fit_forgets_the_names_of_one_array(frames, toy_pairs):
    est = RidgeCCA().fit(frames["text"])

    est.fit(toy_pairs.views)

    assert not hasattr(est, "feature_names_in_")


# Output containers


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_views_come_out_as_arrays_whatever_the_global_output(
    make, toy_pairs, container
):
    expected = make().fit(toy_pairs.views, toy_pairs.y).transform(toy_pairs.test)
    with sklearn.config_context(transform_output=container):
        est = make().fit(toy_pairs.views, toy_pairs.y)
        got = est.transform(toy_pairs.test)
        fitted = make().fit_transform(SliceDict(**toy_pairs.views), toy_pairs.y)
        listed = est.transform(list(toy_pairs.test.values()))
        score = est.score(toy_pairs.test, toy_pairs.y_test)
        est.retrieve(
            {"text": toy_pairs.test["text"]}, {"image": toy_pairs.test["image"]}
        )

    assert {type(rows) for rows in (*got.values(), *fitted.values())} == {np.ndarray}
    np.testing.assert_array_equal(got["text"], expected["text"])
    np.testing.assert_array_equal(listed[1], expected["text"])
    assert 0 < score <= 1


@pytest.mark.parametrize(("container", "kind"), [("pandas", pd), ("polars", pl)])
@pytest.mark.parametrize("how", ["global", "own"])
def test_one_array_comes_out_as_a_frame_if_asked_for(toy_pairs, container, kind, how):
    X = np.hstack(list(toy_pairs.views.values()))
    plain = MCCA(n_components=2).fit(X)
    with sklearn.config_context(
        transform_output=container if how == "global" else "default"
    ):
        est = MCCA(n_components=2)
        if how == "own":
            est.set_output(transform=container)
        frames = est.fit_transform(X), est.transform(X)

    for frame in frames:
        assert isinstance(frame, kind.DataFrame)
        assert list(frame.columns) == [f"mcca{i}" for i in range(4)]
        np.testing.assert_array_equal(frame, plain.transform(X))


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("cls", [RidgeCCA, ClusterRetrieval])
def test_inner_transformers_return_arrays(cls, toy_pairs, container):
    codes = np.round(toy_pairs.views["text"][:, :2])
    views = toy_pairs.views | {"text": codes}
    encode = PerView({"text": OneHotEncoder(), "image": StandardScaler()})

    with sklearn.config_context(transform_output=container):
        est = cls(shared_transformer=encode).fit(views)

    assert est.view_widths_["text"] == sum(len(set(column)) for column in codes.T)
