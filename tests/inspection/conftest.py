"""What the tests of the displays share."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


@pytest.fixture
def ax():
    """Axes of a figure."""
    return plt.subplots()[1]
