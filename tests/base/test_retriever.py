"""The contract of retrieval, on an estimator that does nothing but project."""

import pickle
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skda.base import BaseRetriever
from skda.metrics import mean_average_precision_score
from skda.preprocessing import PerView
from skda.retrieval import MCCA, RidgeCCA


class Keeper(BaseRetriever):
    """Remembers what it was given, and embeds the first columns."""

    _parameter_constraints: ClassVar[dict] = {
        **BaseRetriever._parameter_constraints,
        "width": [int],
    }

    def __init__(
        self, *, width=2, views=None, shared_transformer=None, scaling="feature"
    ):
        self.width = width
        self.views = views
        self.shared_transformer = shared_transformer
        self.scaling = scaling

    def fit_views(self, source, target):
        self.seen_ = source, target

    def embed_rows(self, X, view):
        return X[:, : self.width]


def test_both_parts_reach_the_method(toy_pairs):
    views, y = toy_pairs.source

    source, target = Keeper(scaling=None).fit(toy_pairs.views, source=(views, y)).seen_

    np.testing.assert_allclose(source.views["image"], views["image"])
    np.testing.assert_allclose(target.views["text"], toy_pairs.views["text"])
    assert source.labels.values.tolist() == y.tolist()
    assert not target.labels.known.any()


def test_features_are_standardized_over_both_parts(toy_pairs):
    source, target = Keeper().fit(toy_pairs.views, source=toy_pairs.source).seen_

    both = source.stack(target).views["image"]

    np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(both.std(axis=0), 1)


def test_a_view_may_be_standardized_as_a_whole(toy_pairs):
    _, target = Keeper(scaling="view").fit(toy_pairs.views).seen_
    X = toy_pairs.views["image"]
    centered = X - X.mean(axis=0)

    np.testing.assert_allclose(target.views["image"], centered / centered.std())


def test_constant_features_are_only_centered():
    views = {"a": np.full((4, 2), 0.1), "b": np.eye(4)}

    _, target = Keeper().fit(views).seen_

    np.testing.assert_allclose(target.views["a"], 0, atol=1e-12)


def test_mappings_lists_and_arrays_agree(toy_pairs):
    views = toy_pairs.views
    array = np.hstack(list(views.values()))
    cuts = {"image": slice(0, 9), "text": slice(9, 16)}

    mapping = Keeper().fit(views).transform(views)
    sequence = Keeper().fit(list(views.values())).transform(list(views.values()))
    joined = Keeper(views=cuts).fit(array)

    assert [rows.dtype for rows in mapping.values()] == [np.float32] * 2
    for rows, same in zip(mapping.values(), sequence, strict=True):
        np.testing.assert_array_equal(rows, same)
    np.testing.assert_array_equal(joined.transform(array), np.hstack(sequence))
    assert joined.get_feature_names_out().tolist() == [f"keeper{i}" for i in range(4)]
    assert joined.score(array, toy_pairs.y) == Keeper().fit(views).score(
        views, toy_pairs.y
    )


def test_lists_take_the_names_of_the_parameter(toy_pairs):
    names = {"image": slice(0), "text": slice(0)}

    keeper = Keeper(views=names).fit(list(toy_pairs.views.values()))

    assert keeper.views_ == ("image", "text")
    assert keeper.transform({"text": toy_pairs.test["text"]}).keys() == {"text"}


def test_any_part_of_the_views_may_be_embedded(toy_pairs):
    keeper = Keeper().fit(toy_pairs.views)
    image, text = toy_pairs.test["image"], toy_pairs.test["text"][:5]

    embedded = keeper.transform({"text": text, "image": image})

    assert {name: len(rows) for name, rows in embedded.items()} == {
        "image": len(image),
        "text": 5,
    }


def test_retrieve_ranks_by_cosine(toy_pairs):
    cca = RidgeCCA().fit(toy_pairs.views)
    text, image = toy_pairs.test["text"][:7], toy_pairs.test["image"]
    Q, G = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (
            *cca.transform({"text": text}).values(),
            *cca.transform({"image": image}).values(),
        )
    )

    indices, similarities = cca.retrieve({"text": text}, {"image": image}, 4)

    np.testing.assert_allclose(
        similarities, -np.sort(-Q @ G.T, axis=1)[:, :4], atol=1e-6
    )
    np.testing.assert_array_equal(indices[:, 0], (Q @ G.T).argmax(axis=1))


def test_query_expansion_looks_again(toy_pairs):
    cca = RidgeCCA().fit(toy_pairs.views)
    query, gallery = (
        {"text": toy_pairs.test["text"]},
        {"image": toy_pairs.test["image"]},
    )

    def hits(**how):
        indices, _ = cca.retrieve(query, gallery, 20, **how)
        return (toy_pairs.y_test[indices] == toy_pairs.y_test[:, None]).mean()

    assert hits(n_expansions=10) > hits()


def test_score_is_the_mean_over_directions(toy_pairs):
    cca = RidgeCCA().fit(toy_pairs.views)
    E, y = cca.transform(toy_pairs.test), toy_pairs.y_test
    both = [
        mean_average_precision_score(y, y, E[query], E[gallery])
        for query, gallery in (("image", "text"), ("text", "image"))
    ]

    assert cca.score(toy_pairs.test, y) == pytest.approx(np.mean(both))


def test_unlabeled_pairs_do_not_count(toy_pairs):
    cca, y = RidgeCCA().fit(toy_pairs.views), toy_pairs.y_test.copy()
    y[:30] = -1
    rest = {name: rows[30:] for name, rows in toy_pairs.test.items()}

    assert cca.score(toy_pairs.test, y) == pytest.approx(cca.score(rest, y[30:]))


@pytest.mark.parametrize("together", [True, False])
def test_grid_search_splits_pairs_and_leaves_the_source_whole(toy_pairs, together):
    X = SliceDict(**toy_pairs.views)
    views = None
    source = toy_pairs.source
    if together:
        views = {"image": slice(0, 9), "text": slice(9, 16)}
        X = np.hstack(list(X.values()))
        source = np.hstack(list(source[0].values())), source[1]
    grid = {"source_weight": [0.0, 0.5]}

    search = GridSearchCV(RidgeCCA(views=views), grid, cv=3)
    search.fit(X, toy_pairs.y, source=(source[0], source[1]))

    assert search.best_score_ > 0.5
    assert len(search.best_estimator_.classes_) == 6


def test_pipelines_prepare_views(toy_pairs):
    pipe = make_pipeline(PerView({"image": PCA(4)}), MCCA())

    scores = cross_validate(pipe, SliceDict(**toy_pairs.views), toy_pairs.y, cv=3)

    assert scores["test_score"].min() > 0.5
    assert pipe.fit(toy_pairs.views)[-1].view_widths_ == {"image": 4, "text": 7}


def test_shared_transformer_is_fitted_on_both_parts(toy_pairs):
    keeper = Keeper(shared_transformer=StandardScaler(), scaling=None)

    source, target = keeper.fit(toy_pairs.views, source=toy_pairs.source).seen_

    assert source.stack(target).views["image"].std() == pytest.approx(1)
    new = toy_pairs.test["image"]
    stack = np.vstack([toy_pairs.source[0]["image"], toy_pairs.views["image"]])
    np.testing.assert_allclose(
        keeper.transform({"image": new})["image"],
        StandardScaler().fit(stack).transform(new)[:, :2],
        rtol=1e-5,
    )


def test_documents_are_a_view_if_something_counts_them():
    views = {"text": ["a cat", "a dog", "the cat"], "image": np.eye(3)}
    count = PerView({"text": CountVectorizer()})

    keeper = Keeper(shared_transformer=count).fit(views, source=(views, [0, 1, 0]))

    assert keeper.view_widths_ == {"text": 3, "image": 3}
    assert keeper.transform({"text": ["dog"]})["text"].shape == (1, 2)


def test_frames_are_cut_by_column_names():
    frame = pd.DataFrame(np.eye(6), columns=list("abcdef"))
    cuts = {"image": ["a", "c"], "text": ["f", "b"]}

    _, target = Keeper(views=cuts, scaling=None).fit(frame).seen_

    np.testing.assert_array_equal(target.views["text"], frame[["f", "b"]])


def test_fitted_retrievers_pickle(toy_pairs):
    cca = RidgeCCA(n_relays=3).fit(toy_pairs.views)

    again = pickle.loads(pickle.dumps(cca))  # noqa: S301

    assert again.score(toy_pairs.test, toy_pairs.y_test) == cca.score(
        toy_pairs.test, toy_pairs.y_test
    )


def test_an_estimator_fitted_again_forgets_the_first_data(toy_pairs):
    keeper = Keeper().fit(np.ones((4, 6)))

    keeper.fit(toy_pairs.views)

    assert keeper.n_features_in_ == 16
    assert keeper.views_ == ("image", "text")


def _bad(toy_pairs):
    views, y = toy_pairs.views, toy_pairs.y
    image, text = views.values()
    known, y_known = toy_pairs.source
    short = {"image": image, "text": text[:5]}
    other = {"image": known["image"], "audio": known["text"]}
    nan = np.where(np.arange(7) == 3, np.nan, text)
    return {
        "lengths": (short, None, None, "Expected paired views, with as many rows in"),
        "one view": ({"image": image}, None, None, "at least two views, got"),
        "labels": (views, y[:5], None, "inconsistent numbers of samples"),
        "source names": (
            views,
            None,
            (other, y_known),
            r"views \['image', 'text'\], g",
        ),
        "source part": (views, None, ({"image": image}, y), r"Expected the views"),
        "source form": (views, None, [known, y_known], "a tuple of two"),
        "source labels": (
            views,
            None,
            (known, -np.ones_like(y_known)),
            "every label of it",
        ),
        "both": (
            views,
            y,
            (known, np.where(y_known == 0, 3, y_known)),
            r"\[3\] are in",
        ),
        "nan": ({"image": image, "text": nan}, None, None, "view 'text' contains NaN"),
        "one pair": (
            {"image": image[:1], "text": text[:1]},
            None,
            None,
            "least two pairs in X, got 1",
        ),
    }


@pytest.mark.parametrize(
    "case",
    [
        "lengths",
        "one view",
        "labels",
        "source names",
        "source part",
        "source form",
        "source labels",
        "both",
        "nan",
        "one pair",
    ],
)
def test_bad_input_is_explained(toy_pairs, case):
    views, y, source, message = _bad(toy_pairs)[case]

    with pytest.raises((ValueError, TypeError), match=message):
        Keeper().fit(views, y, source=source)


def test_new_rows_must_have_known_views_and_widths(toy_pairs):
    keeper = Keeper().fit(toy_pairs.views)
    text = toy_pairs.test["text"]

    with pytest.raises(ValueError, match=r"views \['image', 'text'\], got \['audio'\]"):
        keeper.transform({"audio": text})
    with pytest.raises(ValueError, match="View 'image' has 7 features, but Keeper is"):
        keeper.transform({"image": text})
    with pytest.raises(
        ValueError, match=r"one view, such as .* got \['image', 'text'\]"
    ):
        keeper.retrieve(toy_pairs.test, {"text": text})
    with pytest.raises(ValueError, match=r"gallery to be a mapping .* got ndarray"):
        keeper.retrieve({"text": text}, text)
    with pytest.raises(ValueError, match="as many rows in each"):
        keeper.score(toy_pairs.test | {"text": text[:4]}, toy_pairs.y_test)
