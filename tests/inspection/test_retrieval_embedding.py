"""Tests of `skda.inspection.RetrievalEmbeddingDisplay`."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skda.inspection import RetrievalEmbeddingDisplay
from skda.retrieval import RidgeCCA

NAMES = np.array(["ant", "bee", "cat", "dog"], dtype=object)


@pytest.fixture(scope="module")
def pairs():
    """Two views of four categories, and their names."""
    rng = np.random.default_rng(0)
    codes = np.arange(48) % 4
    latent = rng.normal(size=(4, 4))[codes] + 0.3 * rng.normal(size=(48, 4))
    views = {
        "image": latent @ rng.normal(size=(4, 8)),
        "text": latent @ rng.normal(size=(4, 5)),
    }
    return views, NAMES[codes]


@pytest.fixture(scope="module")
def cca(pairs):
    """A fitted retriever."""
    return RidgeCCA().fit(pairs[0])


def _legend(display):
    legend = list(display.axes_.values())[-1].get_legend()
    return [text.get_text() for text in legend.get_texts()]


def test_views_are_drawn_before_and_after_in_both_their_markers(pairs, cca):
    display = RetrievalEmbeddingDisplay.from_estimator(cca, *pairs)
    before, after = display.axes_

    assert "before" in before
    assert after == "after: common space of RidgeCCA"
    assert list(display.points_) == [
        (panel, view) for panel in (before, after) for view in ("image", "text")
    ]
    for points in display.points_.values():
        assert points.get_offsets().shape == (48, 2)
    assert _legend(display) == ["image", "text", *NAMES]


def test_after_is_what_the_cosine_sees_around_the_middle_of_each_view(pairs, cca):
    display = RetrievalEmbeddingDisplay.from_estimator(cca, *pairs, reducer=PCA(2))
    units = [normalize(rows) for rows in cca.transform(pairs[0]).values()]
    centered = [normalize(rows - rows.mean(axis=0)) for rows in units]
    expected = PCA(2).fit_transform(np.concatenate(centered))
    _, after = display.panels.values()

    assert_allclose(np.concatenate(list(after.values())), expected, atol=1e-5)


def test_rows_of_a_category_have_one_color_and_unlabeled_ones_are_gray(pairs, cca):
    views, y = pairs
    some = np.where(np.arange(48) < 8, None, y)
    display = RetrievalEmbeddingDisplay.from_estimator(cca, views, some, reducer=PCA(2))
    colors = [points.get_facecolor()[:, :3] for points in display.points_.values()]

    for of_view in colors[::2]:  # crosses have no face
        assert_allclose(of_view[:8], 0.8)
        for name in NAMES:
            (color,) = np.unique(of_view[some == name], axis=0)
            assert np.ptp(color) > 0
    assert_array_equal(colors[0], colors[2])


def test_all_forms_of_views_are_drawn_alike(pairs, cca):
    views, y = pairs
    side_by_side = np.hstack(list(views.values()))
    slices = {"image": slice(8), "text": slice(8, 13)}
    displays = [
        RetrievalEmbeddingDisplay.from_estimator(estimator, X, y, reducer=PCA(2))
        for estimator, X in (
            (cca, views),
            (cca, {"text": csr_array(views["text"]), "image": views["image"]}),
            (cca, list(views.values())),
            (RidgeCCA(views=slices).fit(side_by_side), side_by_side),
        )
    ]

    for display in displays[1:]:
        for panel, first in zip(display.panels, displays[0].panels, strict=True):
            for view, rows in displays[0].panels[first].items():
                assert_allclose(display.panels[panel][view], rows, atol=1e-4)


def test_given_axes_are_used_and_must_be_two(pairs, cca):
    _, axes = plt.subplots(1, 2)
    display = RetrievalEmbeddingDisplay.from_estimator(
        cca, *pairs, reducer=PCA(2), ax=axes, name="CCA", s=3
    )

    assert list(display.axes_.values()) == list(axes)
    assert display.ax_ is axes[0]
    assert "after: common space of CCA" in display.axes_
    assert all(points.get_sizes() == [3] for points in display.points_.values())
    with pytest.raises(ValueError, match=r"Expected axes for each of .*, got 1"):
        display.plot(ax=axes[0])


def test_estimators_without_views_are_refused(pairs):
    views, y = pairs
    model = LogisticRegression().fit(views["text"], y)

    with pytest.raises((TypeError, AttributeError), match="transform"):
        RetrievalEmbeddingDisplay.from_estimator(model, views["text"], y)
