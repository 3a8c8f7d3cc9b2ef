import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.cross_decomposition import CCA
from sklearn.preprocessing import normalize

from skda.retrieval import RidgeCCA


def _raw(**params):
    return RidgeCCA(scaling=None, **params)


def test_maps_equal_the_formula(toy_pairs):
    views, y = toy_pairs.source
    cca = _raw(regularization=0.3, source_weight=0.4)
    cca.fit(toy_pairs.views, source=(views, y))
    D, centered = {}, {}
    for name, X in toy_pairs.views.items():
        centered[name] = X - X.mean(axis=0)
        within = np.cov(
            np.vstack(
                [
                    views[name][y == k] - views[name][y == k].mean(axis=0)
                    for k in (0, 1, 2)
                ]
            ).T
        )
        mixed = 0.6 * np.cov(X.T, bias=True) + 0.4 * within
        p = len(mixed)
        D[name] = 0.7 * mixed + 0.3 * np.trace(mixed) / p * np.eye(p)
    C = centered["image"].T @ centered["text"] / len(toy_pairs.y)
    whiten = {name: np.linalg.inv(sqrtm(matrix)) for name, matrix in D.items()}
    T = whiten["image"] @ C @ whiten["text"]

    A, B = cca.weights_["image"], cca.weights_["text"]

    np.testing.assert_allclose(cca.correlations_, np.linalg.svd(T)[1])
    # Signs of the directions are free; the bilinear form is not: A B' = D^-1 C D^-1...
    np.testing.assert_allclose(
        A.T @ D["image"] @ A, np.diag(cca.correlations_**2), atol=1e-9
    )
    np.testing.assert_allclose(
        B.T @ D["text"] @ B, np.diag(cca.correlations_**2), atol=1e-9
    )
    np.testing.assert_allclose(A.T @ C @ B, np.diag(cca.correlations_**3), atol=1e-9)


def test_without_ridge_and_weights_it_is_canonical_correlation_analysis(toy_pairs):
    X, Y = toy_pairs.views.values()
    reference = CCA(n_components=2, max_iter=5000, tol=1e-12).fit(X, Y)
    U, V = reference.transform(X, Y)

    ours = RidgeCCA.published(n_components=2, regularization=0.0).fit(toy_pairs.views)

    expected = [np.corrcoef(U[:, i], V[:, i])[0, 1] for i in range(2)]
    np.testing.assert_allclose(ours.correlations_, expected, rtol=1e-4)


def test_power_weights_the_directions(toy_pairs):
    plain = _raw(correlation_power=0.0).fit(toy_pairs.views)
    weighted = _raw(correlation_power=2.0).fit(toy_pairs.views)

    np.testing.assert_allclose(
        weighted.weights_["text"], plain.weights_["text"] * plain.correlations_**2
    )


def test_source_changes_the_whitening_only_through_its_categories(toy_pairs):
    views, y = toy_pairs.source
    shifted = {
        name: X + 7 * y[:, None] + 100 for name, X in views.items()
    }  # categories elsewhere, with the same noise

    here = _raw().fit(toy_pairs.views, source=(views, y))
    there = _raw().fit(toy_pairs.views, source=(shifted, y))
    alone = _raw().fit(toy_pairs.views)

    np.testing.assert_allclose(here.correlations_, there.correlations_)
    assert not np.allclose(here.correlations_, alone.correlations_)


def test_source_of_one_pair_per_category_knows_no_noise(toy_pairs):
    views = {name: X[:3] for name, X in toy_pairs.source[0].items()}

    fitted = _raw(source_weight=0.5).fit(toy_pairs.views, source=(views, [0, 1, 2]))

    assert np.isfinite(fitted.correlations_).all()
    assert fitted.score(toy_pairs.test, toy_pairs.y_test) > 0.5


def test_relay_adds_the_mean_of_the_nearest_training_pairs(toy_pairs):
    plain = RidgeCCA().fit(toy_pairs.views)
    training = {n: normalize(Z) for n, Z in plain.transform(toy_pairs.views).items()}
    fused = (training["image"] + training["text"]) / 2
    z = normalize(plain.transform({"text": toy_pairs.test["text"]})["text"])
    nearest = np.argsort(-z @ training["text"].T, axis=1, kind="stable")[:, :5]
    expected = z + fused[nearest].mean(axis=1)

    relayed = RidgeCCA(n_relays=5).fit(toy_pairs.views)

    np.testing.assert_allclose(
        relayed.transform({"text": toy_pairs.test["text"]})["text"], expected, atol=1e-5
    )


def test_relay_helps_noisy_pairs(toy_pairs):
    plain = RidgeCCA().fit(toy_pairs.views)
    relayed = RidgeCCA(n_relays=30).fit(toy_pairs.views)

    gain = relayed.score(toy_pairs.test, toy_pairs.y_test) - plain.score(
        toy_pairs.test, toy_pairs.y_test
    )

    assert gain > 0


def test_more_relays_than_pairs_take_all_of_them(toy_pairs):
    few = {name: X[:6] for name, X in toy_pairs.views.items()}

    relayed = RidgeCCA(n_relays=30).fit(few).transform(toy_pairs.test)

    assert np.isfinite(relayed["image"]).all()


def test_constant_views_embed_as_zeros():
    views = {"a": np.ones((6, 3)), "b": np.random.default_rng(0).normal(size=(6, 2))}

    cca = RidgeCCA().fit(views)

    assert not cca.transform(views)["a"].any()
    assert cca.retrieve({"a": views["a"]}, {"b": views["b"]}, 2)[1].max() == 0


def test_more_features_than_pairs_take_another_way_to_the_same_maps():
    rng = np.random.default_rng(0)
    views = {"a": rng.normal(size=(5, 30)), "b": rng.normal(size=(5, 20))}

    wide = RidgeCCA(scaling=None).fit(views)
    same = RidgeCCA(scaling=None).fit(
        {n: np.vstack([X] * 10) for n, X in views.items()}
    )

    np.testing.assert_allclose(wide.correlations_, same.correlations_[:5], atol=1e-9)
    np.testing.assert_allclose(
        wide.transform(views)["a"] @ wide.transform(views)["b"].T,
        same.transform(views)["a"] @ same.transform(views)["b"].T,
        atol=1e-5,
    )


def test_too_many_components_are_refused(toy_pairs):
    with pytest.raises(
        ValueError, match="n_components of at most 7, the width of the n"
    ):
        RidgeCCA(n_components=8).fit(toy_pairs.views)


def test_three_views_are_refused(toy_pairs):
    views = toy_pairs.views | {"sound": toy_pairs.views["text"]}

    with pytest.raises(ValueError, match=r"RidgeCCA expects two views, got \['image'"):
        RidgeCCA().fit(views)


@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("n_components", [None, 3])
def test_canonical_similarity_weights_products_and_not_lengths(
    toy_pairs, power, n_components
):
    params = {"correlation_power": power, "n_components": n_components}
    plain = _raw(correlation_power=0.0, n_components=n_components).fit(toy_pairs.views)
    a, b = (normalize(Z) for Z in plain.transform(toy_pairs.test).values())
    s = plain.correlations_
    expected = a * (s / s[0]) ** (2 * power) @ b.T

    csa = _raw(similarity="csa", **params).fit(toy_pairs.views)
    u, v = csa.transform(toy_pairs.test).values()

    assert u.shape[1] == len(s) + 2
    np.testing.assert_allclose(normalize(u) @ normalize(v).T, expected, atol=1e-5)
    np.testing.assert_array_equal(csa.weights_["text"], plain.weights_["text"])


def test_canonical_similarity_ranks_otherwise_than_the_cosine(toy_pairs):
    query = {"text": toy_pairs.test["text"][:5]}
    gallery = {"image": toy_pairs.test["image"]}

    ranks = [
        _raw(similarity=name).fit(toy_pairs.views).retrieve(query, gallery)[0]
        for name in ("cosine", "csa")
    ]

    assert (ranks[0] != ranks[1]).any()


def test_canonical_similarity_can_be_relayed(toy_pairs):
    cca = RidgeCCA(similarity="csa", n_relays=5).fit(toy_pairs.views)

    assert cca.score(toy_pairs.test, toy_pairs.y_test) > 0.5


def test_canonical_similarity_to_a_constant_view_is_zero():
    views = {"a": np.ones((6, 3)), "b": np.random.default_rng(0).normal(size=(6, 2))}

    cca = RidgeCCA(similarity="csa").fit(views)

    assert cca.retrieve({"a": views["a"]}, {"b": views["b"]}, 2)[1].max() == 0
