import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetNet
from skda.heterogeneous import GeoST
from skda.retrieval import RidgeCCA
from skda.utils.shapes import describe_shapes

RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(12, 3)), np.arange(12) % 3
SOURCE = RNG.normal(size=(15, 5)), np.arange(15) % 3


def test_the_diagram_of_a_fitted_estimator_has_the_shapes_of_both_domains():
    geost = GeoST(n_neighbors=3).fit(X, y, source=SOURCE)

    assert "target 12 x 3; source 15 x 5" in geost._repr_html_()
    assert "target 12" not in GeoST()._repr_html_()


def test_the_diagram_of_an_estimator_with_another_one_inside_has_both():
    geost = GeoST(n_neighbors=3, source_transformer=StandardScaler())
    before, after = geost._repr_html_(), geost.fit(X, y, source=SOURCE)._repr_html_()

    assert "source_transformer: StandardScaler" in before
    assert "source_transformer: StandardScaler" in after
    assert "target 12 x 3; source 15 x 5" in after


def test_a_fit_that_fails_leaves_no_shapes_behind():
    geost = GeoST(n_neighbors=3).fit(X, y, source=SOURCE)
    with pytest.raises(ValueError, match="label"):
        geost.fit(X)

    assert "target 12" not in geost._repr_html_()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_diagram_says_nothing_of_a_source_that_was_not_there():
    net = TargetNet(max_epochs=1, random_state=0).fit(X, y)

    assert "target 12 x 3" in net._repr_html_()
    assert "source 1" not in net._repr_html_()


def test_views_are_described_by_name():
    cca = RidgeCCA().fit({"text": X, "image": SOURCE[0][:12]})

    assert "target text 12 x 3, image 12 x 5" in cca._repr_html_()


def test_several_sources_and_texts_are_described():
    sources = [(X, y), (["a text", "another"], ["a", "b"])]

    assert describe_shapes(X, sources) == "target 12 x 3; source 12 x 3; source 2 rows"
