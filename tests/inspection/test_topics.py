"""Tests of `skda.inspection.TopicMapDisplay` and `ClassWeightsDisplay`."""

import sys

import numpy as np
import pytest
from matplotlib import colors, pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.inspection import ClassWeightsDisplay, TopicMapDisplay
from skda.model_selection import HideLabels, LabeledFold
from skda.partial import BA3US, ISRA
from skda.unsupervised import DANN

MASKS = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
WEIGHTS = {"source": np.array([[1, 0], [2, 0], [4, 0]])}
HISTORY = np.array([[0.25, 0.25, 0.25, 0.25], [0.6, 0.1, 0.3, 0.0]])
CLASSES = np.array(["a", "b", "c", "d"])
DISPLAYS = [
    TopicMapDisplay(MASKS, estimator_name="Method"),
    ClassWeightsDisplay(HISTORY, CLASSES, estimator_name="Method"),
]
FAST = {"n_components": 4, "discriminator_layer_sizes": (4,), "max_epochs": 12}


@pytest.fixture(scope="module")
def blobs():
    """A source of three classes, a target of two, and the target's classes."""
    X, y = make_blobs(120, n_features=5, random_state=0)
    few = y[:60] < 2
    return X[:60][few] + 1.0, y[:60][few], (X[60:], y[60:])


@pytest.fixture(scope="module")
def isra(blobs):
    """Topics of BA3US."""
    X, _, source = blobs
    backbone = BA3US(**FAST, n_refreshes=4, random_state=0)
    return ISRA(backbone, n_topics=6).fit(X, source=source)


def test_topics_are_scaled_one_by_one():
    display = TopicMapDisplay(MASKS, WEIGHTS).plot()

    assert list(display.images_) == list(display.axes_) == ["features", "source"]
    assert_array_equal(
        display.images_["features"].get_array(), [[0.25, 0.5, 1], [0, 0, 0]]
    )
    assert_array_equal(
        display.images_["source"].get_array(), [[0.25, 0.5, 1], [0, 0, 0]]
    )
    assert display.axes_["source"].get_xlabel() == "Row of the source"


def test_rows_reach_the_topics_through_whatever_is_around_them(blobs):
    X, y, source = blobs
    steps = make_pipeline(
        StandardScaler(), HideLabels(ISRA(BA3US(**FAST), n_topics=6, random_state=0))
    )
    steps.fit(X, y, hidelabels__source=source)
    display = TopicMapDisplay.from_estimator(steps, X)
    rows = steps[0].transform(X)

    assert_allclose(
        display.row_weights["target"], steps[1].estimator_.topic_weights(rows)
    )
    assert_array_equal(display.labels["target"], steps.predict(X))


def test_classes_are_named_below_their_rows_and_told_apart_by_lines():
    display = TopicMapDisplay(MASKS, WEIGHTS, {"source": ["b", None, "a"]}).plot()
    axes = display.axes_["source"]

    assert axes.get_xlabel() == "Row of the source, by class"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "?"]
    assert axes.get_xticks().tolist() == [0, 1, 2]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.5, 1.5]


def test_classes_that_are_too_many_to_be_named_are_not():
    rows = np.ones((50, 2))
    display = TopicMapDisplay(MASKS, {"source": rows}, {"source": np.arange(50)}).plot()

    assert not display.axes_["source"].lines


@pytest.mark.parametrize("labels", [[1, -1, 0], ["b", None, "a"]])
def test_rows_are_sorted_by_class_and_the_unknown_come_last(labels):
    display = TopicMapDisplay(MASKS, WEIGHTS, {"source": labels}).plot()

    assert_array_equal(display.images_["source"].get_array()[0], [1, 0.25, 0.5])


def test_topics_are_found_in_what_is_fitted(isra, blobs):
    X, y, source = blobs
    display = TopicMapDisplay.from_estimator(isra, X, y, source)
    alone = TopicMapDisplay.from_estimator(isra, name="mine")

    shapes = {k: image.get_array().shape for k, image in display.images_.items()}
    assert shapes == {"features": (6, 4), "source": (6, 60), "target": (6, len(X))}
    assert display.ax_.get_title(loc="left") == "Topics of ISRA"
    assert display.figure_.axes == list(display.axes_.values())
    assert list(alone.images_) == ["features"]
    assert alone.ax_.get_title(loc="left") == "Topics of mine"


def test_rows_without_classes_are_sorted_by_prediction(isra, blobs):
    X, *_ = blobs
    by_prediction, expected = (
        TopicMapDisplay.from_estimator(isra, X, y).images_["target"].get_array()
        for y in (None, isra.predict(X))
    )

    assert_array_equal(by_prediction, expected)


def test_classes_of_the_target_stand_out():
    guessed = ClassWeightsDisplay(HISTORY, CLASSES).plot()
    told = ClassWeightsDisplay(HISTORY, CLASSES, shared=["b", "d"]).plot()

    def blue(display):
        shades = {k: colors.to_rgb(line.get_color()) for k, line in drawn(display)}
        return {k for k, (red, _, blue) in shades.items() if blue > red}

    def drawn(display):
        return display.lines_.items()

    assert list(guessed.lines_) == ["a", "b", "c", "d"]
    assert_array_equal(guessed.lines_["a"].get_ydata(), [0.25, 0.6])
    assert_array_equal(guessed.lines_["a"].get_xdata(), [1, 2])
    assert blue(guessed) == {"a", "c"}
    assert blue(told) == {"b", "d"}


def test_similar_classes_are_shown_with_those_of_the_target_first():
    similarity = np.arange(16).reshape(4, 4) / 16
    display = ClassWeightsDisplay(HISTORY, CLASSES, similarity=similarity).plot()
    axes = display.axes_["similarity"]
    order = [0, 2, 1, 3]

    assert [label.get_text() for label in axes.get_xticklabels()] == list("acbd")
    assert_array_equal(axes.images[0].get_array(), similarity[np.ix_(order, order)])
    weights = [label.get_fontweight() for label in axes.get_yticklabels()]
    assert weights == ["bold", "bold", "normal", "normal"]


def test_classes_are_found_in_what_is_fitted(isra, blobs):
    _, _, source = blobs
    display = ClassWeightsDisplay.from_estimator(isra, source)
    values = display.similarity

    assert list(display.axes_) == ["weights", "similarity"]
    assert len(display.lines_["0"].get_ydata()) == len(isra.class_weights_history_)
    assert_allclose(np.diag(values), 1, atol=1e-6)
    assert_allclose(values, values.T)
    assert (values <= 1 + 1e-6).all()
    assert display.ax_.get_title(loc="left") == "Class weights of ISRA"


def test_a_class_without_source_rows_is_like_no_other(isra, blobs):
    X, y = blobs[2]
    display = ClassWeightsDisplay.from_estimator(isra, (X[y != 1], y[y != 1]))

    assert_array_equal(display.similarity[1], 0)
    assert_allclose(np.diag(display.similarity), [1, 0, 1], atol=1e-6)


@pytest.mark.parametrize("wrap", [HideLabels, lambda clf: clf])
def test_classes_are_found_in_what_wraps_a_method(wrap, blobs):
    X, y, source = blobs
    clf = wrap(BA3US(**FAST, random_state=0)).fit(X, y, source=source)

    assert list(ClassWeightsDisplay.from_estimator(clf).lines_) == ["0", "1", "2"]


def test_a_search_has_topics_too(blobs):
    X, y, source = blobs
    clf = ISRA(BA3US(**FAST, random_state=0), n_topics=3)
    search = GridSearchCV(clf, {"beta": [0.1]}, cv=LabeledFold(2))
    search.fit(X, y, source=source)

    assert TopicMapDisplay.from_estimator(search).images_["features"]


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda d: type(d).__name__)
def test_a_display_draws_where_it_is_told_to(display, ax):
    returned = display.plot(ax=ax)

    assert returned is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.ax_.get_title(loc="left").endswith("Method")
    display.figure_.canvas.draw()  # no artist complains
    with pytest.raises(ValueError, match=r"Expected axes for each of .*, got 2: pass"):
        display.plot(ax=plt.subplots(1, 2)[1])


def test_style_is_free(ax):
    topics = TopicMapDisplay(MASKS).plot(cmap="Reds")
    classes = ClassWeightsDisplay(HISTORY, CLASSES).plot(ax=ax, linewidth=7)

    assert topics.images_["features"].get_cmap().name == "Reds"
    assert classes.lines_["a"].get_linewidth() == 7


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda d: type(d).__name__)
def test_matplotlib_is_asked_for_where_it_is_needed(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    name = type(display).__name__
    with pytest.raises(ModuleNotFoundError, match=f"{name}.plot draws with matplotlib"):
        display.plot()


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (TopicMapDisplay, r"got DANN\(.*\), which has no topic_masks_: pass a"),
        (ClassWeightsDisplay, r"(?s)got DANN\(.*\), which has\s+no class_weights_his"),
    ],
)
def test_an_estimator_must_be_fitted_and_have_what_is_drawn(cls, expected, blobs):
    X, _, source = blobs
    with pytest.raises(NotFittedError):
        cls.from_estimator(ISRA())
    with pytest.raises(TypeError, match=expected):
        cls.from_estimator(DANN(max_epochs=1).fit(X, source=source))
