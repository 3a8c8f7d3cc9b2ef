"""Tests of `skda.datasets.make_heterogeneous_domains`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from skda.datasets import make_heterogeneous_domains


def test_domains_have_the_sizes_that_were_asked_for():
    domains = make_heterogeneous_domains(
        50,
        42,
        n_classes=3,
        n_source_features=5,
        n_target_features=7,
        n_latent=2,
        n_labeled_per_class=4,
        random_state=0,
    )
    X_source, y_source = domains.source

    assert domains.X.shape == (42, 7)
    assert X_source.shape == (50, 5)
    assert_array_equal(np.bincount(domains.y_true), [14, 14, 14])
    assert_array_equal(np.bincount(y_source), [17, 17, 16])


def test_few_target_rows_are_labeled_and_rightly():
    domains = make_heterogeneous_domains(n_labeled_per_class=4, random_state=0)
    labeled = domains.y != -1

    assert_array_equal(domains.y[labeled], domains.y_true[labeled])
    assert_array_equal(np.bincount(domains.y[labeled]), [4, 4, 4, 4])


def test_a_seed_says_it_all():
    first, again, other = (
        make_heterogeneous_domains(random_state=seed) for seed in (0, 0, 1)
    )

    for name in ("X", "y", "y_true"):
        assert_array_equal(first[name], again[name])
        assert (first[name] != other[name]).any()
    for mine, same in zip(first.source, again.source, strict=True):
        assert_array_equal(mine, same)


@pytest.mark.parametrize("seed", range(3))
def test_both_domains_can_be_learned_but_not_from_a_few_labels(seed):
    X, y, y_true, source = make_heterogeneous_domains(random_state=seed).values()
    svc = SVC(kernel="linear")
    few = svc.fit(X[y >= 0], y[y >= 0]).score(X[y < 0], y_true[y < 0])

    assert cross_val_score(svc, *source).mean() > 0.85
    assert cross_val_score(svc, X, y_true).mean() > max(0.85, few + 0.05)
    assert few > 0.5  # chance is 1/4


def test_what_one_domain_sees_means_nothing_to_the_other():
    domains = make_heterogeneous_domains(
        n_source_features=20, n_target_features=20, random_state=0
    )
    svc = SVC(kernel="linear").fit(*domains.source)

    assert svc.score(domains.X, domains.y_true) < 0.6


def test_classes_that_are_further_apart_are_easier():
    accuracies = [
        cross_val_score(SVC(), domains.X, domains.y_true).mean()
        for domains in (
            make_heterogeneous_domains(class_sep=class_sep, random_state=0)
            for class_sep in (0, 0.5, 3)
        )
    ]

    assert accuracies[0] < 0.4 < accuracies[1] < 0.9 < accuracies[2]


def test_noise_adds_to_features_that_are_between_minus_one_and_one():
    clean, noisy = (
        make_heterogeneous_domains(noise=noise, random_state=0).source[0]
        for noise in (0, 0.5)
    )

    assert abs(clean).max() < 1
    assert_allclose(np.std(noisy - clean), 0.5, rtol=0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        *(
            ({name: 0}, f"{name} == 0, must be >= 1")
            for name in (
                "n_source",
                "n_target",
                "n_source_features",
                "n_target_features",
                "n_latent",
            )
        ),
        ({"n_classes": 1}, "n_classes == 1, must be >= 2"),
        ({"class_sep": -1}, "class_sep == -1, must be >= 0"),
        ({"noise": -1}, "noise == -1, must be >= 0"),
        ({"n_target": 8}, "at least 3 labeled rows of every class, got 2 of class 0"),
    ],
)
def test_impossible_sizes_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_heterogeneous_domains(**parameters)
