import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, issparse
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.helper import SliceDict

from skda.preprocessing import PerView


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    return {"image": rng.normal(2, 3, (10, 4)), "text": rng.normal(5, 2, (10, 3))}


def test_every_view_has_a_transformer_of_its_own(pairs):
    scaled = PerView(StandardScaler()).fit(pairs).transform(pairs)

    for name, rows in pairs.items():
        np.testing.assert_allclose(scaled[name], StandardScaler().fit_transform(rows))


def test_views_without_a_transformer_stay(pairs):
    for transformers in ({"image": PCA(2)}, {"image": PCA(2), "text": None}):
        ready = PerView(transformers).fit_transform(pairs)

        assert ready["image"].shape == (10, 2)
        assert ready["text"] is pairs["text"]


def test_a_part_of_the_views_may_be_transformed(pairs):
    prepare = PerView(StandardScaler()).fit(pairs)

    assert list(prepare.transform({"text": pairs["text"][:2]})) == ["text"]


@pytest.mark.parametrize(
    ("wrap", "kind"),
    [(lambda v: SliceDict(**v), SliceDict), (lambda v: list(v.values()), list)],
)
def test_what_comes_in_comes_out(pairs, wrap, kind):
    ready = PerView(StandardScaler()).fit_transform(wrap(pairs))

    assert type(ready) is kind


def test_one_array_is_cut_and_joined_again(pairs):
    X = np.hstack(list(pairs.values()))
    views = {"image": slice(0, 4), "text": [4, 5, 6]}

    ready = PerView({"image": PCA(2)}, views=views).fit_transform(X)

    np.testing.assert_allclose(ready[:, 2:], pairs["text"])
    assert ready.shape == (10, 5)


def test_columns_of_a_frame_may_be_named():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0], "c": [0.0, 1.0]})
    prepare = PerView({"v": FunctionTransformer()}, views={"v": ["c", "a"], "w": ["b"]})

    np.testing.assert_array_equal(prepare.fit_transform(frame), frame[["c", "a", "b"]])


def test_documents_are_a_view():
    pairs = {"text": ["a cat", "a dog"], "image": np.eye(2)}
    vectorize = PerView({"text": TfidfVectorizer(token_pattern=r"\w+")})

    assert issparse(vectorize.fit_transform(pairs)["text"])


def test_sparse_views_of_one_array_come_out_dense():
    X = csr_array(np.eye(4))

    np.testing.assert_array_equal(
        PerView(FunctionTransformer()).fit_transform(X), np.eye(4)
    )


def test_it_clones(pairs):
    scaler = StandardScaler()

    PerView(make_pipeline(scaler, PCA(2))).fit(pairs)

    assert not hasattr(scaler, "mean_")


def test_unknown_views_are_refused(pairs):
    with pytest.raises(ValueError, match=r"views among \['image', 'text'\], got \['im"):
        PerView({"imgae": PCA(2)}).fit(pairs)
    with pytest.raises(ValueError, match=r"views among \['image', 'text'\], got \['au"):
        PerView(PCA(2)).fit(pairs).transform({"audio": pairs["text"]})


def test_views_must_be_paired(pairs):
    with pytest.raises(ValueError, match=r"as many rows in each, got \{'image': 10"):
        PerView(PCA(2)).fit(pairs | {"text": pairs["text"][:5]})
