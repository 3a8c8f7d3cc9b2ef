"""Tests of `skda.inspection.SensitivityDisplay`."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skda.inspection import SensitivityDisplay

ROWS = [
    {"beta": 0.1, "gamma": 1, "accuracy": 0.6, "method": "A"},
    {"beta": 0.01, "gamma": 1, "accuracy": 0.7, "method": "A"},
    {"beta": 0.1, "gamma": 1, "accuracy": 0.8, "method": "A"},
    {"beta": 0.1, "gamma": 2, "accuracy": 0.5, "method": "B"},
]


@pytest.fixture(scope="module")
def search():
    """A search over two hyper-parameters."""
    X, y = load_iris(return_X_y=True)
    grid = {"C": [0.01, 0.1, 1.0], "fit_intercept": [True, False]}
    return GridSearchCV(LogisticRegression(max_iter=300), grid, cv=3).fit(X, y)


def _from_values(values):
    rows = [{"p": value, "score": 0.5} for value in values]
    return SensitivityDisplay.from_results(rows, "p")


def _tick_labels(display):
    return [label.get_text() for label in display.ax_.get_xticklabels()]


@pytest.mark.parametrize("make", [list, iter, pd.DataFrame])
def test_a_line_is_the_mean_of_the_rows_of_each_value_in_order(make):
    display = SensitivityDisplay.from_results(make(ROWS[:3]), "beta", score="accuracy")
    line = display.lines_["accuracy"]

    assert_allclose(line.get_xdata(), [0.01, 0.1])
    assert_allclose(line.get_ydata(), [0.7, 0.7])
    assert display.ax_.get_ylabel() == "accuracy"
    assert display.ax_.get_xlabel() == "beta"
    assert display.ax_.get_legend() is None


def test_the_band_is_a_standard_deviation_over_the_splits():
    rows = [{"beta": 1, "score": [0.6, 0.8]}, {"beta": 2, "score": [0.5]}]
    display = SensitivityDisplay.from_results(rows, "beta")
    (band,) = display.ax_.collections
    heights = band.get_paths()[0].vertices[:, 1]
    spread = 0.2 / np.sqrt(2)

    assert_allclose([heights.min(), heights.max()], [0.5, 0.7 + spread])
    assert 0.7 - spread == pytest.approx(sorted(set(heights.round(9)))[1], abs=1e-8)


def test_every_value_of_a_column_has_a_line():
    display = SensitivityDisplay.from_results(
        ROWS, "beta", score="accuracy", by="method"
    )

    assert list(display.lines_) == ["A", "B"]
    assert_allclose(display.lines_["B"].get_xdata(), [0.1])
    assert display.ax_.get_legend() is not None


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.001, 0.01, 0.1, 1], "log"),
        ([20, 50, 150, 500], "log"),
        ([0, 0.001, 0.01, 0.1], "symlog"),
        ([5, 10, 15, 20], "linear"),
        ([0.0, 0.2, 0.4, 1.0], "linear"),
        ([1, 2, 4, 8], "linear"),
        ([-1, 0.01, 0.1, 1], "linear"),
        ([0.3], "linear"),
    ],
)
def test_the_axis_is_logarithmic_where_the_values_are(values, scale):
    display = _from_values(values)

    assert display.ax_.get_xscale() == scale
    assert _tick_labels(display) == [f"{value:g}" for value in values]


def test_many_values_do_not_have_a_tick_each():
    display = _from_values(range(100))

    assert len(display.ax_.get_xticks()) < 20


def test_values_that_are_no_numbers_keep_their_order():
    display = _from_values(["cosine", None, "auto", [1, 2], True])

    assert _tick_labels(display) == ["cosine", "None", "auto", "[1, 2]", "True"]
    assert_allclose(display.lines_["score"].get_xdata(), range(5))


def test_a_missing_value_of_a_frame_is_none():
    table = pd.DataFrame({"p": [1.0, None, None], "score": [0.5, 0.6, 0.8]})
    display = SensitivityDisplay.from_results(table, "p")

    assert _tick_labels(display) == ["1", "None"]
    assert_allclose(display.lines_["score"].get_ydata(), [0.5, 0.7])


@pytest.mark.parametrize(
    ("reference", "names"),
    [(0.4, ["control"]), ({"SVM": 0.4, "k-NN": 0.3}, ["SVM", "k-NN"])],
)
def test_controls_are_horizontal_lines_in_the_legend(reference, names):
    display = SensitivityDisplay.from_results(
        ROWS, "beta", score="accuracy", reference=reference
    )
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]

    assert list(display.references_) == names
    assert legend == ["accuracy", *names]
    assert set(display.references_[names[0]].get_ydata()) == {0.4}


def test_two_hyper_parameters_are_a_map_with_its_numbers():
    display = SensitivityDisplay.from_results(
        ROWS, ("beta", "gamma"), score="accuracy", reference=0.65, name="toy"
    )
    found = np.ma.filled(display.image_.get_array(), np.nan)

    assert_allclose(found, [[0.7, 0.7], [np.nan, 0.5]])
    assert [text.get_text() for text in display.ax_.texts] == [
        "0.7\n± 0.14",
        "0.7",
        "0.5",
    ]
    assert _tick_labels(display) == ["0.01", "0.1"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("beta", "gamma")
    assert set(display.references_["control"].get_ydata()) == {0.65}
    assert display.ax_.get_title(loc="left") == "toy"
    display.figure_.canvas.draw()


def test_the_scale_of_a_map_reaches_to_the_controls():
    display = SensitivityDisplay.from_results(
        ROWS, ("beta", "gamma"), score="accuracy", reference={"low": 0.2, "high": 0.9}
    )

    assert display.image_.get_clim() == (0.2, 0.9)


def test_a_search_is_drawn_with_its_other_parameters_at_their_best(search):
    display = SensitivityDisplay.from_cv_results(search.cv_results_, "C")
    best = search.best_params_["fit_intercept"]
    chosen = [p["fit_intercept"] == best for p in search.cv_results_["params"]]

    line = display.lines_["score"]
    assert_allclose(line.get_xdata(), [0.01, 0.1, 1])
    assert_allclose(line.get_ydata(), search.cv_results_["mean_test_score"][chosen])


def test_a_search_over_two_parameters_is_a_map(search):
    params = ("C", "fit_intercept")
    display = SensitivityDisplay.from_cv_results(search.cv_results_, params)
    expected = search.cv_results_["mean_test_score"].reshape(3, 2).T

    assert_allclose(np.asarray(display.image_.get_array()), expected)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == [
        "True",
        "False",
    ]


def test_style_is_free(search):
    lines = SensitivityDisplay.from_cv_results(
        search.cv_results_, "C", marker="x", score_name="Accuracy"
    )
    map_ = SensitivityDisplay.from_results(
        ROWS, ("beta", "gamma"), score="accuracy", cmap="Reds"
    )

    assert lines.lines_["Accuracy"].get_marker() == "x"
    assert map_.image_.get_cmap().name == "Reds"


def test_what_is_not_there_is_said(search):
    make, found = SensitivityDisplay.from_results, search.cv_results_
    with pytest.raises(ValueError, match="rows with alpha, score, got one without al"):
        make([{"score": 1.0}], "alpha")
    with pytest.raises(ValueError, match="with a row at least, got none"):
        make([], "alpha")
    with pytest.raises(ValueError, match="one or two hyper-parameters, got 3"):
        make(ROWS, ("beta", "gamma", "method"), score="accuracy")
    with pytest.raises(ValueError, match="one map of two hyper-parameters, got 2"):
        make(ROWS, ("beta", "gamma"), score="accuracy", by="method")
    with pytest.raises(ValueError, match=r"varied, \['C', 'fit_intercept'\], got 'b'"):
        SensitivityDisplay.from_cv_results(found, "b")
    with pytest.raises(ValueError, match="as 'split0_test_f1', got"):
        SensitivityDisplay.from_cv_results(found, "C", scoring="f1")
