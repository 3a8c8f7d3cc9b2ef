"""Tests of `skda.inspection.SourceGainDisplay`."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from skda import source_gain
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import STN
from skda.inspection import SourceGainDisplay

SPLITS = {
    "real": (0.6, 0.9),
    "none": (0.5, 0.5),
    "renamed": (0.4, 0.4),
    "shuffled": (0.5, 0.6),
    "gaussian": (0.1, 0.2),
}


@pytest.fixture
def table():
    """A table as `source_gain` returns it."""
    rows = []
    for kind, accuracies in SPLITS.items():
        gain = np.mean(accuracies) - 0.5
        low, high = (0, 0) if kind == "none" else (gain - 0.02, gain + 0.03)
        rows.append(
            {
                "source": kind,
                "accuracy": np.mean(accuracies),
                "gain": gain,
                "gain_low": low,
                "gain_high": high,
                "accuracies": accuracies,
            }
        )
    return pd.DataFrame(rows)


def _ends(interval):
    """The middle and the ends of an interval that was drawn."""
    point, _, (line,) = interval
    (start, stop) = line.get_segments()[0][:, 0]
    return point.get_xdata().item(), start, stop


def _texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_the_intervals_are_those_of_the_table_in_points(table):
    display = SourceGainDisplay.from_frame(table)

    assert len(display.intervals_) == 4
    assert_allclose(_ends(display.intervals_[0]), (25, 23, 28))
    assert_allclose(_ends(display.intervals_[3]), (-35, -37, -32))


def test_every_split_is_a_dot(table):
    display = SourceGainDisplay.from_frame(table)
    drawn = [c for c in display.ax_.collections if isinstance(c, PathCollection)]
    dots = [collection.get_offsets()[:, 0] for collection in drawn]

    assert_allclose(dots[0], [10, 40])
    assert_allclose(dots[3], [-40, -30])


def test_the_numbers_are_written_out(table):
    display = SourceGainDisplay.from_frame(table, name="Method")
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]

    assert labels == [
        "the source",
        "classes renamed",
        "labels shuffled",
        "Gaussian noise",
    ]
    assert "no source: 50.0%" in _texts(display)
    assert "+25.0  (75.0%)" in _texts(display)
    assert "\N{MINUS SIGN}10.0  (40.0%)" in _texts(display)
    assert "the 2 splits" in display.ax_.get_xlabel()


def test_the_order_of_the_rows_may_be_another(table):
    display = SourceGainDisplay.from_frame(table[::-1])

    assert display.ax_.get_yticklabels()[-1].get_text() == "the source"
    assert_allclose(_ends(display.intervals_[-1]), (25, 23, 28))


def test_the_real_source_stands_out_and_style_is_free(table):
    usual = SourceGainDisplay.from_frame(table)
    styled = SourceGainDisplay.from_frame(table, color="red", capsize=3)
    colors = [to_hex(interval[0].get_color()) for interval in usual.intervals_]

    assert colors[0] != colors[1] == colors[2] == colors[3]
    assert {to_hex(i[0].get_color()) for i in styled.intervals_} == {"#ff0000"}


def test_an_estimator_is_measured_as_by_source_gain(ax):
    data = make_heterogeneous_domains(60, 60, random_state=0)
    stn = STN(max_epochs=5, lr=0.01, n_components=4, random_state=0)
    settings = {"source": data.source, "n_splits": 2, "n_per_class": 2}
    settings["random_state"] = 3
    display = SourceGainDisplay.from_estimator(
        stn, data.X, data.y_true, ax=ax, **settings
    )
    table = source_gain(stn, data.X, data.y_true, **settings)

    pd.testing.assert_frame_equal(
        display.table.drop(columns="seconds"), table.drop(columns="seconds")
    )
    assert display.ax_ is ax
    assert ax.get_title(loc="left") == "What the source is worth to STN"


@pytest.mark.parametrize(
    ("spoil", "lack"),
    [
        (lambda table: table.drop(columns=["gain", "accuracy"]), "accuracy, gain:"),
        (lambda table: table[table["source"] != "none"], "a row of no source:"),
    ],
)
def test_another_table_is_refused(table, spoil, lack):
    with pytest.raises(
        ValueError, match=f"skda.source_gain, got a table without {lack}"
    ):
        SourceGainDisplay.from_frame(spoil(table))
