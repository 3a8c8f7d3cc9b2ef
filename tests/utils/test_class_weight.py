"""Tests of `skda.utils.class_weight`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.utils.class_weight import compute_class_weight

from skda.utils.class_weight import weigh_classes
from skda.utils.labels import check_labels

CLASSES = np.array(["ant", "bee", "cat"])
LABELS = check_labels(["cat", "ant", "ant", None, "cat", "cat"], np.empty((6, 1)))


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        (None, [1, 1, 1]),
        ({"bee": 3.0, "cat": 0.5}, [1, 3, 0.5]),
        ("balanced", [5 / 4, 1, 5 / 6]),
    ],
)
def test_weights_of_three_classes(class_weight, expected):
    assert_allclose(weigh_classes(class_weight, CLASSES, LABELS), expected)


def test_balanced_weights_are_those_of_scikit_learn():
    y = np.array([0, 0, 1, 2, 2, 2])
    weights = weigh_classes("balanced", np.arange(3), check_labels(y, y[:, None]))

    assert_allclose(
        weights, compute_class_weight("balanced", classes=np.arange(3), y=y)
    )


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_is_a_positive_number(weight):
    with pytest.raises(ValueError, match="to be positive numbers, got "):
        weigh_classes({"ant": weight}, CLASSES, LABELS)


def test_a_weight_is_that_of_a_class():
    with pytest.raises(ValueError, match="keys, got dog: the classes are ant, bee, c"):
        weigh_classes({"dog": 2.0}, CLASSES, LABELS)
