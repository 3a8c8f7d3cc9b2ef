"""Tests of the representations of `skda.preprocessing`."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import sqrtm
from scipy.sparse import csr_matrix, issparse
from scipy.stats import norm
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skda.preprocessing import (
    DomainScaler,
    LinearOptimalTransport,
    NormalScoreTransformer,
    RowScaler,
    shared_preprocessor,
)
from skda.utils.warnings import NoSourceWarning

TWO_DOMAINS = [DomainScaler(), LinearOptimalTransport()]
TRANSFORMERS = [*TWO_DOMAINS, NormalScoreTransformer()]
ids = {"ids": lambda estimator: type(estimator).__name__}
two_domains = pytest.mark.parametrize("transformer", TWO_DOMAINS, **ids)


@pytest.fixture(name="X")
def _target():
    return np.random.default_rng(0).normal(size=(30, 4)) @ np.diag([1, 2, 3, 4]) + 5


@pytest.fixture(name="source")
def _source():
    rng = np.random.default_rng(1)
    return rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)), np.arange(50) % 3


def _with_source(cls):
    """Subclass a transformer so that it never lacks a source: its target, reversed."""

    def fit(self, X, y=None):
        rows = X.tocsr() if issparse(X) else np.asarray(X)
        return cls.fit(self, X, source=(rows[::-1], None))

    name = f"{cls.__name__}WithSource"
    globals()[name] = type(name, (cls,), {"fit": fit, "__module__": __name__})
    return globals()[name]()  # global, because one of the checks pickles it


@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
@parametrize_with_checks(
    [
        *TRANSFORMERS,
        DomainScaler(shared_transformer=MaxAbsScaler()),
        _with_source(DomainScaler),
        _with_source(LinearOptimalTransport),
    ]
)
def test_sklearn_contract(estimator, check):
    check(estimator)


# Standardized per domain


def test_each_domain_is_standardized_by_itself(X, source):
    scaler = DomainScaler(min_scale=0.0).fit(X, source=source)

    assert_allclose(scaler.transform(X), StandardScaler().fit_transform(X))
    assert_allclose(
        scaler.transform(source[0], domain="source"),
        StandardScaler().fit_transform(source[0]),
    )


def test_source_moments_weigh_the_classes_as_the_target_does():
    # Shares of 3/4 and 1/4 are to be 1/2 and 1/2: weights of 2/3 and 2.
    X_source, y_source = np.array([[0.0], [0.0], [3.0], [5.0]]), [0, 0, 0, 1]
    for prior in ("balanced", [0.5, 0.5], [7, 7]):
        scaler = DomainScaler(class_prior=prior).fit(
            np.array([[0.0], [4.0]]), source=(X_source, y_source)
        )

        assert_allclose(scaler.mean_source_, [3])  # (2/3 * 3 + 2 * 5) / 4
        assert_allclose(scaler.scale_source_, [5**0.5])  # (2/3 * 18 + 2 * 4) / 4


def test_a_class_that_the_target_lacks_does_not_count():
    X_source, y_source = np.array([[1.0], [3.0], [90.0]]), ["a", "a", "b"]
    scaler = DomainScaler(class_prior=[1, 0]).fit(
        [[0.0], [1.0]], source=(X_source, y_source)
    )

    assert_allclose((scaler.mean_source_, scaler.scale_source_), [[2], [1]])


def test_source_samples_without_a_label_count_only_without_a_prior():
    X_source, y_source = np.array([[1.0], [3.0], [8.0]]), [0, 1, -1]
    plain, weighted = (
        DomainScaler(class_prior=prior).fit([[0.0], [1.0]], source=(X_source, y_source))
        for prior in (None, "balanced")
    )

    assert_allclose(plain.mean_source_, [4])
    assert_allclose(weighted.mean_source_, [2])


def test_a_scale_is_bounded_by_the_pooled_one():
    # The source is in a tenth of the target's unit; the last feature is asleep here.
    X = np.array([[-1.0, -2.0, -0.01], [1.0, 2.0, 0.01]])
    X_source = np.array([[-10.0, -20.0, -30.0], [10.0, 20.0, 30.0]] * 3)
    scaler = DomainScaler(min_scale=0.2).fit(X, source=(X_source, None))
    pooled = np.sqrt((2 * 0.01**2 + 6 * 3**2) / 8)

    assert_allclose(scaler.scale_, [1, 2, 0.2 * pooled])
    assert_allclose(scaler.scale_source_, [10, 20, 30])


def test_what_a_constant_feature_was_is_forgotten():
    X = np.column_stack([[1.0, 2.0, 3.0], [0.1] * 3, [1e9 + 0.1] * 3])
    shift = np.array([0, 7, 0])
    scaler = DomainScaler().fit(X, source=(X + shift, None))

    for domain, rows in {"target": X, "source": X + shift}.items():
        assert_array_equal(scaler.transform(rows, domain=domain)[:, 1:], 0)


def test_rounding_is_no_variance():
    column = 0.1 + np.array([0, 1, 0, 1]) * 2.0**-56

    assert np.ptp(column) > 0
    with pytest.warns(NoSourceWarning):
        scaler = DomainScaler().fit(column[:, None])
    assert_array_equal(scaler.scale_, 1)


def test_small_differences_of_large_values_are_variance():
    column = (10000 + np.arange(2000) % 2).astype(np.float32)
    scaler = DomainScaler().fit(column[:, None], source=(column[:, None], None))

    assert_array_equal(scaler.scale_, 0.5)


def test_one_target_sample_is_scaled_by_the_source():
    scaler = DomainScaler().fit([[5.0]], source=([[-1.0], [1.0]], None))

    assert_allclose(scaler.scale_, [0.1 * np.sqrt(2 / 3)])
    assert_array_equal(scaler.transform([[5.0]]), 0)


# Linear optimal transport


def test_transport_gives_the_source_the_covariance_of_the_target(X, source):
    transport = LinearOptimalTransport(ridge=0.0).fit(X, source=source)
    moved = transport.transform(source[0], domain="source")

    assert_allclose(np.cov(moved.T, ddof=0), np.cov(X.T, ddof=0))
    assert_allclose(moved.mean(axis=0), 0, atol=1e-12)
    assert_allclose(transport.transform(X), X - X.mean(axis=0))


def test_the_map_is_the_regularized_one(X, source):
    S, T = (np.cov(rows.T, ddof=0) for rows in (source[0], X))
    S += 0.3 * np.trace(S) / 4 * np.eye(4)
    T += 0.3 * np.trace(T) / 4 * np.eye(4)
    R = sqrtm(S)
    expected = np.linalg.inv(R) @ sqrtm(R @ T @ R) @ np.linalg.inv(R)

    transport = LinearOptimalTransport(ridge=0.3).fit(X, source=source)

    assert_allclose(transport.map_, expected, rtol=1e-7)


def test_of_independent_features_the_map_stretches_each():
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    transport = LinearOptimalTransport(ridge=0.0)
    transport.fit(corners * [2, 6], source=(corners * [1, 2] + 9, None))

    assert_allclose(transport.map_, np.diag([2, 3]), atol=1e-12)
    assert_allclose(
        transport.transform([[11.0, 9.0]], domain="source"), [[4, 0]], atol=1e-12
    )


def test_the_covariance_of_the_source_is_weighted(X, source):
    X_source, y_source = source
    doubled = np.concatenate([X_source, X_source[y_source == 2]])
    shares = np.bincount(y_source) * [1, 1, 2]
    weighted = LinearOptimalTransport(class_prior=shares).fit(X, source=source)
    by_hand = LinearOptimalTransport().fit(X, source=(doubled, None))

    assert_allclose(weighted.map_, by_hand.map_)
    assert_allclose(weighted.mean_source_, by_hand.mean_source_)


def test_features_without_variance_do_no_harm(X, source):
    X, X_source = (
        np.column_stack([rows, np.full(len(rows), 7)]) for rows in (X, source[0])
    )
    for ridge in (0.0, 0.1):
        transport = LinearOptimalTransport(ridge=ridge).fit(X, source=(X_source, None))
        moved = transport.transform(X_source, domain="source")

        assert np.isfinite(transport.map_).all()
        assert_allclose(moved[:, 4], 0, atol=1e-6)


def test_one_sample_has_no_covariance(X):
    with pytest.raises(
        ValueError, match=r"two samples of each domain .* of the source"
    ):
        LinearOptimalTransport().fit(X, source=(X[:1], None))
    with pytest.raises(ValueError, match=r"1 sample of the target.*DomainScaler"):
        LinearOptimalTransport().fit(X[:1], source=(X, None))


# Both


@two_domains
def test_units_of_a_domain_do_not_matter(transformer, X, source):
    X_source, y_source = source
    expected = clone(transformer).fit(X, source=source)
    tiny = clone(transformer).fit(X * 2.0**-99, source=(X_source * 2.0**80, y_source))
    unit = 1 if isinstance(transformer, DomainScaler) else 2.0**-99  # the target's

    for domain, rows, scale in (("target", X, 2.0**-99), ("source", X_source, 2.0**80)):
        assert_allclose(
            tiny.transform(rows * scale, domain=domain),
            expected.transform(rows, domain=domain) * unit,
            rtol=1e-9,
        )


@two_domains
def test_a_shared_transformer_sees_both_domains(transformer, X, source):
    both = np.concatenate([X, source[0]])
    first = make_pipeline(StandardScaler(), PCA(2)).fit(both)
    shared = clone(transformer).set_params(shared_transformer=clone(first))
    shared.fit(X, source=source)
    by_hand = clone(transformer).fit(
        first.transform(X), source=(first.transform(source[0]), source[1])
    )

    assert_allclose(shared.transform(X), by_hand.transform(first.transform(X)))
    assert_allclose(
        shared.transform(source[0], domain="source"),
        by_hand.transform(first.transform(source[0]), domain="source"),
    )
    assert list(shared.get_feature_names_out()) == ["pca0", "pca1"]


@two_domains
def test_without_a_source_the_target_is_enough(transformer, X):
    with pytest.warns(NoSourceWarning, match="source"):
        alone = clone(transformer).fit(X)

    assert_allclose(alone.transform(X).mean(axis=0), 0, atol=1e-12)
    with pytest.raises(ValueError, match="without a source"):
        alone.transform(X, domain="source")


@two_domains
def test_it_stands_in_pipelines_and_grids(transformer, X, source):
    name = type(transformer).__name__.lower()
    pipeline = make_pipeline(clone(transformer), LogisticRegression())
    search = GridSearchCV(pipeline, {f"{name}__class_prior": [None, "balanced"]}, cv=2)
    search.fit(X, np.arange(30) % 2, **{f"{name}__source": source})

    assert search.predict(X).shape == (30,)


@two_domains
def test_names_of_features_are_kept(transformer, X, source):
    frame, of_source = (
        pd.DataFrame(rows, columns=list("abcd")) for rows in (X, source[0])
    )
    named = clone(transformer).set_output(transform="pandas")
    named.fit(frame, source=(of_source, source[1]))

    assert list(named.transform(of_source, domain="source")) == list("abcd")


@two_domains
@pytest.mark.parametrize("shared", [None, MaxAbsScaler(), PCA(2)])
def test_sparse_samples_are_made_dense(transformer, shared, X, source):
    dense, sparse = (
        clone(transformer)
        .set_params(shared_transformer=shared)
        .fit(kind(X), source=(kind(source[0]), None))
        .transform(kind(X))
        for kind in (np.asarray, csr_matrix)
    )

    assert_allclose(np.abs(sparse), np.abs(dense), rtol=1e-6)


def test_ranks_of_sparse_samples_are_refused(X):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        NormalScoreTransformer().fit(csr_matrix(X))


@two_domains
def test_wrong_domains_are_refused(transformer, X, source):
    with pytest.raises(TypeError, match="a tuple of two"):
        clone(transformer).fit(X, source=source[0])
    with pytest.raises(ValueError, match=r"same features, got .*\(50, 3\).*\(30, 4\)"):
        clone(transformer).fit(X, source=(source[0][:, :3], None))
    with pytest.raises(ValueError, match="domain must be"):
        clone(transformer).fit(X, source=source).transform(X, domain="test")


@two_domains
def test_wrong_shares_are_refused(transformer, X, source):
    for prior in ([1, 1], [1, 1, -1], [0, 0, 0], [1, 1, np.nan]):
        with pytest.raises(ValueError, match=r"a share, 0 or more, .* the 3 classes"):
            clone(transformer).set_params(class_prior=prior).fit(X, source=source)
    with pytest.raises(ValueError, match="needs the labels"):
        clone(transformer).set_params(class_prior="balanced").fit(X, source=(X, None))


# Ranks


def test_scores_are_those_of_the_ranks():
    X = np.array([[3.0, 1.0], [-7.0, 1.0], [900.0, 0.0], [5.0, 2.0]])
    ranks = np.array([[2, 2.5], [1, 2.5], [4, 1], [3, 4]])

    assert_allclose(
        NormalScoreTransformer().fit_transform(X),
        norm.ppf((ranks - 0.5) / 4),
        atol=1e-12,
    )


def test_new_values_lie_between_their_neighbors():
    low, high = norm.ppf([1 / 6, 5 / 6])
    scorer = NormalScoreTransformer().fit([[0.0], [4.0], [8.0]])

    assert_allclose(
        scorer.transform([[1.0], [6.0], [-9.0], [9.0]]),
        [[0.75 * low], [0.5 * high], [low], [high]],
        atol=1e-12,
    )


def test_increasing_functions_of_a_feature_change_no_score(X):
    scores = NormalScoreTransformer().fit_transform(X)

    for changed in (X * 2.0**-99, np.exp(X), 3 * X + 1):
        assert_array_equal(NormalScoreTransformer().fit_transform(changed), scores)


def test_a_constant_feature_has_no_score():
    scorer = NormalScoreTransformer().fit([[3.0], [3.0]])

    assert_array_equal(scorer.transform([[3.0], [9.0]]), 0)
    assert_array_equal(NormalScoreTransformer().fit_transform([[3.0, 4.0]]), 0)


# All


@pytest.mark.parametrize("transformer", TRANSFORMERS, **ids)
@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
def test_precision_is_kept(transformer, X):
    assert clone(transformer).fit_transform(X.astype("f4")).dtype == np.float32


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_units_do_not_matter_to_unit_rows(power, X):
    scaler = RowScaler(power)

    assert_allclose(scaler.fit_transform(X * 2.0**-99), scaler.fit_transform(X))


def test_half_the_strength_is_half_the_way():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    X_source = np.concatenate([X, X]) + 2.0  # the medians of the scales are equal
    own, half, none = (
        DomainScaler(strength=strength).fit(X, source=(X_source, None))
        for strength in (1.0, 0.5, 0.0)
    )
    both = StandardScaler().fit(np.concatenate([X, X_source]))

    for moments in (none.mean_, none.mean_source_):
        assert_allclose(moments, both.mean_)
    for scales in (none.scale_, none.scale_source_):
        assert_allclose(scales, both.scale_)
    assert_allclose(half.mean_source_, (own.mean_source_ + both.mean_) / 2)
    assert_allclose(half.scale_, np.sqrt(own.scale_ * both.scale_))


def test_the_unit_of_the_source_does_not_matter_at_any_strength():
    rng = np.random.default_rng(0)
    X, X_source = rng.normal(size=(30, 3)), rng.normal(1.0, 2.0, size=(60, 3))
    first, second = (
        DomainScaler(strength=0.5)
        .fit(X, source=(unit * X_source, None))
        .transform(unit * X_source, domain="source")
        for unit in (1.0, 1000.0)
    )

    assert_allclose(first, second)


def test_classes_are_weighted_in_the_pooled_moments_too():
    X_source, y_source = np.array([[0.0], [0.0], [6.0]]), [0, 0, 1]
    scaler = DomainScaler(strength=0.0, class_prior=[0, 1])
    scaler.fit([[0.0], [0.0], [0.0]], source=(X_source, y_source))

    assert_allclose(scaler.mean_, 3.0)


def test_the_ridge_is_a_share_of_the_mean_variance():
    X = np.array([[1.0, 0.0], [-1.0, 0.0]])
    scaler = DomainScaler(ridge=0.5).fit(X, source=(X, None))

    assert_allclose(scaler.scale_, np.sqrt([1.25, 0.25]))


def test_counts_have_one_unit_and_other_features_their_own():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.5, size=(20, 64)).astype(float)
    few, signed = counts[:, :63], counts - 1.0
    scaler = shared_preprocessor([counts, 2 * counts])

    assert scaler.ridge == np.mean(counts > 0)
    assert scaler.shared_transformer.power == 0.5
    assert shared_preprocessor([csr_matrix(counts)]).ridge == scaler.ridge
    for others in (few, signed):
        assert shared_preprocessor([others]).get_params()["strength"] == 0.5
    assert not shared_preprocessor([few], power=2.0).shared_transformer.normalize
