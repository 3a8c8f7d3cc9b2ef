"""What cca-zoo has too is computed here as it is there.

Covariances there are those of n - 1 rows, and a ridge is a multiple of the identity;
here it is relative to the mean variance. With views of unit mean variance, shrunk by
the root of (n - 1) / n on the way there, both are the same.
"""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skda.retrieval import MCCA, PLS, RidgeCCA

SCRIPT = Path(__file__).parent / "by_cca_zoo.py"
N, N_COMPONENTS, SHRINKAGE = 60, 3, 0.3


def make_views(n_rows, **widths):
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(n_rows, 4)) * [4.0, 3.0, 2.0, 1.0]
    views = {}
    for name, width in widths.items():
        X = latent @ rng.normal(size=(4, width)) + 2 * rng.normal(size=(n_rows, width))
        X -= X.mean(axis=0)
        views[name] = X / np.sqrt(X.var(axis=0).mean())
    return views


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Hold the views, and what cca-zoo makes of them."""
    views = make_views(N, image=7, text=5, sound=6)
    wide = make_views(12, image=30, text=20)
    given, found = (tmp_path_factory.mktemp("zoo") / f for f in ("in.npz", "out.npz"))
    np.savez(
        given,
        n_components=N_COMPONENTS,
        shrinkage=SHRINKAGE,
        **{name: X * np.sqrt((N - 1) / N) for name, X in views.items()},
        **{f"wide_{name}": X * np.sqrt(11 / 12) for name, X in wide.items()},
    )
    command = [sys.executable, "-W", "ignore", SCRIPT, given, found]
    subprocess.run(command, check=True)
    two = {name: views[name] for name in ("image", "text")}
    return SimpleNamespace(views=views, two=two, wide=wide, zoo=dict(np.load(found)))


def check_weights(estimator, name, case):
    """Compare the weights of all views, up to a sign of every direction."""
    ours = list(estimator.weights_.values())
    there = [case.zoo[f"{name}_{i}"] for i in range(len(ours))]
    signs = np.sign(np.sum(ours[0] * there[0], axis=0))

    for weights, expected in zip(ours, there, strict=True):
        assert_allclose(weights, expected * signs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "ridge"), [("cca", 0.0), ("ridge_cca", SHRINKAGE)])
def test_ridge_cca_has_the_weights_of_there(case, name, ridge):
    cca = RidgeCCA.published(
        n_components=N_COMPONENTS, regularization=ridge, scaling=None
    )

    check_weights(cca.fit(case.two), name, case)


def test_ridge_cca_of_fewer_rows_than_features_has_the_weights_of_there(case):
    cca = RidgeCCA.published(
        n_components=N_COMPONENTS, regularization=SHRINKAGE, scaling=None
    )

    check_weights(cca.fit(case.wide), "wide_ridge_cca", case)


def test_pls_has_the_weights_of_there(case):
    pls = PLS(n_components=N_COMPONENTS, scaling=None)

    check_weights(pls.fit(case.two), "pls", case)


def test_mcca_of_three_views_has_the_weights_of_there(case):
    mcca = MCCA.published(
        n_components=N_COMPONENTS, regularization=SHRINKAGE, scaling=None
    )

    check_weights(mcca.fit(case.views), "mcca", case)
