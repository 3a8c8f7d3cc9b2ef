"""Tests of the pictures at the head of the benchmark pages, and of the tables."""

import re
import xml.etree.ElementTree as ET

import pytest

from benchmarks._dots import Dot, dot_of, draw_dots
from benchmarks._tables import Table
from benchmarks.overviews import _against

SVG = "{http://www.w3.org/2000/svg}"


def test_an_interval_is_that_of_students_distribution():
    dot = dot_of("M", [1.0, 2.0, 3.0])

    assert dot.mean == 2
    assert dot.n == 3
    # 4.303 standard errors of 1 / sqrt(3)
    assert dot.high - dot.mean == pytest.approx(2.4841, abs=1e-3)
    assert dot.mean - dot.low == pytest.approx(2.4841, abs=1e-3)


def test_a_drawing_is_the_same_each_time_and_shows_names_as_they_are():
    dots = [Dot("<M> & N", 3.0, 1.0, 5.0, 4), Dot("N", -1.0, -2.0, 0.0, 4)]
    drawn = draw_dots(dots, "points")
    root = ET.fromstring(drawn)
    circles = [float(c.get("cx").rstrip("%")) for c in root.iter(f"{SVG}circle")]

    assert drawn == draw_dots(dots, "points")
    assert "<M> & N" in [text.text for text in root.iter(f"{SVG}text")]
    assert circles[0] > circles[1]
    assert not re.search(r"\d{4}-\d{2}-\d{2}| id=", drawn)
    assert len(drawn) < 4000


def test_methods_are_held_against_the_control_of_the_same_tasks():
    tasks = [f"t{i}" for i in range(6)]
    scores = {("control", task): 0.5 for task in tasks}
    scores |= {("good", task): 0.7 + 0.01 * i for i, task in enumerate(tasks)}
    scores |= {("bad", task): 0.4 for task in tasks[:4]}
    scores |= {("rare", task): 0.9 for task in tasks[:2]}
    overview = _against(scores, "control", "Accuracy", "tasks")
    texts = [text.text for text in ET.fromstring(overview.svg).iter(f"{SVG}text")]

    assert "n = 4 to 6 tasks" in overview.caption
    assert texts.index("good") < texts.index("bad")
    assert "22.5" in texts
    assert "rare" not in texts
    assert ":alt: Accuracy" in overview.rst("dots_x")


def test_without_results_there_is_no_picture():
    assert _against({("a", "t"): 0.5}, "control", "Accuracy", "tasks") is None


def test_the_usual_number_of_splits_stands_in_the_caption():
    cells = ["1.0 ± 0.1 (10)", "2.0 ± 0.1 (10)", "3.0 ± 0.1 (3)", "4 (0.5)"]
    text = Table(["Method", "a"], [["m", cell] for cell in cells]).rst()

    assert ".. list-table:: Mean ± standard deviation, n = 10; another n is in" in text
    assert "1.0 ± 0.1\n" in text
    assert "3.0 ± 0.1 (3)" in text
    assert "4 (0.5)" in text


def test_the_best_cell_is_bold_and_that_of_nobody_is_not():
    header = ["Method", "mean", "seconds", "kept"]
    rows = [
        ["a", "80.1 ± 1.0", "3.0", "5"],
        ["b", "80.1", "1.5", "6"],
        ["oracle", "99.0", "0.1", "7"],
        ["c", "", "9", "8"],
    ]
    text = Table(header, rows).rst()

    assert re.findall(r"\*\*(.*?)\*\*", text) == ["80.1 ± 1.0", "80.1", "1.5"]
    assert "**" not in Table(header, rows, has_best=False).rst()
    assert "**" not in Table(header, rows[:1]).rst()
