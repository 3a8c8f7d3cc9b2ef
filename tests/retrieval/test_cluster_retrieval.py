import numpy as np
import pytest
from sklearn.preprocessing import normalize

from skda.retrieval import ClusterRetrieval, RidgeCCA

SPLIT = np.arange(240) < 160, np.arange(240) >= 160


def _root(X):
    return X / np.abs(X) ** 0.5 / np.abs(X).sum(axis=1, keepdims=True) ** 0.5


def _fit(toy_pairs, **params):
    return ClusterRetrieval(random_state=0, **params).fit(toy_pairs.views)


@pytest.mark.parametrize(
    ("representation", "names"),
    [("scaled", ["scaled"]), ("root", ["root"]), ("both", ["scaled", "root"])],
)
def test_cosine_of_the_embeddings_is_the_similarity_of_the_formula(
    toy_pairs, representation, names
):
    retriever = _fit(
        toy_pairs,
        n_clusters=[2, 3, 5],
        cca_share=0.4,
        n_relays=0,
        representation=representation,
    )
    training, prepared = map(retriever._preprocess, (toy_pairs.views, toy_pairs.test))
    expected = 0.0
    for name in names:
        p, canonical = {}, {}
        for view in prepared:
            Z, X = training[view], prepared[view]
            if name == "root":
                Z, X = map(_root, (Z, X))
            cca = retriever.cca_[name]
            directions = (X - cca.means_[view]) @ cca.weights_[view]
            scale = ((Z - cca.means_[view]) @ cca.weights_[view]).std()
            canonical[view] = normalize(directions)
            p[view] = {
                k: classifiers[view].predict_proba(directions / scale)
                for k, classifiers in retriever.classifiers_[name].items()
            }
        by_clusters = sum(k * p["image"][k] @ p["text"][k].T for k in (2, 3, 5)) / 10
        cosine = canonical["image"] @ canonical["text"].T
        expected += (by_clusters + 0.4 * cosine) / len(names)

    E = {name: normalize(Z) for name, Z in retriever.transform(toy_pairs.test).items()}

    np.testing.assert_allclose(E["image"] @ E["text"].T * 1.4, expected, atol=1e-5)


def test_embeddings_have_one_length(toy_pairs):
    E = _fit(toy_pairs, cca_share=0.3).transform(toy_pairs.test)["image"]

    np.testing.assert_allclose(np.linalg.norm(E, axis=1), np.sqrt(1.3), rtol=1e-5)


def test_clusters_find_the_new_categories_and_beat_correlations(toy_pairs):
    retriever = _fit(toy_pairs, n_clusters=3)
    y, clusters = toy_pairs.y, retriever.clusters_["scaled"][3]

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


def test_default_ladder_of_clusters_grows_with_the_pairs(toy_pairs):
    found = {}
    for n_pairs in (9, 64, 120):
        views = {name: X[:n_pairs] for name, X in toy_pairs.views.items()}
        found[n_pairs] = _fit(toy_pairs._replace(views=views)).n_clusters_

    assert found == {9: (2,), 64: (2, 3, 4, 6, 8), 120: (2, 3, 4, 6, 8, 12)}


def test_ladder_of_clusters_ends():
    rows = np.random.default_rng(0).normal(size=(1100, 2))
    retriever = ClusterRetrieval(representation="scaled", n_relays=0, random_state=0)

    assert retriever.fit({"a": rows, "b": rows}).n_clusters_[-2:] == (96, 128)


def test_none_averages_over_as_many_clusters_as_the_pairs_allow(toy_pairs):
    few = {name: X[:9] for name, X in toy_pairs.views.items()}
    small = ClusterRetrieval(n_clusters=None, random_state=0).fit(few)

    assert _fit(toy_pairs, n_clusters=None).n_clusters_ == (2, 3, 4, 5, 6, 8, 10)
    assert small.n_clusters_ == (2, 3, 4)


def test_published_form_knows_neither_ladder_nor_roots_nor_relays():
    params = ClusterRetrieval.published().get_params()

    assert params["n_clusters"] is None
    assert params["cca_share"] == 0.3
    assert params["n_relays"] == 0
    assert params["representation"] == "scaled"


def test_root_representation_ignores_how_long_rows_are(toy_pairs):
    retriever = ClusterRetrieval(
        representation="root", n_relays=0, scaling=None, random_state=0
    ).fit(toy_pairs.views)
    X = toy_pairs.test["text"]
    E, shrunk = (retriever.transform({"text": rows})["text"] for rows in (X, X / 16))

    np.testing.assert_allclose(shrunk, E, atol=1e-6)


def test_views_of_sparse_counts_are_matched_better_by_both_representations():
    rng = np.random.default_rng(0)
    y = np.arange(240) % 6
    rates = rng.gamma(0.3, size=(2, 6, 60)) * rng.lognormal(sigma=2, size=(2, 1, 60))
    lengths = rng.lognormal(sigma=1, size=(2, 240, 1))
    counts = dict(zip("ab", rng.poisson(rates[:, y] * lengths), strict=True))
    train, test = ({k: X[part] for k, X in counts.items()} for part in SPLIT)

    scores = {
        name: ClusterRetrieval(representation=name, random_state=0)
        .fit(train)
        .score(test, y[SPLIT[1]])
        for name in ("scaled", "both")
    }

    assert scores["both"] > scores["scaled"] + 0.03


def test_one_cluster_leaves_the_correlations(toy_pairs):
    one = _fit(toy_pairs, n_clusters=1, n_relays=0, representation="scaled")
    cca = RidgeCCA().fit(toy_pairs.views)

    assert one.score(toy_pairs.test, toy_pairs.y_test) == pytest.approx(
        cca.score(toy_pairs.test, toy_pairs.y_test), abs=1e-4
    )


def test_without_the_canonical_share_posteriors_rank_alone(toy_pairs):
    E = _fit(toy_pairs, n_clusters=3, cca_share=0.0, representation="scaled").transform(
        toy_pairs.test
    )

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
