"""Tests of `skda.inspection.RetrievalDisplay`."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin

from skda.inspection import RetrievalDisplay
from skda.inspection._retrieval import RetrievalCurve
from skda.metrics import (
    chance_average_precision,
    mean_average_precision_score,
    retrieval_precision_recall_curve,
)

DIRECTIONS = ["image → text", "text → image"]


class Noisy(TransformerMixin, BaseEstimator):
    """A retriever that adds noise to its views."""

    def __init__(self, noise=0.0):
        self.noise = noise

    def fit(self, X, y=None):
        self.views_ = tuple(X)
        return self

    def transform(self, X):
        rng = np.random.default_rng(0)
        return {n: v + self.noise * rng.normal(size=v.shape) for n, v in X.items()}


@pytest.fixture(scope="module")
def y():
    """Labels of sixty pairs."""
    return np.arange(60) % 3


@pytest.fixture(scope="module")
def views(y):
    """Two views with the classes in them."""
    rows = np.eye(3)[y] + 0.5 * np.random.default_rng(0).normal(size=(2, 60, 3))
    return {"image": rows[0], "text": rows[1]}


def _texts(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def _chance(axes):
    """The dashed line of a panel."""
    return axes.lines[-1]


def test_the_lines_are_the_curves_of_the_metrics(views, y):
    display = RetrievalDisplay.from_embeddings(views, y, n_points=11)
    data = y, y, views["text"], views["image"]
    precision, recall = retrieval_precision_recall_curve(*data, n_points=11)
    line = display.lines_["all directions", "text → image"]

    assert [label for _, label in display.lines_] == DIRECTIONS
    assert_allclose(line.get_xdata(), recall)
    assert_allclose(line.get_ydata(), precision)
    score = mean_average_precision_score(*data)
    assert f"text → image  {score:.3f}" in _texts(display.ax_)


def test_chance_is_a_dashed_line(views, y):
    display = RetrievalDisplay.from_embeddings(views, y)
    chance = chance_average_precision(y, y)

    assert_allclose(_chance(display.ax_).get_ydata(), chance)
    assert _chance(display.ax_).get_linestyle() == "--"
    assert f"chance  {chance:.3f}" in _texts(display.ax_)


def test_without_chance_there_is_no_such_line(views, y):
    drawn = RetrievalDisplay.from_embeddings(views, y)
    display = RetrievalDisplay(drawn.curves).plot()

    assert len(display.ax_.lines) == 2
    assert not any("chance" in text for text in _texts(display.ax_))


def test_an_estimator_draws_what_it_embeds(views, y, ax):
    estimator = Noisy(0.5).fit(views)
    display = RetrievalDisplay.from_estimator(estimator, views, y, ax=ax)
    expected = RetrievalDisplay.from_embeddings(estimator.transform(views), y)

    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_title(loc="left") == "Retrieval by Noisy"
    for key, line in display.lines_.items():
        assert_allclose(line.get_ydata(), expected.lines_[key].get_ydata())


def test_the_name_and_the_style_are_free(views, y):
    display = RetrievalDisplay.from_estimator(
        Noisy().fit(views), views, y, name="Mine", color="red", linestyle=":"
    )
    unnamed = RetrievalDisplay.from_embeddings(views, y)

    assert display.ax_.get_title(loc="left") == "Retrieval by Mine"
    assert unnamed.ax_.get_title(loc="left") == ""
    assert {to_hex(line.get_color()) for line in display.lines_.values()} == {"#ff0000"}
    assert {line.get_linestyle() for line in display.lines_.values()} == {":"}


def test_estimators_share_a_panel_for_each_direction(views, y):
    estimators = {"good": Noisy().fit(views), "poor": Noisy(2.0).fit(views)}
    display = RetrievalDisplay.from_estimators(estimators, views, y)

    assert list(display.axes_) == DIRECTIONS
    assert display.figure_.axes == list(display.axes_.values())
    assert display.ax_ is display.axes_["image → text"]
    for title, axes in display.axes_.items():
        assert axes.get_title(loc="left") == title
        assert len(axes.lines) == 3
        good, poor = (display.lines_[title, name] for name in estimators)
        assert good.get_ydata().mean() > poor.get_ydata().mean()
    display.figure_.canvas.draw()  # no artist complains


def test_no_curve_is_cut_off_and_panels_have_one_scale(views, y):
    display = RetrievalDisplay.from_estimators({"it": Noisy().fit(views)}, views, y)
    limits = {axes.get_ylim() for axes in display.axes_.values()}
    highest = max(line.get_ydata().max() for line in display.lines_.values())

    assert len(limits) == 1
    assert limits.pop()[1] > highest


def test_panels_may_be_given(views, y):
    axes = plt.subplots(1, 2)[1]
    display = RetrievalDisplay.from_estimators(
        {"it": Noisy().fit(views)}, views, y, ax=axes
    )

    assert list(display.axes_.values()) == list(axes)


def test_a_panel_is_needed_for_each_direction(views, y, ax):
    with pytest.raises(ValueError, match=r"each of \['image → text', .*\], got 1"):
        RetrievalDisplay.from_estimators({"it": Noisy().fit(views)}, views, y, ax=ax)


def test_matplotlib_is_asked_for_where_it_is_needed(views, y, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    expected = r"RetrievalDisplay.plot draws with matplotlib, .* 'skda\[compare\]'"
    for draw in (RetrievalDisplay.from_embeddings, _panels):
        with pytest.raises(ModuleNotFoundError, match=expected):
            draw(views, y)


def _panels(views, y):
    return RetrievalDisplay.from_estimators({"it": Noisy().fit(views)}, views, y)


def test_the_legend_keeps_away_from_curves_that_are_high():
    curve = RetrievalCurve(np.ones(5), np.linspace(0, 1, 5), 1.0)
    display = RetrievalDisplay({"A → B": {"good": curve}}, chance=0.1).plot()
    display.figure_.canvas.draw()
    box = display.ax_.get_legend().get_window_extent()
    height = display.ax_.transData.transform((0.5, 1.0))[1]

    assert box.y1 < height
