"""Tests of `skda.compare_retrieval`: which categories are new, and who sees what."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda import compare_retrieval
from skda.comparison._lineups import choose_retrievers, default_methods, settings_of
from skda.comparison._preprocessing import prepared
from skda.comparison._retrieval import SETTINGS, Retrieval, retrieval_row
from skda.comparison._splits import category_splits
from skda.datasets import load_pairs
from skda.metrics import chance_average_precision, mean_average_precision_score
from skda.preprocessing import PerView
from skda.retrieval import (
    DADN,
    DCCA,
    DMTL,
    GMLDA,
    MCCA,
    PLS,
    ClusterRetrieval,
    RidgeCCA,
)
from skda.utils.warnings import NoSourceWarning, warn_user

DATA_HOME = os.environ.get("SKDA_DATA")


class Recorder(BaseEstimator):
    """Writes down what it is fitted with, and embeds rows as they are."""

    __metadata_request__fit = {"source": True}  # noqa: RUF012
    log = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None, *, source=None):
        if source is None and y is None:
            warn_user("Recorder is fitted without a source.", NoSourceWarning)
        rows = {name: np.ravel(view[:, 0]).astype(int) for name, view in X.items()}
        assert_array_equal(rows["a"], rows["b"])
        self.log.append(
            {"rows": rows["a"], "y": y, "source": source, "seed": self.random_state}
        )
        self.fitted_ = True
        return self

    def transform(self, X):
        return {name: view[:, 1:] for name, view in X.items()}


def _fit(estimator, setting, views, y, split):
    return Retrieval(views, y).fit(retrieval_row("it", setting, estimator), split)


def _scores(estimator, setting, views, y, split):
    row = retrieval_row("it", setting, estimator)
    return Retrieval(views, y).evaluate(row, split).scores


@pytest.fixture
def log():
    """The fits of every Recorder, in order."""
    Recorder.log.clear()
    return Recorder.log


@pytest.fixture(scope="module")
def data():
    """Five categories in two views, whose first column numbers the rows."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 5
    latent = rng.normal(size=(5, 4))[y] + 0.5 * rng.normal(size=(200, 4))
    number = np.arange(200)[:, None]
    views = {
        "a": np.hstack([number, latent @ rng.normal(size=(4, 6))]),
        "b": np.hstack([number, latent @ rng.normal(size=(4, 6))]),
    }
    return views, y


# The splits


HALVES = [(4, 2), (5, 2), (7, 3), (10, 5)]


def test_the_smaller_half_of_the_categories_is_known():
    for n_categories, n_known in HALVES:
        y = np.arange(20 * n_categories) % n_categories
        for split in category_splits(y, 4):
            known, new, test = (set(y[rows]) for rows in split[:3])

            assert len(known) == n_known
            assert len(new) == n_categories - n_known
            assert not known & new
            assert test == new


def test_a_share_of_every_category_is_for_tests():
    y = np.repeat([0, 1, 2, 3], [8, 16, 24, 32])
    (split,) = category_splits(y, 1, test_size=0.25)
    test, new = (np.bincount(y[rows], minlength=4) for rows in (split.test, split.new))
    known = np.bincount(y[split.source], minlength=4)

    assert_array_equal(test[test > 0], np.array([2, 4, 6, 8])[test > 0])
    assert_array_equal(new, 3 * test)
    assert_array_equal(known[known > 0], np.array([6, 12, 18, 24])[known > 0])


def test_test_rows_of_the_data_set_are_kept_for_tests():
    y = np.arange(80) % 4
    mask = np.arange(80) >= 60
    for split in category_splits(y, 3, test=mask):
        assert split.test.min() >= 60
        assert max(split.source.max(), split.new.max()) < 60
        assert len(split.test) == 10
        assert len(split.source) == len(split.new) == 30


def test_rows_without_a_category_are_left_out():
    y = np.array(["ant", "bee", "cat", "dog", None] * 8, dtype=object)
    (split,) = category_splits(y, 1)

    assert None not in set(y[np.concatenate(split[:3])])


def test_more_splits_begin_with_those_of_fewer_and_the_seed_decides():
    y = np.arange(60) % 6
    few, many, other = (
        category_splits(y, n, random_state=seed) for n, seed in ((2, 0), (4, 0), (2, 1))
    )

    for one, same in zip(few, many, strict=False):
        assert_array_equal(np.concatenate(one[:3]), np.concatenate(same[:3]))
        assert one.seed == same.seed
    assert few[0].seed != few[1].seed
    assert few[0].seed != other[0].seed


NO_SPLITS = [
    (np.arange(30) % 3, {}, "at least 4 categories, .* got 3"),
    (np.arange(30) % 5, {"n_splits": 0}, "n_splits to be at least 1, got 0"),
    (np.arange(30) % 5, {"test_size": 1.0}, "test_size between 0 and 1, got 1.0"),
    (np.arange(30) % 5, {"test": [True]}, r"30 booleans, .* got an array of shape"),
    (
        np.arange(30) % 5,
        {"test": np.arange(30)},
        "a mask of 30 booleans, .* type int64",
    ),
    (
        np.arange(30) % 5,
        {"test": np.zeros(30, dtype=bool)},
        "two pairs of new categories to test on, got 0",
    ),
    (
        np.arange(30) % 5,
        {"test": np.ones(30, dtype=bool)},
        "two pairs of known categories to train on, got 0",
    ),
    (np.arange(5), {}, "two pairs of new categories to test on, got 0"),
]


def test_splits_that_make_no_comparison_are_errors():
    for y, options, message in NO_SPLITS:
        with pytest.raises(ValueError, match=message):
            category_splits(y, **({"n_splits": 1} | options))


# The settings


def test_no_category_of_a_new_pair_is_shown(data, log):
    views, y = data
    (split,) = category_splits(y, 1)
    for setting in SETTINGS:
        _fit(Recorder(), setting, views, y, split)
    source, both, pairs, new = log
    views_known, y_known = both["source"]

    assert_array_equal(source["rows"], split.source)
    assert_array_equal(source["y"], y[split.source])
    assert_array_equal(both["rows"], split.new)
    assert_array_equal(views_known["a"][:, 0], split.source)
    assert_array_equal(y_known, y[split.source])
    assert_array_equal(pairs["rows"], np.concatenate([split.source, split.new]))
    assert_array_equal(new["rows"], split.new)
    assert both["y"] is pairs["y"] is new["y"] is None
    assert source["source"] is pairs["source"] is new["source"] is None
    assert {fit["seed"] for fit in log} == {split.seed}


def test_scores_are_those_of_the_test_rows(data):
    views, y = data
    (split,) = category_splits(y, 1)
    scores = _scores(Recorder(), "new", views, y, split)
    a, b = (view[split.test, 1:] for view in views.values())
    y_test = y[split.test]
    there = mean_average_precision_score(y_test, y_test, a, b)
    back = mean_average_precision_score(y_test, y_test, b, a)

    assert scores == {
        "a -> b": there,
        "b -> a": back,
        "mAP": pytest.approx((there + back) / 2),
        "chance": chance_average_precision(y_test, y_test),
    }


def test_pipelines_hand_the_source_on(data, log):
    views, y = data
    (split,) = category_splits(y, 1)
    pipeline = make_pipeline(PerView(StandardScaler()), RidgeCCA())
    bare = _scores(RidgeCCA(), "source + new", views, y, split)
    piped = _scores(pipeline, "source + new", views, y, split)

    assert settings_of(pipeline) == settings_of(RidgeCCA())
    assert piped["mAP"] != bare["mAP"]  # the step saw the new pairs alone


def test_unknown_settings_are_errors(data):
    views, y = data
    with pytest.raises(ValueError, match=r"a setting out of .*, got target"):
        _fit(Recorder(), "target", views, y, category_splits(y, 1)[0])


SENSIBLE = [
    (PLS(), ("source", "pairs", "new")),
    (DCCA(), ("source", "pairs", "new")),
    (GMLDA(), ("source",)),
    (DADN(), ("source",)),
    (DMTL(), ("source", "source + new", "new")),
    (Recorder(), ("source", "source + new", "new")),
]


def test_methods_have_the_settings_that_make_sense():
    for method, settings in SENSIBLE:
        assert settings_of(method) == settings


# The table


def test_the_table_has_all_settings_and_the_chance_level(data):
    views, y = data
    table = compare_retrieval(
        views, y, methods=["PLS", "gmlda", RidgeCCA()], n_splits=3
    )
    splits = category_splits(y, 3)
    expected = [
        _scores(RidgeCCA(), "source + new", views, y, split) for split in splits
    ]
    row = table.query("method == 'RidgeCCA' and setting == 'source + new'").iloc[0]

    assert list(zip(table["method"], table["setting"], strict=True)) == [
        ("PLS", "source"),
        ("PLS", "pairs"),
        ("PLS", "new"),
        ("GMLDA", "source"),
        ("RidgeCCA", "source"),
        ("RidgeCCA", "source + new"),
        ("RidgeCCA", "new"),
        ("chance", "-"),
    ]
    assert row["mAPs"] == pytest.approx([scores["mAP"] for scores in expected])
    assert row["mAP"] == pytest.approx(np.mean(row["mAPs"]))
    assert row["std"] == pytest.approx(np.std(row["mAPs"], ddof=1))
    assert row["a -> b"] == pytest.approx(np.mean([s["a -> b"] for s in expected]))
    assert table["mAPs"].iloc[-1] == pytest.approx([s["chance"] for s in expected])
    assert (table["n_splits"] == 3).all()


def test_differences_are_paired_and_to_the_new_pairs_alone(data):
    views, y = data
    table = compare_retrieval(views, y, methods=["PLS", "RidgeCCA"], n_splits=3)
    by_row = table.set_index(["method", "setting"])
    reference = np.array(by_row.loc[("RidgeCCA", "new"), "mAPs"])
    pls = by_row.loc[("PLS", "pairs")]
    differences = np.array(pls["mAPs"]) - reference

    assert pls["difference"] == pytest.approx(differences.mean())
    assert pls["standard_error"] == pytest.approx(differences.std(ddof=1) / 3**0.5)
    assert by_row.loc[("RidgeCCA", "new"), "difference"] == 0


def test_the_reference_is_there_even_if_not_asked_for(data):
    views, y = data
    table = compare_retrieval(views, y, methods={"mine": PLS()}, n_splits=1)

    assert list(table["method"]) == ["mine"] * 3 + ["RidgeCCA", "chance"]
    assert table["setting"].iloc[-2] == "new"
    assert table["std"].isna().all()
    assert table["standard_error"].isna().all()


def test_more_than_two_views_have_a_line_up_of_their_own(data):
    views, y = data
    three = views | {"c": views["a"] + 1}
    table = compare_retrieval(three, y, methods=["MvDA"], n_splits=1)

    assert "RidgeCCA" in default_methods(2)
    assert list(default_methods(3)) == ["MCCA", "MvDA", "GMLDA", "small DMTL"]
    assert list(table["method"]) == ["MvDA", "MCCA", "chance"]
    assert {"a -> c", "c -> b"} <= set(table.columns)


def test_names_frames_and_sparse_matrices_change_nothing(data):
    views, y = data
    names = np.array(["ant", "bee", "cat", "dog", "eel"], dtype=object)[y]
    forms = {"a": pd.DataFrame(views["a"]).add_prefix("x"), "b": csr_array(views["b"])}
    plain, other = (
        compare_retrieval(X, labels, methods=["RidgeCCA"], n_splits=2)
        for X, labels in ((views, y), (forms, pd.Series(names)))
    )

    assert_allclose(other["mAP"], plain["mAP"])


def test_the_seed_decides_about_everything_and_jobs_about_nothing(data):
    views, y = data
    methods = [ClusterRetrieval(), DMTL(max_epochs=2, hidden_layer_sizes=(8,))]
    first, again, other = (
        compare_retrieval(
            views, y, methods=methods, n_splits=2, random_state=seed, n_jobs=n_jobs
        )["mAP"]
        for seed, n_jobs in ((0, 1), (0, 2), (1, 1))
    )

    assert_allclose(again, first, rtol=1e-6)
    assert not np.allclose(first, other)


def test_progress_is_told_if_asked_for(data, capsys):
    compare_retrieval(*data, methods=["PLS"], n_splits=1, verbose=1)

    assert "PLS, pairs" in capsys.readouterr().err


# Preprocessing


def _transformer(views, y, **options):
    method, splits = RidgeCCA(), category_splits(y, 2)
    given = {"shared_transformer": "auto", "scaling": "auto"} | options
    ((_, ready),) = prepared([("cca", method)], views, splits, **given)
    assert method.shared_transformer is None  # its own is left alone
    return ready


def test_views_of_few_features_are_left_to_the_methods(data):
    ready = _transformer(*data)

    assert ready.shared_transformer is None
    assert ready.scaling == "feature"


def test_wide_views_are_reduced_by_what_they_are(data):
    views, y = data
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(200, 170))
    counts = (rng.random((200, 170)) < 0.1).astype(float)
    wide = {"a": dense, "b": counts, "c": csr_array(counts), "d": views["a"]}
    ready = _transformer(wide, y)
    steps = ready.shared_transformer.transformers
    fewest = min(len(rows) for s in category_splits(y, 2) for rows in s[:2])

    assert [type(steps[name][0]).__name__ for name in "abc"] == [
        "StandardScaler",
        "Normalizer",
        "Normalizer",
    ]
    assert steps["a"][-1].n_components == fewest
    assert isinstance(steps["d"], StandardScaler)
    assert ready.scaling == "view"
    table = compare_retrieval(
        {k: wide[k] for k in "bc"}, y, n_splits=1, methods=["PLS"]
    )
    assert table["mAP"].notna().all()


def test_a_transformer_and_a_scaling_of_ours_are_taken(data):
    ready = _transformer(*data, shared_transformer=PCA(2), scaling=None)

    assert isinstance(ready.shared_transformer, PCA)
    assert ready.scaling is None
    assert _transformer(*data, shared_transformer=None).shared_transformer is None


# Mistakes


NO_PAIRS = [
    ({"a": np.ones((8, 2))}, r"two views or more by name, .* got \['a'\]"),
    ([np.ones((8, 2))] * 2, "two views or more by name, .* got list"),
    ({"a": np.ones((8, 2)), "b": np.ones((7, 2))}, "as many rows in each"),
]


def test_views_that_are_no_pairs_are_errors():
    for views, message in NO_PAIRS:
        with pytest.raises(ValueError, match=message):
            compare_retrieval(views, np.arange(8) % 4)


NO_METHODS = [
    ([], ValueError, "Expected methods to compare, got none"),
    (["Wonder"], ValueError, "methods among .*RidgeCCA.*, got 'Wonder'"),
    (["GalleryIndex"], ValueError, "methods among .*, got 'GalleryIndex'"),
    ([PCA], TypeError, r"Expected a retriever, got the class PCA: pass PCA\(\)"),
    (
        {"x": 3},
        TypeError,
        "with fit, transform, .* got 3 as 'x', which lacks fit",
    ),
]


def test_methods_that_are_none_are_errors(data):
    for methods, error, message in NO_METHODS:
        with pytest.raises(error, match=message):
            compare_retrieval(*data, methods=methods)


def test_labels_of_another_length_are_an_error(data):
    views, y = data
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        compare_retrieval(views, y[:-1])


def test_an_error_inside_says_whose_it_is(data):
    views, y = data
    three = views | {"c": views["a"]}
    with pytest.raises(ValueError, match="two views") as caught:
        compare_retrieval(three, y, methods=["PLS"], n_splits=1)

    assert "While comparing PLS, source." in caught.value.__notes__


def test_the_control_without_a_source_is_silent(data):
    views, y = data
    (split,) = category_splits(y, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _fit(Recorder(), "new", views, y, split)


def test_methods_are_found_by_name_in_any_case():
    (_, mcca), (name, dmtl) = choose_retrievers(["mcca", "DMTL"], 2)
    ((_, small),) = choose_retrievers("small dmtl", 2)

    assert isinstance(mcca, MCCA)
    assert name == "DMTL"
    assert dmtl.get_params() == DMTL().get_params()
    assert small.hidden_layer_sizes == (128, 128)


@pytest.mark.skipif(
    not DATA_HOME or not Path(DATA_HOME, "wikipedia.npz").is_file(),
    reason="needs wikipedia.npz in the folder SKDA_DATA",
)
def test_clusters_beat_the_reference_on_wikipedia():
    task = load_pairs("wikipedia")
    table = compare_retrieval(
        task.views, task.y, test=task.test, methods=["ClusterRetrieval"], n_splits=3
    ).set_index(["method", "setting"])
    row = table.loc[("ClusterRetrieval", "source + new")]

    assert row["difference"] > 2 * row["standard_error"] > 0
    assert 0.2 < table.loc[("chance", "-"), "mAP"] < 0.26
