import numpy as np
import pytest
from scipy.sparse import csr_array, dok_array, issparse

from skda.utils.labels import check_labels
from skda.utils.views import (
    ViewRows,
    count_pairs,
    is_list_of_views,
    is_mapping,
    mean_and_scale,
    name_views,
    slice_views,
    stack_rows,
)


def _rows(n, y=None):
    X = np.arange(2.0 * n).reshape(n, 2)
    return ViewRows({"a": X, "b": -X}, check_labels(y, X))


def test_stacking_keeps_rows_and_labels_together():
    both = _rows(2, ["x", None]).stack(_rows(3, [None, "y", "x"]))

    assert both.n_rows == 5
    assert both.labels.known.tolist() == [True, False, False, True, True]
    assert both.labels.values.tolist() == ["x", "y", "x"]
    assert both.labeled().views["a"][:, 0].tolist() == [0.0, 2.0, 4.0]


def test_stacking_on_nothing_is_the_other():
    rows, nothing = _rows(2), _rows(0)

    assert rows.stack(nothing) is rows
    assert nothing.stack(rows) is rows


def test_lists_of_rows_are_one_array():
    assert not is_list_of_views([[1.0, 2.0], [3.0, 4.0]])
    assert is_list_of_views([np.eye(2), csr_array(np.eye(2))])


def test_a_sparse_dictionary_is_a_matrix():
    assert not is_mapping(dok_array((2, 2)))


def test_one_array_has_two_halves():
    halves = slice_views(np.ones((2, 5)), None)

    assert [rows.shape[1] for rows in halves.values()] == [3, 2]
    assert list(halves) == ["view0", "view1"]


def test_lists_are_numbered():
    assert list(name_views([np.eye(2), np.eye(2)])) == ["view0", "view1"]


def test_columns_must_exist():
    with pytest.raises(
        ValueError, match=r"columns of view 'a' among \[\], got \['p'\]"
    ):
        slice_views(np.ones((2, 5)), {"a": ["p"]})
    with pytest.raises(ValueError, match="at least one column in view 'b'"):
        slice_views(np.ones((2, 5)), {"a": slice(5), "b": slice(5, 9)})


def test_there_must_be_views():
    with pytest.raises(ValueError, match="at least one view, got none"):
        name_views({})
    with pytest.raises(ValueError, match=r"one matrix for each of the views \['a'\]"):
        name_views([np.eye(2), np.eye(2)], ["a"])


def test_stacked_takes_rows_as_they_come():
    assert stack_rows(["a"], ["b", "c"], "x") == ["a", "b", "c"]
    assert issparse(stack_rows(csr_array(np.eye(2)), np.eye(2), "x"))
    assert stack_rows([[1.0]], np.eye(1), "x").shape == (2, 1)


@pytest.mark.parametrize("exponent", [-100, 100])
@pytest.mark.parametrize("scaling", ["feature", "view"])
def test_mean_and_scale_have_the_unit_of_the_features(scaling, exponent):
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    X[:, 1] = 0.1  # a constant, too

    got = mean_and_scale(np.ldexp(X, exponent), scaling)

    for value, expected in zip(got, mean_and_scale(X, scaling), strict=True):
        np.testing.assert_array_equal(value, np.ldexp(expected, exponent))


def test_constant_of_many_rows_is_not_scaled_by_the_rounding_of_its_mean():
    values = np.random.default_rng(0).normal(scale=0.1, size=500)

    _, scale = mean_and_scale(np.tile(values, (284, 1)), "feature")

    assert (scale > np.abs(values) / 2).all()


@pytest.mark.parametrize("scalar", [1.5, np.array(1.5)])
def test_a_single_number_is_no_view(scalar):
    with pytest.raises(ValueError, match="Expected rows in view 'a', got a single"):
        count_pairs({"a": scalar, "b": np.eye(2)})


def test_half_precision_is_widened_beside_a_sparse_matrix():
    rows = stack_rows(csr_array(np.eye(2)), np.eye(2, dtype=np.float16), "x")

    assert rows.shape == (4, 2)
