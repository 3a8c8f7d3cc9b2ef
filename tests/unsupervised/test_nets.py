"""Tests of `skda.unsupervised`: what holds for every method with a network."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import LinearSVC
from torch.utils.data import TensorDataset

from skda.base import Sizes
from skda.model_selection import HideLabels
from skda.unsupervised import (
    CDAN,
    DAN,
    DANN,
    JAN,
    MADA,
    MCC,
    MCD,
    MDD,
    RTN,
    DeepCORAL,
    DomainConfusion,
    SourceOnly,
    SymNets,
)
from skda.utils.warnings import NoSourceWarning

ADAPTING = [
    DomainConfusion,
    DANN,
    CDAN,
    SymNets,
    MCC,
    DAN,
    JAN,
    DeepCORAL,
    MDD,
    MCD,
    MADA,
    RTN,
]
METHODS = [SourceOnly, *ADAPTING]
STRONG = {
    DomainConfusion: {"lambda0": 3.0},
    DANN: {},
    CDAN: {},
    SymNets: {},
    MCC: {},
    MDD: {"lambda0": 1.0},
}


def _module(clf, batch):
    """Build the network of a classifier for a batch, in float64."""
    clf.n_features_in_source_ = batch.source.X.shape[1]
    torch.manual_seed(0)
    return clf.make_module(Sizes(4, 4, 3)).double()


def _terms(clf, batch, progress=1.0):
    module, objective = _module(clf, batch), clf.make_objective()
    objective.start_fit(module, batch)
    return module, objective(module, batch, progress)


def _gradient(term, parameters):
    gradients = torch.autograd.grad(
        term, parameters, retain_graph=True, allow_unused=True
    )
    return sum(g.abs().sum().item() for g in gradients if g is not None)


# What the terms train


@pytest.mark.parametrize("cls", ADAPTING)
def test_what_adapts_reaches_the_features(cls, make_net, batch):
    module, terms = _terms(make_net(cls), batch)
    risks = {"source_risk", "target_risk", "cross_risk"}
    adapts = {name: term for name, term in terms.items() if name not in risks}
    gradients = {
        name: _gradient(term, list(module.extractor.parameters()))
        for name, term in adapts.items()
    }

    only_others = {DomainConfusion: {"domain"}, SymNets: {"domain"}}.get(cls, set())
    assert {name for name, g in gradients.items() if g == 0} == only_others
    assert any(g > 1e-4 for g in gradients.values())


@pytest.mark.parametrize("cls", ADAPTING)
def test_the_target_has_no_say_in_the_features_at_the_start(cls, make_net, batch):
    X = batch.target.X.clone().requires_grad_()
    target = batch.target._replace(X=X)
    gradients = []
    for progress in (0.0, 0.1):
        _, terms = _terms(make_net(cls), batch._replace(target=target), progress)
        others = sum(term for name, term in terms.items() if name != "target_risk")
        gradients.append(_gradient(others, [X]))

    assert gradients[0] == 0 < gradients[1]


@pytest.mark.parametrize("cls", METHODS)
def test_labeled_target_rows_have_a_risk_of_their_own(cls, make_net, batch):
    module, terms = _terms(make_net(cls), batch)
    unlabeled = batch.target._replace(labels=torch.zeros_like(batch.target.labels))
    _, without = _terms(make_net(cls), batch._replace(target=unlabeled))
    log_p = module(batch.target.X, "target").log_softmax(dim=1)

    torch.testing.assert_close(terms["target_risk"], -log_p[1, 2])
    assert "target_risk" not in without
    assert _gradient(terms["target_risk"], list(module.extractor.parameters())) > 0
    assert _gradient(terms["target_risk"], list(module.head.parameters())) > 0


@pytest.mark.parametrize("cls", METHODS)
def test_a_row_is_classified_alike_however_it_comes(cls, make_net, batch):
    module = _module(make_net(cls), batch)
    f_s, f_t = module.encode_both(batch.source.X, batch.target.X)

    torch.testing.assert_close(f_s, module.encode(batch.source.X, "source"))
    torch.testing.assert_close(f_t, module.encode(batch.target.X, "target"))


# What they are good for


@pytest.fixture(scope="module")
def score(make_net, make_shifted):
    """Fit a method to a draw of shifted domains, and score it."""

    def fit_and_score(cls, seed):
        data = make_shifted(seed)
        clf = make_net(cls, random_state=seed, **STRONG.get(cls, {}))
        return clf.fit(data.X, source=data.source).score(data.X, data.y)

    return fit_and_score


@pytest.fixture(scope="module")
def scores_of_the_source_alone(score):
    return np.array([score(SourceOnly, seed) for seed in range(5)])


@pytest.mark.parametrize("cls", ADAPTING)
def test_adaptation_beats_its_absence_where_the_domains_are_shifted(
    cls, score, scores_of_the_source_alone
):
    scores = [score(cls, seed) for seed in range(5)]

    assert np.mean(scores - scores_of_the_source_alone) > 0.02


@pytest.mark.parametrize("cls", ADAPTING)
def test_the_weight_of_what_adapts_changes_the_predictions(cls, make_net, shifted):
    with_it, without = (
        make_net(cls, lambda0=weight)
        .fit(shifted.X, source=shifted.source)
        .predict(shifted.X)
        for weight in (1.0, 0.0)
    )

    assert (with_it != without).sum() >= 3


@pytest.mark.parametrize("cls", METHODS)
def test_labels_of_the_target_help(cls, make_net, shifted):
    y = np.full_like(shifted.y, -1)
    for k in range(3):
        y[np.flatnonzero(shifted.y == k)[:10]] = k
    hidden = y < 0
    unlabeled, partly = (
        make_net(cls).fit(shifted.X, labels, source=shifted.source)
        for labels in (None, y)
    )

    assert "target_risk" in partly.history_
    assert "target_risk" not in unlabeled.history_
    assert_array_equal(partly.transduction_[~hidden], y[~hidden])
    before, after = (
        clf.score(shifted.X[hidden], shifted.y[hidden]) for clf in (unlabeled, partly)
    )
    assert after > 0.9
    assert after >= before


@pytest.mark.parametrize("cls", METHODS)
def test_hidden_labels_are_as_good_as_none(cls, make_net, shifted):
    fast = make_net(cls, max_epochs=5)
    hidden = HideLabels(fast).fit(shifted.X, shifted.y, source=shifted.source)
    none = fast.fit(shifted.X, source=shifted.source)

    assert_array_equal(hidden.predict_proba(shifted.X), none.predict_proba(shifted.X))
    scores = cross_val_score(
        HideLabels(fast),
        shifted.X,
        shifted.y,
        cv=3,
        params={"source": shifted.source},
    )
    assert scores.shape == (3,)


@pytest.mark.parametrize("cls", METHODS)
def test_without_a_source_the_labeled_rows_are_learned(cls, make_net, shifted):
    with pytest.warns(NoSourceWarning, match="is fitted without a source"):
        clf = make_net(cls).fit(shifted.X, shifted.y)

    assert clf.score(shifted.X, shifted.y) > 0.95
    assert "target_risk" in clf.history_


@pytest.mark.parametrize("cls", METHODS)
def test_a_class_that_only_the_target_has_is_learned_from_there(cls, make_net, shifted):
    X_source, y_source = shifted.source
    known = y_source != 2
    with pytest.warns(UserWarning, match="No source sample is labeled 2"):
        clf = make_net(cls).fit(
            shifted.X, shifted.y, source=(X_source[known], y_source[known])
        )

    assert clf.predict(shifted.X[shifted.y == 2]).tolist().count(2) > 40


@pytest.mark.parametrize("cls", [SourceOnly, MCC, MDD, MCD])
def test_unlabeled_source_rows_are_left_out_with_a_word(cls, make_net, shifted):
    X_source, y_source = shifted.source
    some = np.where(np.arange(150) < 100, y_source, -1)
    clf = make_net(cls, max_epochs=5)
    with pytest.warns(UserWarning, match="leaves out 50 unlabeled source samples"):
        warned = clf.fit(shifted.X, source=(X_source, some)).predict_proba(shifted.X)
    cut = clf.fit(shifted.X, source=(X_source[:100], y_source[:100]))

    assert_array_equal(warned, cut.predict_proba(shifted.X))


@pytest.mark.parametrize(
    "cls", [DomainConfusion, DANN, CDAN, SymNets, DAN, JAN, DeepCORAL, MADA, RTN]
)
def test_what_aligns_uses_unlabeled_source_rows(cls, make_net, shifted):
    X_source, y_source = shifted.source
    some = np.where(np.arange(150) < 100, y_source, -1)
    clf = make_net(cls, max_epochs=5)
    used = clf.fit(shifted.X, source=(X_source, some)).predict_proba(shifted.X)
    cut = clf.fit(shifted.X, source=(X_source[:100], y_source[:100]))

    assert abs(used - cut.predict_proba(shifted.X)).max() > 1e-4


def test_features_of_both_domains_are_to_be_had(make_net, shifted):
    clf = make_net(DANN, max_epochs=3).fit(shifted.X, source=shifted.source)

    assert clf.transform(shifted.X).shape == (150, 32)
    assert clf.transform(shifted.X).dtype == np.float32
    assert_array_equal(
        clf.transform(shifted.X), clf.transform(shifted.X, domain="source")
    )
    assert clf.get_feature_names_out()[0] == "dann0"


@pytest.mark.parametrize("cls", METHODS)
def test_published_settings_can_be_fitted(cls, shifted):
    clf = cls.published(max_steps=2, random_state=0, device="cpu")

    assert clf.fit(shifted.X, source=shifted.source).n_iter_ <= 2


@pytest.mark.parametrize("cls", [CDAN, DANN])
def test_published_networks_have_batch_norm_where_tllib_has_it(cls, shifted):
    clf = cls.published(max_steps=1, random_state=0, device="cpu")
    module = clf.fit(shifted.X, source=shifted.source).net_.module_
    hidden = ["Linear", "BatchNorm1d", "ReLU"]

    assert [type(m).__name__ for m in module.extractor] == ["RMSNorm", *hidden]
    assert [type(m).__name__ for m in module.discriminator] == [*2 * hidden, "Linear"]


# What is scaled


@pytest.fixture(name="table", scope="module")
def _table(make_shifted):
    """Four features that tell the classes, beside a large one that does not."""
    data = make_shifted(0, shift=0.0, n_features=4)
    noise = 1e4 * (1 + np.random.default_rng(0).uniform(size=(300, 1)))
    X_source, y_source = data.source
    source = np.hstack([X_source, noise[150:]]), y_source
    return np.hstack([data.X, noise[:150]]), data.y, source


@pytest.mark.parametrize("cls", METHODS)
def test_features_of_a_table_are_standardized(cls, make_net, table):
    X, y, source = table
    standardized = make_net(cls, normalize="auto").fit(X, source=source)
    scaled = make_net(cls, normalize=True).fit(X, source=source)

    assert standardized.score(X, y) > scaled.score(X, y) + 0.2


def test_units_of_a_table_do_not_matter(make_net, table):
    X, _, source = table
    units = np.array([1e-3, 1.0, 1e3, 1e6, 1.0])
    plain, mixed = (make_net(MCC, normalize="auto", max_epochs=3) for _ in range(2))
    plain.fit(X, source=source)
    mixed.fit(X * units, source=(source[0] * units, source[1]))

    assert_allclose(plain.predict_proba(X), mixed.predict_proba(X * units), atol=1e-3)


def test_rows_of_many_features_are_scaled_by_default(make_net, make_shifted):
    data = make_shifted(0, n_features=50)
    default, explicit = (
        make_net(MCC, normalize=normalize, max_epochs=2).fit(data.X, source=data.source)
        for normalize in ("auto", True)
    )

    assert MCC().normalize == "auto"
    assert_array_equal(default.predict_proba(data.X), explicit.predict_proba(data.X))


def test_a_standardized_network_takes_a_dataset_of_new_rows(make_net, table):
    X, _, source = table
    clf = make_net(MCC, normalize="auto", max_epochs=2).fit(X, source=source)
    dataset = TensorDataset(torch.from_numpy(X.astype(np.float32)))

    assert_allclose(clf.predict_proba(dataset), clf.predict_proba(X), atol=1e-6)


def test_a_warm_start_keeps_what_is_standardized(make_net, table):
    X, y, source = table
    clf = make_net(MCC, normalize="auto", warm_start=True).fit(X, source=source)
    before = clf.score(X, y)
    clf.set_params(lr=1e-9, max_epochs=1).fit(
        X[:40] + 1.0, source=(source[0] + 5.0, source[1])
    )

    assert clf.score(X, y) == before


# The control


def test_the_entropy_of_the_control_is_an_option(make_net, batch):
    _, plain = _terms(make_net(SourceOnly), batch)
    module, terms = _terms(make_net(SourceOnly, entropy_weight=0.5), batch)
    p = module(batch.target.X).softmax(dim=1)
    ramp = 2 / (1 + np.exp(-10)) - 1

    assert "entropy" not in plain
    torch.testing.assert_close(
        terms["entropy"], -0.5 * ramp * (p * p.log()).sum(dim=1).mean()
    )


def test_rows_of_any_classifier_are_scaled_if_asked(shifted):
    X_source, y_source = shifted.source
    C = LogisticRegression(C=10)
    expected = {
        True: C.fit(normalize(X_source), y_source).predict_proba(normalize(shifted.X)),
        False: C.fit(X_source, y_source).predict_proba(shifted.X),
    }
    expected["auto"] = expected[False]
    found = {
        how: SourceOnly(C, normalize=how).fit(shifted.X, source=shifted.source)
        for how in expected
    }

    assert np.abs(expected[True] - expected[False]).max() > 0.1
    for how, clf in found.items():
        assert_allclose(clf.predict_proba(shifted.X), expected[how])


def test_any_classifier_may_be_the_control(shifted):
    X_source, y_source = shifted.source
    names = np.array(["ant", "bee", "cat"])
    clf = SourceOnly(make_pipeline(StandardScaler(), LogisticRegression()))
    clf.fit(shifted.X, source=(X_source, names[y_source]))
    plain = make_pipeline(StandardScaler(), LogisticRegression())
    plain.fit(X_source, names[y_source])

    assert_array_equal(clf.predict(shifted.X), plain.predict(shifted.X))
    assert_array_equal(clf.transduction_, plain.predict(shifted.X))
    assert_array_equal(clf.predict_proba(X_source), plain.predict_proba(X_source))
    assert not hasattr(clf, "net_")
    with pytest.raises(AttributeError, match="has no attribute 'transform'"):
        clf.transform(shifted.X)


def test_a_classifier_without_probabilities_is_certain(shifted):
    clf = SourceOnly(LinearSVC(random_state=0))
    clf.fit(shifted.X, source=shifted.source)
    expected = LinearSVC(random_state=0).fit(*shifted.source).predict(shifted.X)

    assert set(np.unique(clf.predict_proba(shifted.X))) == {0.0, 1.0}
    assert accuracy_score(expected, clf.predict(shifted.X)) == 1


def test_a_classifier_learns_from_labeled_target_rows_too(shifted):
    y = np.where(np.arange(150) < 30, shifted.y, -1)
    alone, partly = (
        SourceOnly(LogisticRegression()).fit(shifted.X, labels, source=shifted.source)
        for labels in (None, y)
    )

    assert partly.score(shifted.X[30:], shifted.y[30:]) > alone.score(
        shifted.X[30:], shifted.y[30:]
    )
