"""What skada has too is computed here as it is there, or differs in what is said."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist, pdist
from sklearn.preprocessing import normalize

from skda.losses import coral_loss, kernel_mmd, margin_disparity
from skda.unsupervised import CORAL, TCA, LinearOT, OTClassifier, SubspaceAlignment

SCRIPT = Path(__file__).parent / "by_skada.py"
N_SOURCE, N_TARGET, N_FEATURES = 40, 30, 6
SHRINKAGE, EPSILON, ETA = 0.2, 0.2, 0.1


def make_data():
    rng = np.random.default_rng(0)
    y = np.arange(N_SOURCE) % 3
    centers = 2 * rng.normal(size=(3, N_FEATURES))
    X_source = centers[y] + rng.normal(size=(N_SOURCE, N_FEATURES))
    X_target = centers[y[:N_TARGET]] + rng.normal(size=(N_TARGET, N_FEATURES)) + 1.0
    X_source, X_target = normalize(X_source), normalize(X_target)
    # Rows any two of which are equal or one apart.
    a, b = (np.eye(5)[rng.choice(5, n)] / 2**0.5 for n in (12, 9))
    p, q, v, w = (rng.normal(size=(8, 3)) for _ in range(4))
    return {
        "X_source": X_source,
        "X_target": X_target,
        "y_source": y,
        "mean_cost": cdist(X_source, X_target, "sqeuclidean").mean(),
        "vertices_a": a,
        "vertices_b": b + 0.0,
        "sigmas": np.array([0.25, 0.5, 1.0, 2.0, 4.0]),
        "a": rng.normal(size=(9, 4)),
        "b": 2 * rng.normal(size=(7, 4)),
        "p": p,
        "q": q + np.array([0.0, 9.0, 0.0]),  # which predicts one class for every row
        "v": v,
        "w": w,
    }


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Hold the data, and what skada makes of them."""
    data = make_data()
    given, found = (tmp_path_factory.mktemp("skada") / f for f in ("in.npz", "out.npz"))
    np.savez(
        given,
        **data,
        shrinkage=SHRINKAGE,
        reg_e=EPSILON * data["mean_cost"],
        reg_cl=ETA * data["mean_cost"],
    )
    command = [sys.executable, "-W", "ignore", SCRIPT, given, found]
    subprocess.run(command, check=True)
    return SimpleNamespace(**data, skada=dict(np.load(found)))


def aligned(clf, case):
    """Fit, and align the rows of the source, then those of the target."""
    clf.set_params(representation="unit")
    clf.fit(case.X_target, source=(case.X_source, case.y_source))
    Z_source = clf.transform(case.X_source, domain="source")
    return np.concatenate([Z_source, clf.transform(case.X_target)])


def test_coral_aligns_as_there(case):
    """A ridge is a shrinkage; a covariance here is that of n - 1 rows."""
    Z = aligned(CORAL(ridge=SHRINKAGE / (1 - SHRINKAGE)), case)
    ratio = N_TARGET / (N_TARGET - 1) * (N_SOURCE - 1) / N_SOURCE
    expected = case.skada["coral"]
    expected[:N_SOURCE] *= ratio**0.5

    assert_allclose(Z, expected, atol=1e-5)


def test_subspace_alignment_aligns_as_there(case):
    Z = aligned(SubspaceAlignment(n_components=4), case)

    assert_allclose(Z, case.skada["subspace"], atol=1e-5)


def test_linear_optimal_transport_aligns_as_there(case):
    """The target stays in its place there, and loses its mean here."""
    clf = LinearOT(ridge=0.0, pca_components=None)
    Z = aligned(clf, case) @ clf.pca_.components_

    assert_allclose(Z, case.skada["linear_ot"] - case.X_target.mean(axis=0), atol=1e-5)


def test_transport_with_class_regularization_aligns_as_there(case):
    """Costs are relative to their mean here, and so are both weights."""
    Z = aligned(OTClassifier(epsilon=EPSILON, eta=ETA, max_iter=10_000), case)

    assert_allclose(Z, case.skada["class_ot"], atol=1e-4)


def test_transfer_components_are_those_of_there_if_means_do_not_count(case):
    """They have another unit there, that of coefficients of length one."""
    clf = TCA(
        kernel="rbf",
        gamma=1 / N_FEATURES,
        mu=1e9,
        n_components=4,
        pca_components=None,
    )
    Z = aligned(clf, case) * 1e9**0.5
    expected = case.skada["tca_of_no_means"]

    assert_allclose(pdist(Z), pdist(expected), rtol=1e-3)


def test_the_loss_of_deep_coral_is_that_of_there(case):
    value = coral_loss(torch.from_numpy(case.a), torch.from_numpy(case.b))

    assert_allclose(value, case.skada["coral_loss"])


def test_the_loss_of_mdd_is_that_of_there_for_targets_of_one_class(case):
    """There it has smoothed probabilities, of the classes of all rows for every row."""
    logits = [torch.from_numpy(x) for x in (case.p, case.q, case.v, case.w)]
    value = float(margin_disparity(*logits, margin=3.0))

    assert_allclose(value, case.skada["mdd_loss"], rtol=1e-6)
    assert abs(value - case.skada["smoothed_mdd_loss"]) > 1e-3


def test_the_loss_of_dan_is_that_of_there_for_rows_one_apart(case):
    """There it sums kernels of distances, not squared, and pairs rows with themselves.

    A distance of one is its own square, and the pairs of a row with itself can be taken
    away. Widths are relative to the mean squared distance here.
    """
    a, b = case.vertices_a, case.vertices_b
    both = np.concatenate([a, b])
    scales = case.sigmas / np.mean(pdist(both, "sqeuclidean"))
    value = kernel_mmd(torch.from_numpy(a), torch.from_numpy(b), scales=scales.tolist())
    kernel = np.exp(-cdist(both, both)[..., None] / case.sigmas).mean(axis=-1)
    within = [kernel[: len(a), : len(a)], kernel[len(a) :, len(a) :]]
    # The mean over n ** 2 pairs, n of them of a row with itself, has this too much.
    excess = sum((1 - k.mean()) / (len(k) - 1) for k in within)

    assert_allclose(value, case.skada["dan_loss"] / 5 - excess, rtol=1e-4)
