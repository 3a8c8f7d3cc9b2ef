"""Tests of `skda.preprocessing`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.pipeline import make_pipeline

from skda.preprocessing import (
    GraphSmoother,
    RowScaler,
    cosine_graph,
    row_preprocessor,
    self_tuned_graph,
    symmetric_normalization,
)


@pytest.fixture(name="X")
def _rows():
    return np.random.default_rng(0).normal(size=(30, 8))


def test_sklearn_contract_of_scalers(check_contract):
    check_contract(RowScaler())


def test_sklearn_contract_of_smoothers(check_contract):
    # A training row smoothed anew has itself for a neighbor.
    inductive = AssertionError, "Not equal to tolerance"
    checks = "check_transformer_general", "check_transformer_data_not_an_array"
    check_contract(
        GraphSmoother(n_neighbors=3), failing=dict.fromkeys(checks, inductive)
    )


def _dense_graph(X, k):
    """Build the graph by sorting all similarities of every row."""
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    W = np.zeros_like(cosine)
    for i, row in enumerate(cosine):
        for j in np.argsort(-row)[:k]:
            W[i, j] = max(row[j], 0)
    return np.maximum(W, W.T)


def test_the_graph_ties_nearest_neighbors(X):
    graph = cosine_graph(X, 4).toarray()

    assert_allclose(graph, _dense_graph(X, 4), atol=1e-12)
    assert_array_equal(np.diag(graph), 0)


def test_doubles_are_neighbors_of_weight_one():
    X = np.array([[1.0, 2.0]] * 3 + [[2.0, -1.0]])

    graph = cosine_graph(X, 2).toarray()

    assert_allclose(graph[:3, :3], 1 - np.eye(3))
    assert_allclose(graph[3], 0, atol=1e-12)


@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_fewer_rows_than_neighbors(n_rows):
    X = np.abs(np.random.default_rng(0).normal(size=(n_rows, 3)))

    assert (cosine_graph(X, 10) > 0).sum() == n_rows * (n_rows - 1)
    assert GraphSmoother(10).fit_transform(X).shape == X.shape


def test_normalization_by_both_degrees():
    W = np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 6.0], [0.0, 6.0, 0.0]])
    degrees = W.sum(axis=1)

    normalized = symmetric_normalization(csr_matrix(W)).toarray()

    assert_allclose(normalized, W / np.sqrt(np.outer(degrees, degrees)))


def test_a_row_without_neighbors_is_no_nan():
    assert_array_equal(symmetric_normalization(csr_matrix((2, 2))).toarray(), 0)


def test_smoothing_is_one_step_over_the_graph(X):
    W = _dense_graph(X, 4) + np.eye(30)
    S = W / np.sqrt(np.outer(W.sum(1), W.sum(1)))
    expected = S @ X / np.linalg.norm(S @ X, axis=1, keepdims=True)

    assert_allclose(GraphSmoother(4).fit_transform(X), expected)


def test_a_new_row_is_mixed_with_its_neighbors(X):
    smoother = GraphSmoother(2).fit(X)
    new = np.random.default_rng(1).normal(size=(1, 8))
    cosine = (X @ new[0]) / np.linalg.norm(X, axis=1) / np.linalg.norm(new)
    near = np.argsort(-cosine)[:2]
    weights = cosine[near]
    degree = 1 + weights.sum()
    mixed = (
        new[0] / degree + (weights / np.sqrt(degree * smoother.degree_[near])) @ X[near]
    )

    assert_allclose(smoother.transform(new)[0], mixed / np.linalg.norm(mixed))


def test_rows_of_zeros_stay_zero():
    X = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])

    assert_array_equal(RowScaler().fit_transform(X)[0], 0)
    assert np.isfinite(GraphSmoother(1).fit_transform(X)).all()


@pytest.mark.parametrize(("X", "power"), [([[4.0, 0.0]], 0.5), ([[4.0, -9.0]], 1.0)])
def test_the_root_is_for_features_that_are_never_negative(X, power):
    assert RowScaler().fit(X).power_ == power


def test_the_root_of_a_new_negative_value_keeps_its_sign():
    scaler = RowScaler(normalize=False).fit([[4.0, 9.0]])

    assert_array_equal(scaler.transform([[-16.0, 25.0]]), [[-4.0, 5.0]])


def test_scaling_does_not_change_its_input():
    X = np.array([[4.0, 9.0]])
    RowScaler().fit_transform(X)

    assert_array_equal(X, [[4.0, 9.0]])


def test_precision_is_kept(X):
    for transformer in (RowScaler(), GraphSmoother(3)):
        assert transformer.fit_transform(X.astype(np.float32)).dtype == np.float32


def test_only_target_rows_are_smoothed():
    settings = {"power": 1.0, "normalize": True}
    source, target, plain = (
        row_preprocessor(domain, n_neighbors=n_neighbors, **settings)
        for domain, n_neighbors in (("source", 5), ("target", 5), ("target", None))
    )

    assert repr(source) == repr(plain) == repr(RowScaler(power=1.0))
    assert repr(target) == repr(make_pipeline(RowScaler(power=1.0), GraphSmoother(5)))


# The self-tuned graph


def test_the_self_tuned_graph_by_hand():
    graph = self_tuned_graph(np.array([[0.0], [1.0], [3.0], [3.5]]), n_neighbors=2)

    scales = np.array([3, 2, 2, 2.5])
    distances = np.array(
        [[0, 1, 3, 0], [1, 0, 2, 2.5], [3, 2, 0, 0.5], [0, 2.5, 0.5, 0]]
    )
    expected = np.exp(-(distances**2) / np.outer(scales, scales)) * (distances > 0)
    assert_allclose(graph.toarray(), expected, atol=1e-12)


@pytest.mark.parametrize("unit", [1e-150, 1e-3, 1e150])
def test_units_make_no_difference_to_the_self_tuned_graph(X, unit):
    usual, scaled = self_tuned_graph(X, 4), self_tuned_graph(unit * X, 4)

    assert_allclose(scaled.toarray(), usual.toarray(), atol=1e-12)


def test_doubles_are_tied_by_weights_of_one():
    X = np.repeat(np.random.default_rng(0).normal(size=(3, 40)), 4, axis=0)
    graph = self_tuned_graph(X, 3).toarray()

    expected = np.kron(np.eye(3), np.ones((4, 4))) - np.eye(12)
    assert_allclose(graph, expected, atol=1e-3)


@pytest.mark.parametrize(("n", "n_edges"), [(1, 0), (2, 2), (3, 6)])
def test_a_self_tuned_graph_of_few_rows(n, n_edges):
    graph = self_tuned_graph(np.arange(float(n))[:, None])

    assert graph.nnz == n_edges


def test_a_table_is_standardized_and_not_smoothed(X):
    table = X * np.geomspace(1, 1e4, X.shape[1]) + 3
    prepare = row_preprocessor(
        "target", power="auto", normalize="auto", n_neighbors="auto"
    )
    rows = prepare.fit_transform(table)

    assert_allclose(rows.mean(axis=0), 0, atol=1e-12)
    assert_allclose(rows.var(axis=0), 1 / X.shape[1])
    assert_allclose(prepare.transform(table[:4]), rows[:4])


def test_a_table_is_smoothed_if_told_so(X):
    plain, smoothed = (
        row_preprocessor("target", power="auto", normalize="auto", n_neighbors=k)
        for k in (None, 5)
    )
    expected = GraphSmoother(5).fit_transform(plain.fit_transform(X))

    assert_allclose(smoothed.fit_transform(X), expected)
    assert_allclose(np.linalg.norm(smoothed.transform(X), axis=1), 1)


@pytest.mark.parametrize("domain", ["target", "source"])
def test_rows_of_many_features_are_scaled_to_unit_length(domain):
    X = np.random.default_rng(0).poisson(0.5, size=(30, 60)).astype(float)
    automatic = row_preprocessor(
        domain, power="auto", normalize="auto", n_neighbors="auto"
    )
    explicit = row_preprocessor(domain, power=0.5, normalize=True, n_neighbors=10)

    assert_array_equal(automatic.fit_transform(X), explicit.fit_transform(X))
    assert_array_equal(automatic.transform(X[:5]), explicit.transform(X[:5]))
