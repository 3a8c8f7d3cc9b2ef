"""Operations of predictions: the bits of SciPy and scikit-learn, in less time."""

import numpy as np
import pytest
from scipy import special
from scipy.sparse import csr_matrix
from sklearn import preprocessing
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import validate_data as validate_as_scikit_learn

from skda.preprocessing import RowScaler, neighbor_similarities
from skda.preprocessing._cosine_graph import FEW_ROWS
from skda.utils import operations
from skda.utils.scaling import rescale_rows

rng = np.random.default_rng(0)
ROWS = [
    rng.normal(size=(7, 5)),
    rng.normal(size=(7, 5)).astype(np.float32),
    np.asfortranarray(rng.normal(size=(7, 5))),
    rng.normal(size=(7, 10))[:, ::2],
    np.zeros((2, 3)),
    csr_matrix(rng.normal(size=(4, 3))),
]


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("X", ROWS, ids=lambda X: f"{X.dtype} {X.shape}")
def test_rows_have_the_lengths_that_scikit_learn_gives_them(X, norm):
    found = operations.normalize(X, norm=norm)
    wanted = preprocessing.normalize(X, norm=norm)
    same = found != wanted if isinstance(X, csr_matrix) else found == wanted

    assert same.nnz == 0 if isinstance(X, csr_matrix) else same.all()
    assert found.dtype == wanted.dtype


def test_rows_without_a_length_are_refused_as_by_scikit_learn():
    with pytest.raises(ValueError, match="NaN"):
        operations.normalize(np.array([[np.nan, 1.0]]))


@pytest.mark.parametrize("X", ROWS[:5], ids=lambda X: f"{X.dtype} {X.shape}")
def test_probabilities_are_those_of_scipy(X):
    found = operations.softmax(X, axis=1)

    np.testing.assert_array_equal(found, special.softmax(X, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, [np.float64, np.float32]])
def test_a_few_rows_are_validated_as_by_scikit_learn(dtype):
    X = rng.normal(size=(3, 4))
    owner = RowScaler().fit(X)
    params = {"dtype": dtype, "reset": False}
    found = operations.validate_data(owner, X, **params)
    wanted = validate_as_scikit_learn(owner, X, **params)

    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == wanted.dtype


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 3)), "3 features"),
        (np.array([[1.0, np.nan, 0.0, 0.0]]), "NaN"),
        (np.array([[1.0, np.inf, 0.0, 0.0]]), "infinity"),
        (np.ones(4), "1D array"),
        (np.ones((0, 4)), "0 sample"),
    ],
)
def test_wrong_rows_are_refused_as_by_scikit_learn(X, message):
    owner = RowScaler().fit(np.ones((2, 4)))

    with pytest.raises(ValueError, match=message):
        operations.validate_data(owner, X, dtype=[np.float64], reset=False)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_rows", [1, 5, FEW_ROWS])
def test_the_neighbors_of_a_few_rows_are_those_of_scikit_learn(n_rows, dtype):
    X = rng.normal(size=(40, 6)).astype(dtype)
    index = NearestNeighbors(n_neighbors=7, metric="cosine").fit(rescale_rows(X))
    new = rng.normal(size=(n_rows, 6)).astype(dtype)
    found = neighbor_similarities(index, new, dtype)
    wanted = index.kneighbors_graph(rescale_rows(new), mode="distance").tocsr()

    np.testing.assert_array_equal(found.indices, wanted.indices)
    np.testing.assert_array_equal(
        found.data, np.clip(1 - wanted.data, 0, None).astype(dtype)
    )


def test_columns_find_their_places():
    P = np.array([[0.25, 0.75]])
    found = operations.spread_columns(P, np.array([2, 0]), 4, -np.inf)

    assert found.tolist() == [[0.75, -np.inf, 0.25, -np.inf]]
    assert found.flags.c_contiguous
