"""Tests of `skda.inspection.EmbeddingDisplay`."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetOnly
from skda.heterogeneous import STN
from skda.inspection import EmbeddingDisplay
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED

NAMES = np.array(["ant", "bee", "cat"], dtype=object)
GRAY = (0.8, 0.8, 0.8)


@pytest.fixture(scope="module")
def stn(toy):
    """A fitted method."""
    return _stn().fit(toy.X, toy.y, source=toy.source)


def _stn():
    return STN(max_epochs=3, n_components=4, random_state=0)


def _legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def _colors(display, domain):
    return display.points_[domain].get_facecolor()[:, :3]


def test_both_domains_are_projected_together(toy, stn):
    display = EmbeddingDisplay.from_estimator(stn, toy.X, toy.y_true, toy.source)
    latent = stn.transform(toy.X), stn.transform(toy.source[0], domain="source")
    expected = PCA(2).fit_transform(np.concatenate(latent))

    assert list(display.points_) == ["source", "target"]
    assert_allclose(display.embeddings["target"], expected[:300], atol=1e-5)
    assert_allclose(display.embeddings["source"], expected[300:], atol=1e-5)


def test_every_point_has_the_color_of_its_class():
    target = np.arange(10.0).reshape(5, 2)
    display = EmbeddingDisplay(
        {"target": target, "source": target + 1},
        {"target": ["b", "a", None, "b", "c"], "source": ["a", "b", "b", "c", "c"]},
    ).plot()
    legend = dict(
        zip(_legend(display), display.ax_.get_legend().legend_handles, strict=True)
    )
    color = {
        label: tuple(handle.get_facecolor()[0, :3]) for label, handle in legend.items()
    }

    assert list(legend) == ["source", "target", "a", "b", "c", "unlabeled"]
    assert len({color[label] for label in ("a", "b", "c", "unlabeled")}) == 4
    # The unlabeled are drawn first, and the rest class by class.
    assert_array_equal(display.points_["target"].get_offsets()[:, 0], [4, 2, 0, 6, 8])
    expected = [color[label] for label in ("unlabeled", "a", "b", "b", "c")]
    assert_allclose(_colors(display, "target"), expected)
    expected = [color[label] for label in ("a", "b", "b", "c", "c")]
    assert_allclose(_colors(display, "source"), expected)


def test_the_target_may_be_drawn_alone(toy, stn):
    display = EmbeddingDisplay.from_estimator(stn, toy.X, toy.y)

    assert list(display.points_) == ["target"]
    assert _legend(display) == ["target", "0", "1", "2", "unlabeled"]


def test_without_labels_the_predictions_are_shown(toy, stn):
    display = EmbeddingDisplay.from_estimator(stn, toy.X)

    assert_array_equal(display.labels["target"], stn.predict(toy.X))


def test_nobody_may_have_a_label():
    display = EmbeddingDisplay({"target": np.eye(2)}, {"target": [UNLABELED] * 2})
    display.plot()

    assert _legend(display) == ["target", "unlabeled"]
    assert_allclose(_colors(display, "target"), [GRAY] * 2)


@pytest.mark.parametrize("n_classes", [10, 20])
def test_classes_have_colors_of_their_own_and_none_that_of_no_class(n_classes):
    rows = np.random.default_rng(0).normal(size=(n_classes, 2))
    display = EmbeddingDisplay({"target": rows}, {"target": range(n_classes)}).plot()
    colors = {tuple(color) for color in _colors(display, "target")}

    assert len(colors) == n_classes
    assert min(np.abs(np.array(list(colors)) - GRAY).max(axis=1)) > 0.1
    assert len(_legend(display)) == n_classes + 1


def test_many_classes_are_named_where_they_lie():
    rows = np.random.default_rng(0).normal(size=(90, 2))
    labels = np.arange(90) % 30
    source_labels = np.arange(90) % 31  # one more class, which has no target row
    display = EmbeddingDisplay(
        {"target": rows, "source": rows}, {"target": labels, "source": source_labels}
    ).plot()
    places = {text.get_text(): text.xy for text in display.ax_.texts}

    assert _legend(display) == ["source", "target"]
    assert list(places) == [str(k) for k in range(30)]
    assert any(np.array_equal(places["7"], row) for row in rows[labels == 7])
    assert len({tuple(color) for color in _colors(display, "source")}) == 31


@pytest.mark.parametrize("routed", [False, True], ids=["plain", "routed"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda stn: make_pipeline(StandardScaler(), stn),
        lambda stn: GridSearchCV(stn, {"beta": [0.001]}, cv=LabeledFold(2)),
    ],
    ids=["pipeline", "search"],
)
def test_the_method_is_found_in_whatever_is_fitted(toy, wrap, routed):
    estimator = wrap(_stn())
    inside = hasattr(estimator, "steps")
    with sklearn.config_context(enable_metadata_routing=routed):
        name = "stn__source" if inside and not routed else "source"
        estimator.fit(toy.X, toy.y, **{name: toy.source})
        display = EmbeddingDisplay.from_estimator(estimator, toy.X, None, toy.source)

    final = estimator[-1] if inside else estimator.best_estimator_
    X = StandardScaler().fit_transform(toy.X) if inside else toy.X
    assert display.ax_.get_title(loc="left") == "Common space of STN"
    assert_array_equal(display.labels["target"], final.predict(X))


def test_another_reducer_is_cloned(toy, stn):
    reducer = TSNE(perplexity=5, max_iter=250, random_state=0)
    display = EmbeddingDisplay.from_estimator(
        stn, toy.X[:30], toy.y_true[:30], reducer=reducer, name="mine", alpha=1
    )

    assert display.embeddings["target"].shape == (30, 2)
    assert not hasattr(reducer, "embedding_")
    assert display.ax_.get_title(loc="left") == "Common space of mine"
    assert display.points_["target"].get_alpha() == 1


def test_a_frame_is_as_good_as_an_array(toy, stn):
    stn = _stn().set_output(transform="pandas").fit(toy.X, toy.y, source=toy.source)
    display = EmbeddingDisplay.from_estimator(stn, toy.X, NAMES[toy.y_true], toy.source)

    assert display.embeddings["source"].shape == (300, 2)


def test_the_common_space_is_required(toy):
    with pytest.raises(
        TypeError, match=r"got TargetOnly\(\), which has no transform: "
    ):
        EmbeddingDisplay.from_estimator(TargetOnly().fit(toy.X, toy.y), toy.X)


def test_the_source_is_a_tuple_of_two(toy, stn):
    with pytest.raises(TypeError, match="a tuple of two, got array"):
        EmbeddingDisplay.from_estimator(stn, toy.X, toy.y, toy.source[0])


def test_the_reducer_must_return_two_dimensions(toy, stn):
    with pytest.raises(
        ValueError, match=r"two dimensions, got PCA\(n_components=3\), .* \(300, 3\)"
    ):
        EmbeddingDisplay.from_estimator(stn, toy.X, reducer=PCA(3))
