"""Tests of `skda.inspection.TermsDisplay`."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetOnly
from skda.heterogeneous import SSAN
from skda.inspection import TermsDisplay
from skda.model_selection import HideLabels, LabeledFold

HISTORY = {
    "epoch": np.arange(1, 4),
    "phase": np.array(["train"] * 3),
    "dur": np.ones(3),
    "risk": np.array([3.0, 2.0, 1.0]),
    "decay": np.array([0.5, np.nan, 0.25]),
    "train_loss": np.array([3.5, 2.0, 1.25]),
}
PHASES = HISTORY | {"phase": np.array(["pretrain", "transfer", "transfer"])}

pytestmark = pytest.mark.filterwarnings(
    "ignore:.* got no label of the target:UserWarning"
)


@pytest.fixture
def ssan():
    """A method whose objective has five terms."""
    return SSAN(max_epochs=4, n_components=4, n_hidden=4, random_state=0)


def _marks(display):
    """Where vertical lines are drawn."""
    lines = set(display.ax_.lines) - set(display.lines_.values())
    return [line.get_xdata()[0] for line in lines]


def test_every_term_and_the_sum_has_a_line():
    display = TermsDisplay(HISTORY).plot()
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]

    assert list(display.lines_) == ["risk", "decay", "train_loss"]
    assert legend == ["risk", "decay", "sum"]
    assert_array_equal(display.lines_["risk"].get_xdata(), [1, 2, 3])
    assert_array_equal(display.lines_["risk"].get_ydata(), [3, 2, 1])
    assert_array_equal(display.lines_["decay"].get_ydata(), [0.5, np.nan, 0.25])


@pytest.mark.parametrize(("least", "scale"), [(0.1, "log"), (-0.1, "linear")])
def test_the_axis_is_logarithmic_unless_a_term_is_negative(least, scale):
    display = TermsDisplay(HISTORY | {"entropy": np.array([1.0, 1.0, least])}).plot()

    assert display.ax_.get_yscale() == scale


def test_phases_are_marked_where_there_are_several():
    one, two = TermsDisplay(HISTORY).plot(), TermsDisplay(PHASES).plot()

    assert not _marks(one)
    assert not one.ax_.texts
    assert _marks(two) == [1.5]
    assert [text.get_text() for text in two.ax_.texts] == ["pretrain", "transfer"]


def test_style_is_free_but_the_sum_keeps_its_own():
    display = TermsDisplay(HISTORY).plot(linewidth=7)

    assert display.lines_["risk"].get_linewidth() == 7
    assert display.lines_["train_loss"].get_linewidth() == 1


@pytest.mark.parametrize(
    "wrap",
    [
        lambda ssan: ssan,
        lambda ssan: make_pipeline(StandardScaler(), ssan),
        lambda ssan: GridSearchCV(ssan, {"beta": [0.1]}, cv=LabeledFold(2)),
        HideLabels,
    ],
    ids=["alone", "pipeline", "search", "hidden"],
)
def test_a_training_is_found_in_whatever_is_fitted(toy, ssan, wrap):
    estimator = wrap(ssan)
    name = "ssan__source" if hasattr(estimator, "steps") else "source"
    estimator.fit(toy.X, toy.y, **{name: toy.source})
    display = TermsDisplay.from_estimator(estimator)

    assert "centroid" in display.lines_
    assert len(display.lines_["train_loss"].get_xdata()) == 4
    assert display.ax_.get_title(loc="left") == "Training of SSAN"


def test_the_name_may_be_another(toy, ssan):
    ssan.fit(toy.X, toy.y, source=toy.source)

    display = TermsDisplay.from_estimator(ssan, name="mine")

    assert display.ax_.get_title(loc="left") == "Training of mine"


def test_an_estimator_must_be_fitted_and_train_a_network(toy, ssan):
    with pytest.raises(NotFittedError):
        TermsDisplay.from_estimator(ssan)
    with pytest.raises(TypeError, match=r"got TargetOnly\(\), which has no history_: "):
        TermsDisplay.from_estimator(TargetOnly().fit(toy.X, toy.y))


def test_small_terms_are_written_without_powers():
    axes = TermsDisplay(HISTORY).plot().ax_
    axes.figure.canvas.draw()
    ticks = [*axes.get_yticklabels(), *axes.get_yticklabels(minor=True)]
    texts = {text.get_text() for text in ticks}

    assert {"1", "0.5", "2"} <= texts
    assert not any("times" in text for text in texts)
