"""Tests of `skda.datasets.load_mat`, on files like the published ones."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.io import savemat

from skda.datasets import load_mat

X = np.arange(12.0).reshape(6, 2)
Y = np.array([[1], [1], [2], [2], [3], [3]], dtype=np.uint8)  # as MATLAB has it
#: Rows that are labeled in each of two splits.
LABELED = [[0, 2, 4], [5, 1, 3]]


def _cells(values):
    cells = np.empty((1, len(values)), dtype=object)
    for i, value in enumerate(values):
        cells[0, i] = value
    return cells


def _splits(convert=np.asarray):
    rest = [np.setdiff1d(range(6), rows) for rows in LABELED]
    return {
        "training_features": _cells([convert(X[rows]) for rows in LABELED]),
        "training_labels": _cells([Y[rows] for rows in LABELED]),
        "testing_features": _cells([convert(X[rows]) for rows in rest]),
        "testing_labels": _cells([Y[rows].astype(float) for rows in rest]),
    }


@pytest.fixture
def write(tmp_path):
    """Write variables to a file; gives the file."""

    def write(variables):
        savemat(tmp_path / "toy.mat", variables)
        return tmp_path / "toy.mat"

    return write


@pytest.mark.parametrize("prefix", ["", "source_"])
def test_a_domain_has_rows_and_classes(write, prefix):
    file = write({f"{prefix}features": X, f"{prefix}labels": Y})
    domain = load_mat(file)

    assert_array_equal(domain.data, X)
    assert_array_equal(domain.target, [1, 1, 2, 2, 3, 3])
    assert domain.target.dtype == np.int64
    assert domain.splits == []
    assert domain.filename == str(file)


def test_a_target_has_splits_with_the_labeled_rows_first(write):
    domain = load_mat(write(_splits()))
    first, second = domain.splits

    assert_array_equal(first.X, X[[0, 2, 4, 1, 3, 5]])
    assert_array_equal(first.y, [1, 2, 3, -1, -1, -1])
    assert_array_equal(first.y_true, [1, 2, 3, 1, 2, 3])
    assert_array_equal(second.X, X[[5, 1, 3, 0, 2, 4]])
    assert_array_equal(second.y, [3, 1, 2, -1, -1, -1])
    assert_array_equal(second.y_true, [3, 1, 2, 1, 2, 3])
    assert_array_equal(domain.data, first.X)
    assert_array_equal(domain.target, first.y_true)


def test_sparse_rows_stay_sparse(write):
    (first, _) = load_mat(write(_splits(sparse.csc_array))).splits
    domain = load_mat(write({"features": sparse.csc_array(X), "labels": Y}))

    assert first.X.format == domain.data.format == "csr"
    assert_array_equal(first.X.toarray(), X[[0, 2, 4, 1, 3, 5]])
    assert_array_equal(domain.data.toarray(), X)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"fea": X, "gnd": Y},
            r"source_labels or training_features, .* got fea, gnd: ",
        ),
        ({}, "got none: it has another layout; read it with scipy.io.loadmat"),
        (
            {"features": X},
            "Expected the variables features, labels or .* got features:",
        ),
        ({"features": X, "labels": Y[:3]}, "inconsistent numbers of samples"),
        (
            _splits() | {"testing_labels": _cells([Y])},
            r"one cell per split in .* testing_labels of shape \(1, 1\)\.",
        ),
        (_splits() | {"testing_labels": Y}, r"\(6, 1\), not all of them cell arrays\."),
        (dict.fromkeys(_splits(), _cells([])), r"training_features of shape \(1, 0\)"),
    ],
)
def test_another_layout_is_an_error(write, variables, message):
    with pytest.raises(ValueError, match=message):
        load_mat(write(variables))


@pytest.mark.parametrize(
    "start", [b"no matrices" * 20, b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"]
)
def test_newer_and_other_files_are_an_error(tmp_path, start):
    (tmp_path / "toy.mat").write_bytes(start.ljust(512))
    with pytest.raises(ValueError, match=r"up to version 7 .* save it with '-v7'"):
        load_mat(tmp_path / "toy.mat")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"toy\.mat, got none: check its name"):
        load_mat(tmp_path / "toy.mat")
