"""Tests of the inference of classes that no target row is labeled with."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skda.datasets import noise_source
from skda.heterogeneous import SSAN, STN, GeoST
from skda.heterogeneous._unlabeled_classes import (
    Inference,
    fit_prototypes,
    infer_classes,
    join_rows,
    label_surest,
    score_geometry,
    swap_prototypes,
    whitened_geometry,
)
from skda.utils.warnings import NoSourceWarning

with_gaps = pytest.mark.filterwarnings("ignore:No .* sample is labeled:UserWarning")
N_CLASSES = 8


class Known(NamedTuple):
    """Eight classes that lie to each other alike in rotated spaces."""

    X: np.ndarray
    y: np.ndarray
    source: tuple[np.ndarray, np.ndarray]

    def labels(self, *hidden):
        """Three labels of every class but the hidden ones."""
        few = np.arange(len(self.y)) < 3 * N_CLASSES
        return np.where(few & ~np.isin(self.y, hidden), self.y, -1)

    def accuracy(self, clf, hidden, *, of_hidden=True):
        """Accuracy on the rows of the classes that were hidden, or of the others."""
        rows = np.isin(self.y, hidden) == of_hidden
        return np.mean(clf.transduction_[rows] == self.y[rows])


@pytest.fixture(scope="module")
def known():
    rng = np.random.default_rng(3)
    means = 4 * rng.normal(size=(N_CLASSES, 5))
    y = np.arange(200) % N_CLASSES

    def domain(width):
        rotation = np.linalg.qr(rng.normal(size=(width, width)))[0][:5]
        return (means[y] + rng.normal(size=(len(y), 5))) @ rotation

    X_source, X = domain(7), domain(9)
    return Known(X, y, (X_source, y))


# Parts


def test_a_geometry_whitened_within_classes_by_hand():
    # Within classes, the first feature has variance 4 and the second none.
    X = np.array([[-2.0, 0], [2, 0], [-1, 3], [3, 3], [4, 0], [8, 0], [9, 9]])
    codes = np.array([0, 0, 1, 1, 2, 2, -1])
    geometry = whitened_geometry(X, codes, 4)

    means = np.array([[0, 0], [1, 3], [6, 0]]) / np.sqrt([4 + 2, 0 + 2])
    M = means - means.mean(axis=0)
    M /= np.linalg.norm(M, axis=1, keepdims=True)
    assert_allclose(geometry[:3, :3], 0.2 * np.eye(3) + 0.8 * M @ M.T, atol=1e-9)
    assert_array_equal(geometry[3], [0, 0, 0, 1])


def test_a_geometry_of_a_single_class_is_the_identity():
    assert_array_equal(
        whitened_geometry(np.ones((2, 3)), np.array([1, 1]), 2), np.eye(2)
    )


@pytest.mark.parametrize("widths", [(3, 4), (60, 40)])
def test_rows_are_joined_at_unit_length(widths):
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(20, width)) for width in widths]
    Z = join_rows(rows)

    whole = np.hstack(rows)
    whole /= np.linalg.norm(whole, axis=1, keepdims=True)
    assert_allclose(Z @ Z.T, whole @ whole.T, atol=1e-9)


def test_a_swap_is_that_of_all_pairs_by_brute_force():
    rng = np.random.default_rng(0)
    root, prototypes = rng.normal(size=(6, 6)), rng.normal(size=(6, 4))
    inverse, free = root @ root.T, np.array([1, 2, 4, 5])
    order = swap_prototypes(prototypes, inverse, free)

    def cost(order):
        return np.sum(inverse * (prototypes[order] @ prototypes[order].T))

    assert_array_equal(np.delete(order, free), [0, 3])
    assert sorted(order) == list(range(6))
    assert cost(order) < cost(np.arange(6))
    for i, j in combinations(free, 2):
        swapped = order.copy()
        swapped[[i, j]] = order[[j, i]]
        assert cost(swapped) >= cost(order) - 1e-9


def test_a_class_is_where_its_likeness_to_labeled_ones_says():
    # Of four clusters in the corners of a cross, two are labeled; class 2 is said to be
    # opposite to class 0, and class 3 to class 1.
    corners = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    Z, y = np.repeat(corners, 5, axis=0), np.repeat(np.arange(4), 5)
    codes = np.where((np.arange(20) % 5 == 0) & (y < 2), y, -1)
    geometry = 0.2 * np.eye(4) + 0.8 * corners @ corners.T
    R, prototypes = fit_prototypes(Z, codes, geometry)
    other, _ = fit_prototypes(Z, codes, geometry[[0, 1, 3, 2]][:, [0, 1, 3, 2]])

    assert_array_equal(R.argmax(axis=1), y)
    assert_allclose(prototypes, corners, atol=0.02)
    assert_array_equal(other.argmax(axis=1), np.array([0, 1, 3, 2])[y])
    assert_array_equal(R[codes == 1], [[0, 1, 0, 0]])


def test_the_surest_rows_are_labeled():
    P = np.full((40, 3), 0.1)
    P[:, 2] = np.linspace(0.2, 0.8, 40)
    P[30:, 1] = 0.9
    codes = np.where(np.arange(40) < 2, np.arange(40), -1)
    found = label_surest(P, codes, np.array([2]))

    # Three times one label is less than a third of 28 rows.
    assert_array_equal(np.flatnonzero(found == 2), [27, 28, 29])
    assert_array_equal(found[:2], [0, 1])
    few = label_surest(P[:5], codes[:5], np.array([2]))
    assert_array_equal(np.flatnonzero(few == 2), [4])


def test_the_score_by_hand():
    # Four classes in directions that no turn and no mirror takes to each other.
    angles = np.deg2rad([0, 30, 140, 200])
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    Z, y = np.repeat(directions, 5, axis=0), np.repeat(np.arange(4), 5)
    codes = np.where(np.arange(20) % 5 == 0, y, -1)
    geometry = 0.2 * np.eye(4) + 0.8 * directions @ directions.T
    others = geometry[[1, 2, 3, 0]][:, [1, 2, 3, 0]]

    assert score_geometry(Z, codes, geometry, np.arange(4)) == 1
    assert score_geometry(Z, codes, others, np.arange(4)) < 0.2


def test_trust_is_above_chance():
    def agrees(score, chance):
        return Inference(np.eye(2), np.array([0]), score, chance, 1.0).agrees

    assert agrees(0.4, 0.2)
    assert not agrees(0.35, 0.2)
    assert not agrees(0.55, 0.5)


def test_rows_stand_apart_where_the_target_has_the_class(known):
    codes = known.labels(6, 7)
    geometry = whitened_geometry(*known.source, N_CLASSES)
    X = known.X - known.X.mean(axis=0)
    here = known.y < 6
    there = infer_classes(join_rows([X]), codes, geometry, known.source[1])
    lacking = infer_classes(
        join_rows([X[here]]), codes[here], geometry, known.source[1]
    )

    assert there.stands_apart
    assert there.agrees
    assert lacking.apartness < 0.1
    assert_array_equal(there.inferred, [6, 7])


def test_there_may_be_nothing_to_infer(known):
    geometry, codes = np.eye(N_CLASSES), known.labels()

    assert infer_classes(known.X, codes, geometry, codes) is None
    assert infer_classes(known.X[:3], codes[:3], geometry, codes) is None


# GeoST


@with_gaps
@pytest.mark.parametrize("hidden", [(2,), (1, 5), (0, 3, 4, 6)])
def test_the_source_names_the_classes_where_geometries_agree(known, hidden):
    clf = GeoST(unlabeled_classes="infer")
    clf.fit(known.X, known.labels(*hidden), source=known.source)

    assert known.accuracy(clf, hidden) > 0.9
    assert known.accuracy(clf, hidden, of_hidden=False) > 0.9
    assert np.mean(clf.predict(known.X) == known.y) > 0.9
    assert_array_equal(clf.inferred_classes_, hidden)
    assert clf.inference_score_ > 0.5


@with_gaps
def test_a_renamed_source_does_not_name_them_and_is_warned_of(known):
    hidden = 0, 3, 4, 6
    renamed = noise_source(*known.source, "renamed", random_state=0)
    clf = GeoST(unlabeled_classes="infer")
    with pytest.warns(UserWarning, match=r"infers the classes 0, 3, 4, 6, which no .*"):
        clf.fit(known.X, known.labels(*hidden), source=renamed)

    assert known.accuracy(clf, hidden) < 0.5
    assert clf.inference_score_ < 0.3


@with_gaps
def test_names_of_classes_may_be_strings(known):
    names = np.array([f"class {k}" for k in range(N_CLASSES)], dtype=object)
    y = known.labels(1, 5)
    clf = GeoST(unlabeled_classes="infer").fit(
        known.X,
        np.where(y == -1, None, names[y]),
        source=(known.source[0], names[known.source[1]]),
    )

    assert_array_equal(clf.inferred_classes_, ["class 1", "class 5"])
    assert np.mean(clf.transduction_ == names[known.y]) > 0.9


@with_gaps
def test_classes_of_one_domain_only_beside_those_inferred(known):
    X_source, y_source = known.source
    rows = y_source != 2  # class 2 is in the target alone, class 5 has no labels there
    clf = GeoST(unlabeled_classes="infer")
    clf.fit(known.X, known.labels(5), source=(X_source[rows], y_source[rows]))

    assert_array_equal(clf.inferred_classes_, [5])
    assert np.mean(clf.transduction_ == known.y) > 0.9


def test_all_classes_labeled_is_as_usual(known):
    usual = GeoST().fit(known.X, known.labels(), source=known.source)
    clf = GeoST(unlabeled_classes="infer")
    clf.fit(known.X, known.labels(), source=known.source)

    assert_array_equal(clf.label_distributions_, usual.label_distributions_)
    assert len(clf.inferred_classes_) == 0
    assert clf.inference_score_ is None


def test_without_a_source_there_is_nothing_to_infer(known):
    clf = GeoST(unlabeled_classes="infer")
    with pytest.warns(NoSourceWarning):
        clf.fit(known.X, known.labels(5))

    assert 5 not in clf.classes_


@with_gaps
@pytest.mark.parametrize(
    ("labeled", "in_source", "n"), [((0,), (0, 1, 2), 1), ((0, 1), (2, 3), 0)]
)
def test_too_few_classes_in_common_are_an_error(known, labeled, in_source, n):
    y = np.where(np.isin(known.y, labeled), known.labels(), -1)
    rows = np.isin(known.y, in_source)
    source = known.source[0][rows], known.source[1][rows]
    clf = GeoST(unlabeled_classes="infer")

    with pytest.raises(ValueError, match=f"that both domains have .*, got {n}: the"):
        clf.fit(known.X, y, source=source)
    with pytest.raises(NotFittedError):
        check_is_fitted(clf)


def test_all_classes_unlabeled_is_an_error(known):
    with pytest.raises(ValueError, match="GeoST expects labeled target samples, got n"):
        GeoST(unlabeled_classes="infer").fit(known.X, source=known.source)


@pytest.mark.parametrize(
    ("clf", "said"),
    [
        (GeoST(), "with unlabeled_classes='infer' GeoST takes it that the target has"),
        (SSAN(max_epochs=1), "SSAN may predict them there"),
        (STN(max_epochs=1), "STN may predict them there"),
    ],
)
def test_methods_say_what_becomes_of_classes_without_labels(known, clf, said):
    with pytest.warns(UserWarning, match=f"No target sample is labeled 5: {said}"):
        clf.fit(known.X, known.labels(5), source=known.source)
