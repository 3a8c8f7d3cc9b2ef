import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from skda.auto import _regression
from skda.auto._regression import KernelRegression, Regression


@pytest.mark.parametrize("n_features", [2, 40])
def test_a_regression_agrees_with_that_of_scikit_learn(n_features, monkeypatch):
    monkeypatch.setattr(_regression, "MAX_ITER", 1000)
    monkeypatch.setattr(_regression, "INTERCEPT_VARIANCE", 1e3)
    rng = np.random.RandomState(0)
    Z, y = rng.randn(20, n_features), rng.randint(3, size=20)

    found = Regression(C=2.0).fit(Z, np.eye(3)[y]).predict_proba(Z)

    reference = LogisticRegression(C=2.0, tol=1e-10, max_iter=5000).fit(Z, y)
    np.testing.assert_allclose(found, reference.predict_proba(Z), atol=0.01)


def test_an_intercept_takes_up_the_shares_of_the_classes():
    labels = np.eye(2)[[0] * 9 + [1]]

    found = Regression(C=0.01).fit(np.zeros((10, 1)), labels)

    np.testing.assert_allclose(softmax(found.intercept_), [0.9, 0.1], atol=1e-3)


def test_targets_may_be_probabilities():
    Z = np.array([[-1.0], [1.0]])
    targets = np.array([[0.7, 0.3], [0.4, 0.6]])

    found = Regression(C=1e6).fit(Z, targets).predict_proba(Z)

    np.testing.assert_allclose(found, targets, atol=1e-3)


def test_classes_that_are_the_same_in_the_geometry_get_the_same_weights():
    rng = np.random.RandomState(0)
    geometry = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    found = Regression(1.0, geometry).fit(rng.randn(9, 2), np.eye(3)[[0, 1, 2] * 3])

    np.testing.assert_allclose(found.coef_[:, 0], found.coef_[:, 1], atol=0.02)
    assert np.abs(found.coef_[:, 0] - found.coef_[:, 2]).max() > 0.1


def test_a_kernel_tells_classes_apart_that_no_line_does():
    Z = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    labels = np.eye(2)[[0, 0, 1, 1]]

    found = KernelRegression().prepare(Z).fit(Z, labels).predict_proba(Z)

    assert (found.argmax(axis=1) == [0, 0, 1, 1]).all()


def test_the_width_of_a_kernel_is_half_the_median_of_the_squared_distances():
    found = KernelRegression().prepare(np.array([[0.0], [1.0], [3.0]]))

    assert found.width_ == pytest.approx(2.0)
    mean = (3 + 2 * (np.exp(-1 / 2) + np.exp(-2) + np.exp(-9 / 2))) / 9
    assert found.scale_ == pytest.approx(1 / (1 - mean))


def test_landmarks_stand_for_many_rows(monkeypatch):
    rng = np.random.RandomState(0)
    Z = rng.randn(200, 2)
    labels = np.eye(2)[(Z[:, 0] * Z[:, 1] > 0).astype(int)]
    all_of_them = KernelRegression().prepare(Z).fit(Z, labels).predict_proba(Z)
    monkeypatch.setattr(_regression, "MOST_LANDMARKS", 50)

    some = KernelRegression().prepare(Z).fit(Z, labels)

    assert len(some.landmarks_) == 50
    same = some.predict_proba(Z).argmax(axis=1) == all_of_them.argmax(axis=1)
    assert same.mean() > 0.95
