"""Tests of `skda.inspection.ComparisonDisplay`."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from skda.inspection import ComparisonDisplay

ACCURACIES = {
    ("SVMt", "unused"): (0.6, 0.8),
    ("STN", "real"): (0.8, 0.9),
    ("STN", "none"): (0.7, 0.75),
    ("GeoST", "none"): (0.9, 0.9),
}


@pytest.fixture
def table():
    """A table as `compare` returns it."""
    rows = [
        {
            "method": method,
            "source": source,
            "accuracy": np.mean(accuracies),
            "std": np.std(accuracies, ddof=1),
            "accuracies": accuracies,
        }
        for (method, source), accuracies in ACCURACIES.items()
    ]
    return pd.DataFrame(rows)


def _ends(interval):
    """The middle, its height, and the ends of an interval that was drawn."""
    point, _, (line,) = interval
    (start, stop) = line.get_segments()[0][:, 0]
    return point.get_xdata().item(), point.get_ydata().item(), start, stop


def _labels(display):
    legend = display.ax_.get_legend()
    return [text.get_text() for text in legend.get_texts()]


def test_the_intervals_are_means_and_deviations_in_percent(table):
    display = ComparisonDisplay.from_frame(table)
    spread = 20 / np.sqrt(2)

    assert list(display.intervals_) == list(ACCURACIES)
    middle, _, *ends = _ends(display.intervals_["SVMt", "unused"])
    assert middle == pytest.approx(70)
    assert_allclose(ends, [70 - spread, 70 + spread])


def test_methods_come_from_top_to_bottom_and_pairs_share_a_line(table):
    display = ComparisonDisplay.from_frame(table)
    heights = {key: _ends(i)[1] for key, i in display.intervals_.items()}
    names = [label.get_text() for label in display.ax_.get_yticklabels()]

    assert names == ["SVMt", "STN", "GeoST"]
    assert heights["SVMt", "unused"] == 0
    assert heights["GeoST", "none"] == -2  # alone, so in the middle
    with_source, without = heights["STN", "real"], heights["STN", "none"]
    assert with_source > without
    assert with_source + without == -2


def test_colors_tell_with_from_without_a_source(table):
    display = ComparisonDisplay.from_frame(table)
    color = {key: to_hex(i[0].get_color()) for key, i in display.intervals_.items()}

    assert color["STN", "none"] == color["GeoST", "none"]
    assert len(set(color.values())) == 3
    assert _labels(display) == [
        "with the source",
        "without a source",
        "target-only control",
    ]


def test_the_legend_has_only_what_is_there(table):
    assert _labels(ComparisonDisplay.from_frame(table[:1])) == ["target-only control"]


def test_every_split_is_a_dot_and_every_mean_a_number(table):
    display = ComparisonDisplay.from_frame(table)
    drawn = [c for c in display.ax_.collections if isinstance(c, PathCollection)]
    texts = [text.get_text() for text in display.ax_.texts]

    assert_allclose(drawn[0].get_offsets()[:, 0], [60, 80])
    assert texts == ["70.0", "85.0", "72.5", "90.0"]
    assert "the 2 splits" in display.ax_.get_xlabel()


def test_one_split_has_no_interval(table):
    table = table[:1].assign(std=np.nan, accuracies=[(0.7,)])
    display = ComparisonDisplay.from_frame(table)
    middle, _, *ends = _ends(display.intervals_["SVMt", "unused"])

    assert ends == [middle, middle]
    assert "splits" not in display.ax_.get_xlabel()


def test_style_is_free(table):
    display = ComparisonDisplay.from_frame(table, color="red", capsize=3)

    assert {to_hex(i[0].get_color()) for i in display.intervals_.values()} == {
        "#ff0000"
    }


@pytest.mark.parametrize(
    ("spoil", "lack"),
    [
        (lambda table: table.drop(columns=["std", "accuracy"]), "accuracy, std:"),
        (lambda table: table[:0], "a row:"),
    ],
)
def test_another_table_is_refused(table, spoil, lack):
    with pytest.raises(ValueError, match=f"skda.compare, got a table without {lack}"):
        ComparisonDisplay.from_frame(spoil(table))
