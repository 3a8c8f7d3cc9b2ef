import numpy as np
import pytest

from skda.auto import _representations
from skda.auto._representations import KINDS, Representation, kinds_for, neighbor_graph
from skda.auto._views import look


def test_ranks_become_normal_scores_of_mean_squared_length_one():
    found = Representation("ranks").fit(np.array([[100.0], [1.0], [3.0]]))

    # Before, they are (.967, -.967, 0), the scores of 5/6, 1/6 and 1/2.
    expected = np.array([[1.0], [-1.0], [0.0]]) * np.sqrt(3 / 2)
    np.testing.assert_allclose(found.rows_, expected)


def test_powers_and_unit_lengths_are_taken_before_centering():
    found = Representation("power").fit(np.array([[9.0, 16.0], [4.0, 0.0]]))

    rows = np.array([[0.6, 0.8], [1.0, 0.0]])
    expected = rows - [0.8, 0.4]
    np.testing.assert_allclose(found.rows_, expected / np.sqrt(0.2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_features", [3, 60])
def test_rows_of_the_fit_are_mapped_as_new_ones_are(kind, n_features):
    X = np.random.RandomState(0).randn(30, n_features)
    X[:, 0] = 7.0  # constant

    found = Representation(kind).fit(X)

    np.testing.assert_allclose(found.transform(X), found.rows_, atol=1e-9)
    assert np.mean(np.sum(found.rows_**2, axis=1)) == pytest.approx(1)
    assert found.rows_.shape[1] == min(n_features - 1, 29)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_all_equal_are_zero(kind):
    found = Representation(kind).fit(np.full((4, 2), 3.0))

    assert not found.rows_.any()
    assert not found.transform(np.full((1, 2), 5.0)).any()


def test_many_wide_rows_keep_their_principal_axes(monkeypatch):
    rng = np.random.RandomState(0)
    X = rng.randn(40, 4) @ rng.randn(4, 30)
    exact = Representation("standard").fit(X).rows_
    monkeypatch.setattr(_representations, "MOST_FEATURES", 20)
    monkeypatch.setattr(_representations, "MOST_COMPONENTS", 4)

    found = Representation("standard").fit(X).rows_

    assert found.shape == (40, 4)
    np.testing.assert_allclose(found @ found.T, exact @ exact.T, atol=1e-8)


def test_text_has_two_representations():
    X = np.zeros((20, 50))
    X[:, 0] = 1

    assert kinds_for(X) == ("power", "unit")
    assert kinds_for(X + 1) == KINDS


def test_weights_of_neighbors_are_what_one_computes_by_hand():
    graph = neighbor_graph(np.array([[0.0], [1.0], [3.0]]), n_neighbors=1)

    # Distances to the neighbor: 1, 1 and 2.
    first, second = np.exp(-1.0), np.exp(-4 / 2)
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = first / np.sqrt(first * (first + second))
    expected[1, 2] = expected[2, 1] = second / np.sqrt(second * (first + second))
    np.testing.assert_allclose(graph.toarray(), expected)


def test_equal_rows_and_a_single_one_have_a_graph():
    assert np.isfinite(neighbor_graph(np.zeros((5, 2)), 2).toarray()).all()
    assert neighbor_graph(np.zeros((1, 2)), 2).nnz == 0


def test_rows_are_smoothed_over_the_mean_of_all_graphs():
    X = np.random.RandomState(0).rand(30, 3) ** 3

    views = look(X, alpha=0.5, n_neighbors=4, n_components=2)

    S = np.mean([neighbor_graph(view.rows, 4).toarray() for view in views], axis=0)
    for view in views:
        smooth = np.linalg.solve(np.eye(30) - 0.5 * S, view.rows)
        smooth -= smooth.mean(axis=0)
        smooth /= np.sqrt(np.mean(np.sum(smooth**2, axis=1)))
        np.testing.assert_allclose(view.smooth, smooth, atol=1e-3)
        assert view.components.shape == (30, 2)
