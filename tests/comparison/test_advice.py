"""The sentence at the end of a comparison."""

import numpy as np
import pytest

from skda.comparison._advice import advise

PLAIN, FIRST = "plain classifier", "AutoAdapter"


def _advise(**accuracies):
    rows = [(name.replace("_", " "), values) for name, values in accuracies.items()]
    return advise(rows, PLAIN, FIRST)


def test_a_sure_gain_is_recommended():
    said = _advise(plain_classifier=[0.5, 0.6, 0.7], AutoAdapter=[0.6, 0.69, 0.8])

    assert said.startswith("On these data take AutoAdapter: ")
    assert "69.7 %" in said
    assert "60.0 %" in said
    assert "+9.7 points" in said
    # Gains of 10, 9 and 10 points: t = 4.303 with two degrees of freedom.
    reach = 4.302653 * np.std([10, 9, 10], ddof=1) / np.sqrt(3)
    assert f"{29 / 3 - reach:+.1f} to {29 / 3 + reach:+.1f}" in said


def test_an_unsure_gain_is_called_unsure():
    said = _advise(plain_classifier=[0.5, 0.6], AutoAdapter=[0.9, 0.5])

    assert "take" not in said
    assert "with 2 splits that is not certain" in said


def test_one_split_tells_nothing_of_chance():
    said = _advise(plain_classifier=[0.5], STN=[0.6])

    assert "STN has 60.0 %" in said
    assert "with one split nobody can say" in said


def test_nothing_better_is_said_plainly():
    said = _advise(plain_classifier=[0.9, 0.8], AutoAdapter=[0.7, 0.8], STN=[0.1, 0.2])

    assert said == (
        "On these data take the plain classifier: nothing is better than its 85.0 %."
    )


def test_the_first_choice_is_named_unless_another_is_better_for_sure():
    plain = [0.5, 0.5, 0.5]
    level = _advise(
        plain_classifier=plain, AutoAdapter=[0.7, 0.6, 0.7], STN=[0.6, 0.8, 0.7]
    )
    ahead = _advise(
        plain_classifier=plain, AutoAdapter=[0.7, 0.6, 0.7], STN=[0.8, 0.7, 0.8]
    )

    assert "take AutoAdapter" in level
    assert "take STN" in ahead


@pytest.mark.parametrize("rows", [{"STN": [0.5]}, {"plain_classifier": [0.5]}])
def test_without_a_comparison_there_is_no_advice(rows):
    assert _advise(**rows) == ""
