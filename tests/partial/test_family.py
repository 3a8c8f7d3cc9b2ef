"""Tests of `skda.partial`: what holds for every method with a network of its own."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.utils.data import TensorDataset

from skda.model_selection import HideLabels
from skda.partial import (
    AR,
    BA3US,
    DRCN,
    ETN,
    IWAN,
    MPOT,
    PADA,
    SAFN,
    SAN,
    SHOT,
    A2KTStyle,
)
from skda.unsupervised import SourceOnly
from skda.utils.warnings import NoSourceWarning

METHODS = [A2KTStyle, BA3US, PADA, IWAN, SAFN, SAN, ETN, SHOT, AR, MPOT, DRCN]
RISKS = {"source_risk", "target_risk"}
#: Terms that train nothing but what weighs the rows.
ASIDE = {
    IWAN: {"weigher"},
    ETN: {"auxiliary_class", "auxiliary_domain"},
    AR: {"critic"},
    SHOT: {"pseudo_risk"},  # zero until there are pseudo-labels
    A2KTStyle: {"pseudo_risk", "discrepancy"},  # the same
}
#: Parameters for a toy, whose rows are small.
STRONG = {
    PADA: {"temperature": 1.0},
    SAFN: {"lambda0": 0.05},
    SAN: {"entropy_weight": 0.1},
    ETN: {"auxiliary_domain_weight": 10.0},
}
#: Parameters with which every term has a gradient in a network that knows nothing.
UNSURE = {DRCN: {"threshold": 0.0}}


@pytest.mark.parametrize("cls", METHODS)
def test_what_adapts_reaches_the_features(cls, make_net, make_terms, gradients):
    module, _, terms = make_terms(make_net(cls, **UNSURE.get(cls, {})))
    still = {
        name
        for name, term in terms.items()
        if (found := gradients(term, module)["extractor.0.weight"]) is None
        or found.abs().max() < 1e-9
    }

    assert still == ASIDE.get(cls, set())
    assert set(terms) - RISKS - still


@pytest.mark.parametrize("cls", [PADA, SAN, ETN])
def test_the_reversal_rises_as_steeply_as_asked(cls, make_net, make_terms, gradients):
    by_gamma = {}
    for gamma in (10.0, 2.0):
        module, _, terms = make_terms(make_net(cls, gamma=gamma))
        by_gamma[gamma] = gradients(terms["domain"], module)["extractor.0.weight"]
    ramps = {gamma: 2 / (1 + np.exp(-gamma * 0.7)) - 1 for gamma in by_gamma}

    torch.testing.assert_close(by_gamma[2.0] / ramps[2.0], by_gamma[10.0] / ramps[10.0])


@pytest.mark.parametrize("cls", [IWAN, SAN, ETN])
def test_an_entropy_without_a_weight_is_left_out(cls, make_net, make_terms):
    assert "entropy" in make_terms(make_net(cls))[2]
    assert "entropy" not in make_terms(make_net(cls, entropy_weight=0.0))[2]


@pytest.fixture(scope="module")
def fitted(make_net):
    """Fit a method to a draw of domains."""

    def fit(cls, data, seed):
        clf = make_net(cls, random_state=seed, **STRONG.get(cls, {}))
        return clf.fit(data.X, source=data.source)

    return fit


@pytest.fixture(scope="module")
def draws(make_partial, fitted):
    """Five draws of domains, and how well their source alone does on the target."""
    draws = [make_partial(seed, shift=3.0) for seed in range(5)]
    alone = [
        fitted(SourceOnly, d, seed).score(d.X, d.y) for seed, d in enumerate(draws)
    ]
    return draws, np.array(alone)


@pytest.fixture(scope="module")
def predicted_by_the_source_alone(partial_data, fitted):
    return fitted(SourceOnly, partial_data, 0).predict(partial_data.X)


@pytest.mark.parametrize("cls", METHODS)
def test_the_predictions_are_not_those_of_the_source_alone(
    cls, fitted, partial_data, predicted_by_the_source_alone
):
    predicted = fitted(cls, partial_data, 0).predict(partial_data.X)

    assert (predicted != predicted_by_the_source_alone).sum() >= 3


@pytest.mark.parametrize("cls", METHODS)
def test_adaptation_beats_its_absence_where_classes_are_missing(cls, fitted, draws):
    draws, alone = draws
    scores = [fitted(cls, d, seed).score(d.X, d.y) for seed, d in enumerate(draws)]

    assert np.mean(scores - alone) > 0.01


@pytest.mark.parametrize("cls", METHODS)
def test_no_labels_and_missing_ones_are_the_same(cls, make_net, partial_data):
    clf = make_net(cls, max_epochs=5)
    missing = np.full(len(partial_data.y), -1)
    none, masked = (
        clf.fit(partial_data.X, y, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for y in (None, missing)
    )

    assert_array_equal(none, masked)


@pytest.mark.parametrize("cls", METHODS)
def test_hidden_labels_have_no_say(cls, make_net, partial_data):
    clf = HideLabels(make_net(cls, max_epochs=5))
    shuffled = np.random.default_rng(0).permutation(partial_data.y)
    one, other = (
        clf.fit(partial_data.X, y, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for y in (partial_data.y, shuffled)
    )

    assert_array_equal(one, other)


@pytest.mark.parametrize("cls", METHODS)
def test_a_labeled_target_row_has_a_say(cls, make_net, partial_data):
    clf = make_net(cls, max_epochs=5)
    y = np.full(len(partial_data.y), -1)
    y[3] = partial_data.y[3]  # there is no warning that other classes have no label
    none, one = (
        clf.fit(partial_data.X, labels, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for labels in (None, y)
    )

    assert abs(none - one).max() > 1e-4
    assert clf.transduction_[3] == y[3]
    assert "target_risk" in clf.history_


@pytest.mark.parametrize("cls", METHODS)
def test_shares_are_those_of_the_classes_in_their_order(cls, make_net, make_partial):
    data = make_partial(0, shift=1.0, n_shared=1)
    names = np.array(["wolf", "bee", "cat", "ant", "dog"])
    X_source, y_source = data.source
    clf = make_net(cls).fit(data.X, source=(X_source, names[y_source]))

    assert clf.classes_.tolist() == ["ant", "bee", "cat", "dog", "wolf"]
    assert clf.class_weights_.argmax() == 4
    assert clf.class_weights_.sum() == pytest.approx(1, abs=1e-5)
    assert_allclose(clf.class_weights_history_[-1], clf.class_weights_)
    assert clf.predict_proba(data.X).shape == (120, 5)


# Bad input


@pytest.mark.parametrize("cls", METHODS)
def test_a_target_class_that_the_source_lacks_is_an_error(cls, make_net, partial_data):
    X_source, y_source = partial_data.source
    there = y_source != 1
    with pytest.raises(ValueError, match="got the label 1, which no source sample has"):
        make_net(cls).fit(
            partial_data.X, partial_data.y, source=(X_source[there], y_source[there])
        )


def test_every_unknown_label_is_named(make_net, partial_data):
    y = np.array(["ant", "bee"])[partial_data.y]
    names = np.array(["ox", "cat", "dog", "elk", "fox"])[partial_data.source[1]]
    with pytest.raises(ValueError, match="got the label 'ant', 'bee', which"):
        make_net(PADA).fit(partial_data.X, y, source=(partial_data.source[0], names))


@pytest.mark.parametrize("cls", METHODS)
def test_a_source_of_one_class_is_an_error(cls, make_net, partial_data):
    X_source, y_source = partial_data.source
    there = y_source == 1
    with pytest.raises(ValueError, match="two classes or more, got one class, 1: add"):
        make_net(cls).fit(partial_data.X, source=(X_source[there], y_source[there]))


def test_labels_of_another_length_are_an_error(make_net, partial_data):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_net(PADA).fit(
            partial_data.X, partial_data.y[:-1], source=partial_data.source
        )


@pytest.mark.parametrize("cls", METHODS)
def test_a_target_of_one_row_can_be_fitted(cls, make_net, partial_data):
    clf = make_net(cls, max_epochs=3)
    clf.fit(partial_data.X[:1], source=partial_data.source)

    assert clf.transduction_.shape == (1,)
    assert np.isfinite(clf.history_["train_loss"]).all()


@pytest.mark.parametrize("cls", METHODS)
def test_a_source_of_two_rows_can_be_fitted(cls, make_net, partial_data):
    clf = make_net(cls, max_epochs=3)
    clf.fit(partial_data.X, source=(partial_data.source[0][:2], [0, 1]))

    assert np.isfinite(clf.predict_proba(partial_data.X)).all()
    assert np.isfinite(clf.history_["train_loss"]).all()


@pytest.mark.parametrize("cls", METHODS)
def test_without_a_source_the_labeled_rows_are_learned(cls, make_net, partial_data):
    with pytest.warns(NoSourceWarning, match="is fitted without a source"):
        clf = make_net(cls).fit(partial_data.X, partial_data.y)

    assert clf.score(partial_data.X, partial_data.y) > 0.95
    assert clf.class_weights_.shape == (2,)


def test_unlabeled_source_rows_are_left_out_with_a_word(make_net, partial_data):
    X_source, y_source = partial_data.source
    some = np.where(np.arange(120) < 100, y_source, -1)
    clf = make_net(BA3US, max_epochs=3)
    with pytest.warns(UserWarning, match="leaves out 20 unlabeled source samples"):
        warned = clf.fit(partial_data.X, source=(X_source, some))
    p = warned.predict_proba(partial_data.X)
    cut = clf.fit(partial_data.X, source=(X_source[:100], y_source[:100]))

    assert_array_equal(p, cut.predict_proba(partial_data.X))


# Other samples, other trainings


@pytest.mark.parametrize("cls", METHODS)
def test_samples_may_be_images(cls, make_net):
    rng = np.random.default_rng(0)
    X = rng.random((40, 1, 6, 6), dtype=np.float32)
    y = np.arange(40) % 3
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())
    clf = make_net(cls, module=lambda: network, max_epochs=3, batch_size=10)
    p = clf.fit(X[:20], source=(X[20:], y[20:])).predict_proba(X)

    assert p.shape == (40, 3)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("cls", [BA3US, PADA])
def test_a_dataset_is_looked_at_in_batches(cls, make_net, partial_data):
    target = TensorDataset(torch.from_numpy(partial_data.X).float())
    clf = make_net(cls, max_epochs=4, batch_size=30)
    X_source, y_source = partial_data.source
    loaded = TensorDataset(torch.from_numpy(X_source).float())
    whole = clf.fit(partial_data.X, source=partial_data.source).class_weights_history_
    clf.fit(target, source=(loaded, y_source))

    assert_allclose(clf.class_weights_history_, whole, atol=1e-5)


@pytest.mark.parametrize("cls", METHODS)
def test_a_lower_precision_tells_much_the_same(cls, make_net, partial_data):
    full, low = (
        make_net(cls, max_epochs=5, precision=precision)
        .fit(partial_data.X, source=partial_data.source)
        .predict_proba(partial_data.X)
        for precision in ("float32", "bfloat16")
    )

    assert low.dtype == np.float32
    assert 0 < abs(full - low).mean() < 0.02


@pytest.mark.parametrize("cls", METHODS)
def test_a_training_may_go_on(cls, make_net, partial_data):
    clf = make_net(cls, max_epochs=3, warm_start=True)
    before = clf.fit(partial_data.X, source=partial_data.source).history_
    after = clf.fit(partial_data.X, source=partial_data.source).history_

    assert after["source_risk"][0] < before["source_risk"][0]


@pytest.mark.parametrize("cls", METHODS)
def test_published_settings_can_be_fitted(cls, partial_data):
    clf = cls.published(max_steps=2, random_state=0, device="cpu")

    assert clf.fit(partial_data.X, source=partial_data.source).n_iter_ <= 2
