import numpy as np
import pytest
from sklearn.preprocessing import normalize

from skda.retrieval import ClusterRetrieval, RidgeCCA


def _fit(toy_pairs, **params):
    return ClusterRetrieval(random_state=0, **params).fit(toy_pairs.views)


def test_cosine_of_the_embeddings_is_the_similarity_of_the_formula(toy_pairs):
    retriever = _fit(toy_pairs, n_clusters=[2, 3, 5], cca_share=0.4)
    prepared = retriever._preprocess(toy_pairs.test)
    posteriors, canonical = {}, {}
    for name, X in prepared.items():
        directions = X @ retriever.cca_.weights_[name]
        training = retriever._preprocess(toy_pairs.views)[name]
        scale = (training @ retriever.cca_.weights_[name]).std()
        canonical[name] = normalize(directions)
        posteriors[name] = {
            k: classifiers[name].predict_proba(directions / scale)
            for k, classifiers in retriever.classifiers_.items()
        }
    by_clusters = sum(
        k * posteriors["image"][k] @ posteriors["text"][k].T for k in (2, 3, 5)
    )
    expected = by_clusters / 10 + 0.4 * canonical["image"] @ canonical["text"].T

    E = {name: normalize(Z) for name, Z in retriever.transform(toy_pairs.test).items()}

    np.testing.assert_allclose(E["image"] @ E["text"].T * 1.4, expected, atol=1e-5)


def test_embeddings_have_one_length(toy_pairs):
    E = _fit(toy_pairs, cca_share=0.3).transform(toy_pairs.test)["image"]

    np.testing.assert_allclose(np.linalg.norm(E, axis=1), np.sqrt(1.3), rtol=1e-5)


def test_clusters_find_the_new_categories_and_beat_correlations(toy_pairs):
    retriever = _fit(toy_pairs, n_clusters=3)
    y, clusters = toy_pairs.y, retriever.clusters_[3]

    purity = (
        np.mean([np.bincount(y[clusters == k]).max() for k in range(3)]) * 3 / len(y)
    )
    gain = retriever.score(toy_pairs.test, toy_pairs.y_test) - RidgeCCA().fit(
        toy_pairs.views
    ).score(toy_pairs.test, toy_pairs.y_test)

    assert purity > 0.9
    assert gain > 0.02


def test_source_reaches_the_clusters(toy_pairs):
    alone = _fit(toy_pairs).transform(toy_pairs.test)["text"]
    helped = ClusterRetrieval(random_state=0).fit(
        toy_pairs.views, source=toy_pairs.source
    )

    assert not np.allclose(helped.transform(toy_pairs.test)["text"], alone)


def test_default_averages_over_as_many_clusters_as_the_pairs_allow(toy_pairs):
    few = {name: X[:9] for name, X in toy_pairs.views.items()}

    assert _fit(toy_pairs).n_clusters_ == (2, 3, 4, 5, 6, 8, 10)
    assert ClusterRetrieval(random_state=0).fit(few).n_clusters_ == (2, 3, 4)


def test_one_cluster_leaves_the_correlations(toy_pairs):
    one = _fit(toy_pairs, n_clusters=1)
    cca = RidgeCCA().fit(toy_pairs.views)

    assert one.score(toy_pairs.test, toy_pairs.y_test) == pytest.approx(
        cca.score(toy_pairs.test, toy_pairs.y_test), abs=1e-4
    )


def test_without_the_canonical_share_posteriors_rank_alone(toy_pairs):
    E = _fit(toy_pairs, n_clusters=3, cca_share=0.0).transform(toy_pairs.test)

    assert not E["image"][:, 5:].any()


def test_same_seed_same_embeddings(toy_pairs):
    first, second = (_fit(toy_pairs).transform(toy_pairs.test) for _ in range(2))

    np.testing.assert_array_equal(first["text"], second["text"])


def test_duplicate_pairs_make_fewer_clusters(toy_pairs):
    rows = np.arange(12) % 2
    views = {name: X[rows] for name, X in toy_pairs.views.items()}

    retriever = ClusterRetrieval(n_clusters=4, random_state=0).fit(views)

    assert np.isfinite(retriever.transform(views)["image"]).all()


def test_constant_views_embed():
    views = {"a": np.ones((6, 3)), "b": np.random.default_rng(0).normal(size=(6, 2))}

    E = ClusterRetrieval(random_state=0).fit(views).transform(views)

    assert np.isfinite(E["a"]).all()


@pytest.mark.parametrize("n_clusters", [[0, 2], [2, 400], []])
def test_impossible_numbers_of_clusters_are_refused(toy_pairs, n_clusters):
    with pytest.raises(ValueError, match=r"from 1 to \d+, the number of pairs, got"):
        _fit(toy_pairs, n_clusters=n_clusters)
