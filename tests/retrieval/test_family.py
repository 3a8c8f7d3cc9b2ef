"""What every retriever promises, whatever its method."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
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

    with pytest.warns(UserWarning, match="does not have valid feature names"):
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
