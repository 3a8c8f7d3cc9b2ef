"""Tests of what the displays have in common."""

import sys

import numpy as np
import pandas as pd
import pytest

from skda.inspection import (
    ComparisonDisplay,
    CriticalDifferenceDisplay,
    EmbeddingDisplay,
    SensitivityDisplay,
    SourceGainDisplay,
    TermsDisplay,
)

TABLE = pd.DataFrame(
    {
        "source": ["real", "none"],
        "accuracy": [0.75, 0.5],
        "gain": [0.25, 0.0],
        "gain_low": [0.0, 0.0],
        "gain_high": [0.5, 0.0],
        "accuracies": [(0.6, 0.9), (0.4, 0.6)],
    }
)
COMPARISON = TABLE.assign(method="Method", std=0.1)
HISTORY = {"phase": ["train"] * 2, "risk": [2.0, 1.0], "train_loss": [2.0, 1.0]}
DATA = {
    ComparisonDisplay: (COMPARISON,),
    CriticalDifferenceDisplay: (np.eye(3),),
    SensitivityDisplay: ({"score": {(1,): [0.5, 0.6]}}, "beta"),
    SourceGainDisplay: (TABLE,),
    TermsDisplay: (HISTORY,),
    EmbeddingDisplay: ({"target": np.eye(2)}, {"target": [0, 1]}),
}


@pytest.fixture(params=DATA, ids=lambda cls: cls.__name__)
def display(request):
    """Make a display that is not drawn yet."""
    display = request.param(*DATA[request.param])
    setattr(display, _name_of(display), "Method")
    return display


def _name_of(display):
    """What holds the name in the title."""
    return "task_name" if hasattr(display, "task_name") else "estimator_name"


def test_a_display_draws_on_axes_of_its_own(display):
    returned = display.plot()

    assert returned is display
    assert display.figure_.axes == [display.ax_]
    assert display.ax_.get_title(loc="left").endswith("Method")
    display.figure_.canvas.draw()  # no artist complains


def test_a_display_draws_on_axes_that_are_given(display, ax):
    display.plot(ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_a_display_without_a_name_has_no_title(display):
    setattr(display, _name_of(display), None)

    assert display.plot().ax_.get_title(loc="left") == ""


def test_matplotlib_is_asked_for_where_it_is_needed(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    name = type(display).__name__
    expected = rf"{name}.plot draws with matplotlib, .* install 'skda\[compare\]'"
    with pytest.raises(ModuleNotFoundError, match=expected):
        display.plot()
