"""Tests of `skda.base`: what every network estimator does with its data."""

import pickle
import random
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

from skda.heterogeneous import SSAN, STN
from skda.training import Phase
from skda.utils.labels import UNLABELED
from skda.utils.warnings import NoSourceWarning


@pytest.fixture
def make_clf():
    """Build a classifier that fits at once."""

    def make(**params):
        defaults = {
            "n_components": 32,
            "n_neighbors": None,
            "batch_size": 128,
            "max_epochs": 3,
            "lr": 0.01,
            "random_state": 0,
            "device": "cpu",
        }
        return STN(**(defaults | params))

    return make


@pytest.fixture
def routing():
    """Switch metadata routing on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# Extensions


def test_phases_are_extended_inside_the_block_alone(toy, make_clf):
    def rename(module, phases, domains):
        return [phase._replace(phase="extended") for phase in phases]

    def phases(clf):
        return set(clf.fit(toy.X, toy.y, source=toy.source).history_["phase"])

    clf = make_clf()
    with clf.extended(rename):
        inside = phases(clf)
        with pytest.warns(NoSourceWarning):
            alone = set(clf.fit(toy.X, toy.y).history_["phase"])
    with pytest.raises(RuntimeError), clf.extended(rename):
        raise RuntimeError

    assert inside == {"extended"}
    assert alone == phases(clf) == {"train"}


# Reproducibility


def test_same_seed_same_bits(toy, make_clf):
    first, second = (
        make_clf().fit(toy.X, toy.y, source=toy.source).predict_proba(toy.X)
        for _ in range(2)
    )
    other = make_clf(random_state=1).fit(toy.X, toy.y, source=toy.source)

    assert_array_equal(first, second)
    assert not np.array_equal(first, other.predict_proba(toy.X))


def test_leaves_the_global_generators_alone(toy, make_clf):
    def states():
        _, keys, *rest = np.random.get_state()  # noqa: NPY002
        return torch.get_rng_state().tolist(), keys.tolist(), rest, random.getstate()

    before = states()
    make_clf().fit(toy.X, toy.y, source=toy.source)

    assert states() == before


def test_fit_changes_neither_the_arguments_nor_the_parameters(toy, make_clf):
    arguments = toy.X.copy(), toy.y.copy(), toy.source[0].copy(), toy.source[1].copy()
    stop = EarlyStopping("alignment", patience=1, sink=lambda _: None)
    before = dict(vars(stop))
    scaler = StandardScaler()
    clf = make_clf(
        callbacks=[stop], source_transformer=scaler, target_transformer=scaler
    )
    clf.fit(toy.X, toy.y, source=toy.source)

    assert vars(stop) == before
    assert not hasattr(scaler, "mean_")
    for argument, copy in zip((toy.X, toy.y, *toy.source), arguments, strict=True):
        assert_array_equal(argument, copy)


# Labels


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
def test_string_labels_may_be_missing(toy, make_clf, missing, container):
    names = np.array(["ant", "bee", "cat"], dtype=object)
    y = container(np.where(toy.y == UNLABELED, missing, names[toy.y]))
    source = toy.source[0], names[toy.source[1]]
    by_number = make_clf().fit(toy.X, toy.y, source=toy.source)
    by_name = make_clf().fit(toy.X, y, source=source)

    assert_array_equal(by_name.classes_, names)
    assert_array_equal(by_name.predict(toy.X), names[by_number.predict(toy.X)])


@pytest.mark.parametrize("dtype", [float, object, "Int64"])
def test_numbers_may_be_missing_and_stay_whole(toy, make_clf, dtype):
    y = pd.Series(toy.y).astype(dtype).where(toy.y != UNLABELED, None)
    usual = make_clf().fit(toy.X, toy.y, source=toy.source)

    clf = make_clf().fit(toy.X, y, source=toy.source)

    assert clf.classes_.dtype.kind == "i"
    assert_array_equal(clf.predict(toy.X), usual.predict(toy.X))


def test_minus_one_is_no_class(toy, make_clf):
    y = np.where(toy.y_true == 0, 1, -1)
    with pytest.raises(ValueError, match=r"recode them as \{0, 1\}"):
        make_clf().fit(toy.X, y, source=(toy.source[0], np.full(300, -1)))


def test_score_counts_labeled_samples_only(toy, make_clf):
    clf = make_clf().fit(toy.X, toy.y, source=toy.source)
    known = toy.y != UNLABELED

    assert clf.score(toy.X, toy.y) == clf.score(toy.X[known], toy.y[known])
    with pytest.raises(ValueError, match="nothing to score"):
        clf.score(toy.X, np.full_like(toy.y, UNLABELED))


@pytest.mark.filterwarnings("ignore:.* got no label of the target:UserWarning")
def test_source_rows_may_be_unlabeled_too(toy, make_clf):
    X_source, y_source = toy.source
    y_partly = np.where(np.arange(len(y_source)) % 2, y_source, UNLABELED)

    with pytest.warns(UserWarning, match="leaves out 150 unlabeled source samples"):
        drawn = make_clf().fit(toy.X, source=(X_source, y_partly))
    whole = make_clf(source_per_class=None).fit(toy.X, source=(X_source, y_partly))

    assert_array_equal(drawn.classes_, [0, 1, 2])
    assert_array_equal(whole.classes_, [0, 1, 2])


def test_a_source_without_any_label_still_shows_where_its_rows_lie(toy, make_clf):
    source = toy.source[0], np.full(300, UNLABELED)
    clf = make_clf().fit(toy.X, toy.y, source=source)

    assert np.isfinite(clf.predict_proba(toy.X)).all()


@pytest.mark.parametrize("with_source", [False, True])
def test_no_label_at_all_is_an_error(toy, make_clf, with_source):
    y = np.full_like(toy.y, UNLABELED)
    source = (toy.source[0], y) if with_source else None
    with pytest.raises(
        ValueError, match=r"label some (target )?samples, or pass source="
    ):
        make_clf().fit(toy.X, y, source=source)


def test_neither_labels_nor_a_source_is_an_error(toy, make_clf):
    with pytest.raises(ValueError, match=r"or pass source=\(X_source, y_source\)"):
        make_clf().fit(toy.X)


def test_names_and_numbers_do_not_mix(toy, make_clf):
    source = toy.source[0], toy.source[1].astype(str)
    with pytest.raises(ValueError, match="Mix of label input types"):
        make_clf().fit(toy.X, toy.y, source=source)


def test_a_class_without_labels_is_named(toy, make_clf):
    y = np.where(toy.y == 2, UNLABELED, toy.y)
    with pytest.warns(UserWarning, match="No target sample is labeled 2") as record:
        make_clf().fit(toy.X, y, source=toy.source)

    assert record[0].filename == __file__


def test_transduction_keeps_what_was_given_and_predicts_the_rest(toy, make_clf):
    clf = make_clf().fit(toy.X, toy.y, source=toy.source)
    given = toy.y != UNLABELED

    assert_array_equal(clf.transduction_[given], toy.y[given])
    assert_array_equal(clf.transduction_[~given], clf.predict(toy.X)[~given])


# The source


def test_without_a_source_it_says_so_and_learns_from_the_target(toy, make_clf):
    with pytest.warns(NoSourceWarning, match="without a source") as record:
        clf = make_clf(max_epochs=50).fit(toy.X, toy.y)

    assert record[0].filename == __file__
    assert clf.score(toy.X, toy.y_true) > 0.6
    assert set(clf.history_) == {
        "epoch",
        "phase",
        "risk",
        "alignment",
        "decay",
        "train_loss",
    }
    with pytest.raises(ValueError, match="was fitted without a source"):
        clf.predict(toy.source[0], domain="source")


def test_the_source_is_one_tuple(toy, make_clf):
    with pytest.raises(TypeError, match=r"Expected source=\(X_source, y_source\)"):
        make_clf().fit(toy.X, toy.y, source=list(toy.source))


def test_both_domains_are_predicted_and_transformed(toy, make_clf):
    clf = make_clf(max_epochs=30).fit(toy.X, toy.y, source=toy.source)
    X_source, y_source = toy.source

    assert clf.score(X_source, y_source, domain="source") > 0.8
    assert clf.predict_proba(X_source, domain="source").shape == (300, 3)
    assert clf.transform(X_source, domain="source").shape == (300, 32)
    with pytest.raises(
        ValueError, match=r"X has 9 features, but the source of .* is expecting 6"
    ):
        clf.predict(toy.X, domain="source")
    with pytest.raises(ValueError, match="domain must be 'target' or 'source'"):
        clf.predict(toy.X, domain="elsewhere")


def test_source_transformer_acts_on_the_source_alone(toy, make_clf):
    X_source, y_source = toy.source
    pca = PCA(n_components=4)
    inside = make_clf(source_transformer=pca).fit(toy.X, toy.y, source=toy.source)
    outside = make_clf().fit(
        toy.X, toy.y, source=(clone(pca).fit_transform(X_source), y_source)
    )

    assert_array_equal(inside.predict_proba(toy.X), outside.predict_proba(toy.X))
    assert inside.transform(X_source, domain="source").shape == (300, 32)


def test_target_transformer_acts_on_the_target_alone(toy, make_clf):
    pca = PCA(n_components=4)
    inside = make_clf(target_transformer=pca).fit(toy.X, toy.y, source=toy.source)
    outside = make_pipeline(pca, make_clf())
    outside.fit(toy.X, toy.y, stn__source=toy.source)

    assert_array_equal(inside.predict(toy.X), outside.predict(toy.X))
    assert inside.n_features_in_ == 9
    with pytest.raises(ValueError, match="expecting 9 features"):
        inside.predict(toy.X[:, :4])


def test_transform_speaks_pandas(toy, make_clf):
    clf = make_clf(n_components=2).fit(toy.X, toy.y, source=toy.source)
    latent = clf.set_output(transform="pandas").transform(toy.X)

    assert list(latent) == list(clf.get_feature_names_out())


@pytest.mark.parametrize("flaw", ["read-only", "backwards"])
def test_arrays_that_torch_refuses_are_welcome(toy, make_clf, flaw):
    X = toy.X.astype(np.float32)
    if flaw == "read-only":
        X.flags.writeable = False
    else:
        X = X[::-1].copy()[::-1]
    usual, unusual = (
        make_clf().fit(data, toy.y, source=toy.source).predict_proba(data)
        for data in (toy.X.astype(np.float32), X)
    )

    assert_array_equal(usual, unusual)


# The rest of scikit-learn


def _as_long_as_the_target(toy):
    assert len(toy.source[0]) == len(toy.X)
    return toy.source


def test_grid_search_leaves_the_source_whole(toy, make_clf):
    grid = {"source_transformer__n_components": [2, 4]}
    clf = make_clf(source_transformer=PCA())
    search = GridSearchCV(clf, grid, cv=3, error_score="raise")

    search.fit(toy.X, toy.y_true, source=_as_long_as_the_target(toy))

    assert search.best_params_["source_transformer__n_components"] in (2, 4)


def test_cross_validation_leaves_the_source_whole(toy, make_clf):
    result = cross_validate(
        make_clf(),
        toy.X,
        toy.y_true,
        cv=3,
        params={"source": _as_long_as_the_target(toy)},
        return_estimator=True,
    )

    assert np.isfinite(result["test_score"]).all()
    for clf in result["estimator"]:
        assert clf.n_features_in_source_ == 6


def test_pipeline_takes_the_source_by_step(toy, make_clf):
    pipeline = make_pipeline(StandardScaler(), make_clf())

    pipeline.fit(toy.X, toy.y, stn__source=toy.source)

    assert pipeline.predict(toy.X).shape == (300,)


@pytest.mark.usefixtures("routing")
def test_routing_needs_no_request(toy, make_clf):
    pipeline = make_pipeline(StandardScaler(), make_clf())
    grid = {"stn__n_components": [4, 8]}
    source = _as_long_as_the_target(toy)

    pipeline.fit(toy.X, toy.y, source=source)
    GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(
        toy.X, toy.y_true, source=source
    )
    result = cross_validate(
        pipeline, toy.X, toy.y_true, cv=3, params={"source": source}
    )

    assert np.isfinite(result["test_score"]).all()


def test_a_fitted_estimator_survives_pickling(toy, make_clf):
    clf = make_clf().fit(toy.X, toy.y, source=toy.source)

    copy = pickle.loads(pickle.dumps(clf))  # noqa: S301

    assert_array_equal(copy.predict_proba(toy.X), clf.predict_proba(toy.X))


# Training


def test_early_stopping_watches_a_term(toy, make_clf):
    stop = EarlyStopping("risk", patience=2, threshold=1, sink=lambda _: None)
    clf = make_clf(max_epochs=20, callbacks=[stop])

    clf.fit(toy.X, toy.y, source=toy.source)

    assert clf.n_iter_ == len(clf.history_["alignment"]) == 3


@pytest.mark.parametrize("batch_size", [-1, 300, 1000])
def test_full_batch_in_three_ways(toy, make_clf, batch_size):
    clf = make_clf(batch_size=batch_size).fit(toy.X, toy.y, source=toy.source)
    reference = make_clf(batch_size=-1).fit(toy.X, toy.y, source=toy.source)

    assert len(clf.net_.history[0, "batches"]) == 1
    assert_array_equal(clf.predict_proba(toy.X), reference.predict_proba(toy.X))


def test_phases_follow_one_another(toy):
    class InTwoPhases(STN):
        def make_phases(self, max_epochs):
            warm_up = Phase(self.make_objective(), 1, "warm-up")
            return [warm_up, Phase(self.make_objective(), max_epochs, "transfer")]

    clf = InTwoPhases(max_epochs=2, batch_size=-1, random_state=0)
    clf.fit(toy.X, toy.y, source=toy.source)

    frame = pd.DataFrame(clf.history_)
    assert list(frame["phase"]) == ["warm-up", "transfer", "transfer"]
    assert list(frame["epoch"]) == [1, 2, 3]


def test_max_steps_overrides_max_epochs(toy, make_clf):
    clf = make_clf(max_steps=10, batch_size=100).fit(toy.X, toy.y, source=toy.source)

    assert clf.n_iter_ == 4  # of three steps each


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "momentum": 0.5},
        {"optimizer": "adam"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "rmsprop"},
        {"optimizer": partial(torch.optim.SGD, nesterov=True, momentum=0.9)},
    ],
)
def test_optimizers(toy, make_clf, params):
    clf = make_clf(lr=0.02, **params).fit(toy.X, toy.y, source=toy.source)

    group = clf.net_.optimizer_.param_groups[0]
    assert group["lr"] == 0.02
    for name in params.keys() - {"optimizer"}:
        assert group[name] == params[name]


@pytest.mark.parametrize("schedule", ["cosine", lambda progress: 1 - progress])
def test_learning_rate_follows_the_progress(toy, make_clf, schedule):
    clf = make_clf(max_epochs=2, batch_size=-1, lr=0.02, lr_schedule=schedule)

    clf.fit(toy.X, toy.y, source=toy.source)

    assert_allclose(clf.net_.optimizer_.param_groups[0]["lr"], 0.01)  # at one half


def test_warm_start_goes_on_with_the_network(toy, make_clf):
    cold = make_clf(max_epochs=20).fit(toy.X, toy.y, source=toy.source)
    warm = make_clf(max_epochs=20, warm_start=True)
    warm.fit(toy.X, toy.y, source=toy.source).fit(toy.X, toy.y, source=toy.source)

    assert warm.history_["risk"][0] < cold.history_["risk"][0] / 2
    with pytest.raises(ValueError, match="warm_start goes on with the features"):
        warm.fit(toy.X[:, :5], toy.y, source=toy.source)


def test_prediction_does_not_depend_on_how_rows_are_grouped(toy, make_clf):
    clf = make_clf().fit(toy.X, toy.y, source=toy.source)
    X = np.tile(toy.X, (20, 1))  # more rows than are evaluated at once

    assert_allclose(
        clf.predict_proba(X)[:300], clf.predict_proba(X[:300]), rtol=1e-5, atol=1e-6
    )


# CUDA


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
@pytest.mark.parametrize("batch_size", [-1, 64])
def test_a_fit_on_the_gpu_is_a_fit(toy, precision, batch_size):
    settings = {"batch_size": batch_size, "max_epochs": 60, "random_state": 0}
    for cls in (SSAN, STN):
        clf = cls(device="auto", precision=precision, n_components=32, **settings)
        clf.fit(toy.X, toy.y, source=toy.source)
        again = clone(clf).fit(toy.X, toy.y, source=toy.source)

        assert next(clf.net_.module_.parameters()).is_cuda
        assert np.isfinite(clf.predict_proba(toy.X)).all()
        assert_allclose(clf.predict_proba(toy.X), again.predict_proba(toy.X), atol=1e-3)


# Divergence


@pytest.mark.parametrize(
    ("cls", "optimizer"), [(SSAN, "adam"), (STN, "adam"), (STN, "sgd")]
)
def test_a_network_that_has_become_constant_is_an_error(toy, cls, optimizer):
    settings = {"optimizer": optimizer, "max_epochs": 12, "random_state": 0}
    clf = cls(lr=100.0, normalize=True, **settings)

    with pytest.raises(ValueError, match=r"collapsed: .* to the same output.*lr=100,"):
        clf.fit(toy.X, toy.y, source=toy.source)

    assert not hasattr(clf, "net_")


def test_samples_that_are_all_alike_to_a_network_may_be_learned():
    X, y = np.arange(1.0, 9.0)[:, None], np.arange(8) % 2  # of length 1 when normalized

    clf = STN(max_epochs=3, normalize=True, random_state=0).fit(X, y, source=(X, y))

    assert np.ptp(clf.predict_proba(X), axis=0).max() < 1e-6
