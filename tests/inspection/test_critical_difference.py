"""Tests of the display of average ranks."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import friedmanchisquare

from skda.inspection import CriticalDifferenceDisplay

#: Table 6 of Demsar (2006): four versions of C4.5 on 14 data sets.
DEMSAR = pd.DataFrame(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # printed alike, but ranked 2 and 3
        [0.957, 0.978, 0.946, 0.970],
    ],
    columns=["C4.5", "+m", "+cf", "+m+cf"],
)


def _scores(n_tasks, n_methods):
    return np.random.default_rng(0).normal(size=(n_tasks, n_methods))


def test_ranks_are_those_of_the_paper():
    display = CriticalDifferenceDisplay(DEMSAR)

    assert_allclose(display.ranks_, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert display.names_ == ["C4.5", "+m", "+cf", "+m+cf"]


def test_differences_are_those_of_the_paper():
    strict, lenient = (CriticalDifferenceDisplay(DEMSAR, alpha=a) for a in (0.05, 0.1))

    assert_allclose(strict.critical_difference_, 1.25, atol=0.005)
    assert_allclose(lenient.critical_difference_, 1.12, atol=0.005)
    assert strict.groups_ == [("+m+cf", "+m", "+cf", "C4.5")]
    assert lenient.groups_ == [("+m+cf", "+m", "+cf"), ("+cf", "C4.5")]


@pytest.mark.parametrize(
    ("n_methods", "quantile"), [(2, 1.960), (5, 2.728), (10, 3.164)]
)
def test_quantiles_are_those_of_the_table(n_methods, quantile):
    display = CriticalDifferenceDisplay(_scores(30, n_methods))
    expected = quantile * np.sqrt(n_methods * (n_methods + 1) / 180)

    assert_allclose(display.critical_difference_, expected, rtol=3e-4)


def test_equal_scores_share_their_mean_rank():
    scores = [[0.5, 0.9, 0.5], [0.7, 0.7, 0.7]]

    assert_allclose(CriticalDifferenceDisplay(scores).ranks_, [2.25, 1.5, 2.25])


def test_a_group_is_as_large_as_can_be():
    # Ranks 1, 2, 3 and 4 on all of 20 tasks: a difference of 1.05 is critical.
    scores = np.tile([4.0, 3.0, 2.0, 1.0], (20, 1))
    few, many = (
        CriticalDifferenceDisplay(scores[:n_tasks], names=list("abcd"))
        for n_tasks in (20, 5)
    )

    assert_allclose(few.critical_difference_, 1.049, atol=1e-3)
    assert few.groups_ == [("a", "b"), ("b", "c"), ("c", "d")]
    assert_allclose(many.critical_difference_, 2.098, atol=1e-3)
    assert many.groups_ == [("a", "b", "c"), ("b", "c", "d")]


def test_methods_that_all_differ_are_in_no_group():
    scores = np.tile([4.0, 3.0, 2.0, 1.0], (40, 1))

    assert CriticalDifferenceDisplay(scores).groups_ == []


def test_the_friedman_test_is_that_of_scipy():
    expected = friedmanchisquare(*DEMSAR.to_numpy().T).pvalue

    assert_allclose(CriticalDifferenceDisplay(DEMSAR).p_value_, expected)
    assert CriticalDifferenceDisplay(np.ones((5, 3))).p_value_ == 1


def test_missing_scores_are_an_error():
    scores = DEMSAR.copy()
    scores.loc[3, "+cf"] = scores.loc[5, "+m"] = np.nan
    with pytest.raises(ValueError, match=r"got 2 missing, the first of \+cf on task 3"):
        CriticalDifferenceDisplay(scores)


def test_wrong_shapes_are_refused():
    for scores in ([0.5, 0.7], [[0.5, 0.7]], [[0.5], [0.7]]):
        with pytest.raises(ValueError, match=r"two of each or more, got shape"):
            CriticalDifferenceDisplay(scores)
    with pytest.raises(ValueError, match="a name for each of 3 methods, got 2"):
        CriticalDifferenceDisplay(_scores(4, 3), names=["a", "b"])
    with pytest.raises(ValueError, match="alpha between 0 and 1, got 5"):
        CriticalDifferenceDisplay(_scores(4, 3), alpha=5)


@pytest.mark.parametrize("n_methods", [2, 3, 20, 31])
def test_names_stand_on_both_sides_in_the_order_of_the_ranks(n_methods):
    names = [f"method {i}" for i in range(n_methods)]
    display = CriticalDifferenceDisplay.from_scores(_scores(9, n_methods), names=names)
    display.figure_.canvas.draw()
    written = [text for text in display.ax_.texts if text.get_text() in names]
    order = [names[i] for i in np.argsort(display.ranks_, kind="stable")]
    right = [text for text in written if text.get_ha() == "left"]

    assert [text.get_text() for text in written] == order
    assert [text.get_text() for text in right] == order[: n_methods // 2]
    assert display.ax_.xaxis_inverted()


def test_a_bar_joins_each_group():
    display = CriticalDifferenceDisplay.from_scores(DEMSAR, alpha=0.1)
    bars = [line for line in display.ax_.lines if line.get_linewidth() > 3]
    ends = np.sort([bar.get_xdata() for bar in bars], axis=1)

    assert_allclose(ends, [[1.964, 2.893], [2.893, 3.143]], atol=0.03)
    assert len({bar.get_ydata()[0] for bar in bars}) == 2  # they would touch
