"""Tests of `skda.partial.ISRA`."""

import pickle
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import TensorDataset

from skda.base import Sizes
from skda.model_selection import HideLabels, LabeledFold
from skda.modules import FeatureRecorder, Topics
from skda.partial import BA3US, ISRA, PADA, SHOT
from skda.partial._topics import TopicObjective
from skda.training import Objective
from skda.unsupervised import CDAN, DANN, MCC, SPL, SourceOnly, SymNets
from skda.utils.warnings import NoSourceWarning

#: Most fits here are too short for receptors to learn.
pytestmark = pytest.mark.filterwarnings("ignore:The receptors have not learned")

BACKBONES = [BA3US, PADA, SHOT, DANN, CDAN, SymNets, MCC, SourceOnly]
NETS = [cls for cls in BACKBONES if cls is not SourceOnly]
ATTENTIONS = ["encoder", "receptor", "random", "uniform"]
FEW = {"n_topics": 6, "n_hidden": 8, "beta": 0.1}


def _isra(backbone, **params):
    return ISRA(backbone, **(FEW | params))


@pytest.fixture
def make_topics():
    """Build topics of 16 features in float64."""

    def make(attention, **params):
        torch.manual_seed(0)
        settings = {
            "receptor_scaling": False,
            "residual_weighting": False,
            "decoder_activation": None,
        }
        return Topics(
            16, 6, attention=attention, n_hidden=8, **(settings | params)
        ).double()

    return make


@pytest.fixture
def features():
    """Features of a source and of a target."""
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(n, 16, generator=generator, dtype=torch.float64) for n in (9, 6)
    )


def _objective(inner, topics, **weights):
    names = "alpha", "beta", "receptor_weight", "receptor_l1", "receptor_lr"
    return TopicObjective(inner, topics, **(dict.fromkeys(names, 1.0) | weights))


# What is minimized


@pytest.mark.parametrize("residual_weighting", [False, True])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_terms_and_their_gradients_are_those_of_a_loop(
    make_topics, features, attention, residual_weighting
):
    topics = make_topics(attention, residual_weighting=residual_weighting)
    X = torch.cat(features).requires_grad_()
    f_s, f_t = X[:9], X[9:]
    z = topics.autoencoder.encode(X)
    expected = (topics.autoencoder(X) - X).square().mean()
    for j in range(6):
        constant = torch.ones_like(X) * topics.fixed[j]
        if attention in ("encoder", "receptor"):
            response = topics.receptors(X) if attention == "receptor" else z
            (constant,) = torch.autograd.grad(
                response[:, j].sum(), X, retain_graph=True
            )
        if attention == "receptor" and residual_weighting:
            constant = constant * (response - z)[:, j : j + 1].detach()
        A = 15 * constant.abs() / constant.norm()
        gap = (A[:9] * f_s).mean(dim=0) - (A[9:] * f_t).mean(dim=0)
        expected = expected + 0.3 * gap.square().mean()
    objective = _objective(Objective(), topics, beta=0.3, receptor_weight=0.0)
    loss = sum(objective.topic_terms(f_s, f_t).values())

    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(
        torch.autograd.grad(loss, X, retain_graph=True),
        torch.autograd.grad(expected, X),
    )


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_term_trains_what_it_should(make_topics, features, attention, gradients):
    topics = make_topics(attention)
    X = torch.cat(features).requires_grad_()
    terms = _objective(Objective(), topics).topic_terms(X[:9], X[9:])
    trained = {
        name: {
            part.split(".")[0]
            for part, gradient in gradients(term, topics).items()
            if gradient is not None
        }
        for name, term in terms.items()
        if name != "topic_alignment"
    }
    expected = {"class2vec": {"autoencoder"}}
    if attention == "receptor":
        expected["receptors"] = {"receptors"}

    assert trained == expected
    assert set(terms) == {"topic_alignment", *expected}
    of_X = {
        name: torch.autograd.grad(term, X, retain_graph=True, allow_unused=True)[0]
        for name, term in terms.items()
    }
    assert of_X.pop("receptors", None) is None
    assert all(gradient.abs().sum() > 0 for gradient in of_X.values())
    parameters = list(topics.parameters())
    of_topics = torch.autograd.grad(
        terms["topic_alignment"], [X, *parameters], allow_unused=True
    )[1:]
    assert of_topics == (None,) * len(parameters)


@pytest.mark.parametrize("cls", BACKBONES)
def test_the_terms_are_added_to_those_of_the_backbone(cls, make_net, batch):
    clf = make_net(cls)
    clf.n_features_in_source_ = 5
    torch.manual_seed(0)
    module = clf.make_module(Sizes(5, 5, 4)).double()
    *_, phase = clf.make_phases(1)
    inner = phase.criterion
    topics = Topics(
        16, 6, attention="encoder", n_hidden=8,
        receptor_scaling=True, residual_weighting=False, decoder_activation=None,
    ).double()  # fmt: skip
    outer = _objective(inner, topics)
    outer.start_fit(module, batch)
    outer.start_epoch(module, batch, 0.0)
    torch.manual_seed(1)
    terms = outer(module, batch, 0.5)
    torch.manual_seed(1)
    expected = inner(module, batch, 0.5)
    added = outer.topic_terms(*module.encode_both(batch.source.X, batch.target.X))

    torch.testing.assert_close(terms, expected | added)


def test_a_source_that_the_backbone_does_not_look_at_is_a_constant(make_net, batch):
    clf = make_net(SHOT)
    module = clf.make_module(Sizes(5, 5, 4)).double()
    inner = clf.make_objective()
    X = batch.source.X.requires_grad_()
    topics = Topics(
        16, 6, attention="uniform", n_hidden=8,
        receptor_scaling=True, residual_weighting=False, decoder_activation=None,
    ).double()  # fmt: skip
    outer = _objective(inner, topics)
    outer.start_fit(module, batch)
    outer.start_epoch(module, batch, 0.0)
    terms = outer(module, batch, 0.5)
    weight = module.extractor[0].weight
    of_source, of_weight = torch.autograd.grad(terms["topic_alignment"], [X, weight])

    assert not of_source.any()
    assert of_weight.abs().sum() > 0


def test_a_recorder_is_the_network_and_remembers(make_net, batch):
    module = make_net(DANN).make_module(Sizes(5, 5, 4)).double()
    recorder = FeatureRecorder(module)
    features = recorder.encode_both(batch.source.X, batch.target.X)
    recorder.encode_both(batch.target.X, batch.source.X)

    assert recorder.features is features
    assert recorder.head is module.head
    torch.testing.assert_close(recorder(batch.target.X), module(batch.target.X))


def test_receptors_may_learn_at_a_rate_of_their_own(make_topics):
    outer = _objective(SourceOnly().make_objective(), make_topics("receptor"))
    outer.lr_multipliers = {"extractor": 0.1}
    slow = _objective(
        SourceOnly().make_objective(), make_topics("receptor"), receptor_lr=0.5
    )
    slow.lr_multipliers = {"extractor": 0.1}

    assert outer.lr_multipliers == {"extractor": 0.1}
    assert slow.lr_multipliers == {"extractor": 0.1, "topics.receptors": 0.5}


# What it does to a fit


@pytest.mark.parametrize("cls", NETS)
def test_it_changes_the_predictions_of_any_backbone(cls, make_net, partial_data):
    X, _, source = partial_data
    alone = make_net(cls, random_state=3).fit(X, source=source)
    clf = _isra(make_net(cls), random_state=3).fit(X, source=source)

    assert not np.allclose(alone.predict_proba(X), clf.predict_proba(X), atol=1e-3)
    assert (alone.predict(X) != clf.predict(X)).sum() >= 1
    assert set(alone.history_) < set(clf.history_)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_without_weights_it_is_its_backbone(attention, make_net, partial_data):
    X, _, source = partial_data
    alone = make_net(DANN).fit(X, source=source)
    none = {"alpha": 0.0, "beta": 0.0, "receptor_weight": 0.0}
    clf = _isra(make_net(DANN), attention=attention, **none).fit(X, source=source)

    assert_allclose(clf.predict_proba(X), alone.predict_proba(X), atol=1e-6)
    assert_array_equal(clf.transduction_, alone.transduction_)


def test_attentions_differ(make_net, partial_data):
    X, _, source = partial_data
    probabilities = [
        _isra(make_net(DANN), attention=a).fit(X, source=source).predict_proba(X)
        for a in ATTENTIONS
    ]

    for i in range(len(ATTENTIONS)):
        for j in range(i):
            assert not np.allclose(probabilities[i], probabilities[j], atol=1e-3)


def test_it_brings_the_means_of_the_domains_together(make_net, partial_data):
    X, _, source = partial_data

    def distance(clf):
        f_s, f_t = clf.transform(source[0], domain="source"), clf.transform(X)
        scale = np.concatenate([f_s, f_t]).std()
        return np.linalg.norm(f_s.mean(axis=0) - f_t.mean(axis=0)) / scale

    alone = make_net(SourceOnly).fit(X, source=source)
    clf = _isra(make_net(MCC, lambda0=0.0), attention="uniform", beta=1.0)
    clf.fit(X, source=source)

    assert distance(clf) < 0.7 * distance(alone)


@pytest.mark.parametrize("size", [0.01, 0.1, 1.0])
def test_receptors_learn_the_topics_of_features_of_any_size(size, make_partial):
    X, _, (X_source, y_source) = make_partial(0, n_rows=300)
    backbone = DANN(normalize=False, max_steps=200, lr=0.02, random_state=0)
    backbone.set_params(module=lambda: nn.Linear(10, 32), extractor_lr=0.0)
    clf = ISRA(backbone, attention="receptor", n_topics=8, alpha=0.0, beta=0.0)
    with catch_warnings():
        simplefilter("error")
        clf.fit(size * X, source=(size * X_source, y_source))
    rows = size * np.concatenate([X, X_source])
    varies = np.ptp(clf.topics(rows), axis=0) > 0  # others have nothing to be learned

    assert np.median(clf.receptor_r2_[varies]) > 0.7


def test_a_fit_says_that_its_receptors_have_not_learned(make_net, make_partial):
    X, _, source = make_partial(0, n_rows=300)
    backbone = make_net(DANN, max_epochs=100, normalize=True)
    recommended = ISRA(backbone, attention="receptor", n_topics=8)
    with catch_warnings():
        simplefilter("error")
        recommended.fit(X, source=source)
    with pytest.warns(ConvergenceWarning, match=r"median R² is -.*attention='encoder'"):
        published = ISRA.published(backbone=backbone, n_topics=8).fit(X, source=source)

    assert np.median(recommended.receptor_r2_) > 0.6
    assert np.median(published.receptor_r2_) < 0


def test_what_receptors_learn_does_not_depend_on_the_size_of_the_features(features):
    learned = []
    for size in (1.0, 1e-3, 1e4):
        torch.manual_seed(0)
        topics = Topics(
            16, 6, attention="receptor", n_hidden=8, receptor_scaling=True,
            residual_weighting=False, decoder_activation=None,
        ).double()  # fmt: skip
        topics.autoencoder.encoder.bias.data *= size
        objective = _objective(
            Objective(), topics, alpha=0.0, beta=0.0, receptor_l1=0.1
        )
        optimizer = torch.optim.SGD(topics.receptors.parameters(), lr=0.03)
        X = size * torch.cat(features)
        for _ in range(20):
            optimizer.zero_grad()
            sum(objective.topic_terms(X[:9], X[9:]).values()).backward()
            optimizer.step()
        Z, predicted = topics.responses(X)
        learned.append((Z / size, predicted / size, torch.cat(list(topics.maps(X)))))

    torch.testing.assert_close(learned[1], learned[0])
    torch.testing.assert_close(learned[2], learned[0])


def test_a_topic_that_was_out_returns_in_proportion(features):
    topics = Topics(
        16, 6, attention="receptor", n_hidden=8, receptor_scaling=True,
        residual_weighting=False, decoder_activation=None,
    ).double()  # fmt: skip
    bias = topics.autoencoder.encoder.bias.data
    shown, bias[0] = bias[0].clone(), -1e6  # no row has the topic
    X = torch.cat(features)
    topics.observe(X)
    bias[0] = shown

    assert topics.autoencoder.encode(X)[:, 0].max() > 0
    assert topics.regress(X).loss < 1e6


@pytest.mark.parametrize("residual_weighting", [False, True])
def test_maps_are_gradients_of_what_receptors_predict(features, residual_weighting):
    topics = Topics(
        16, 6, attention="receptor", n_hidden=8, receptor_scaling=True,
        residual_weighting=residual_weighting, decoder_activation=None,
    ).double()  # fmt: skip
    X = (5 * torch.cat(features) + 1).requires_grad_()
    for rows in X.detach().split(5):
        topics.observe(rows)
    Z, predicted = topics.responses.__wrapped__(topics, X)
    for j, attended in enumerate(torch.cat(list(topics.maps(X)))):
        (expected,) = torch.autograd.grad(predicted[:, j].sum(), X, retain_graph=True)
        if residual_weighting:
            expected = expected * (predicted - Z)[:, j : j + 1]

        torch.testing.assert_close(attended, expected.abs().detach())


def test_moments_are_those_of_the_first_batch_and_then_follow(features):
    topics = Topics(
        16, 6, attention="receptor", n_hidden=8, receptor_scaling=True,
        residual_weighting=False, decoder_activation=None,
    ).double()  # fmt: skip
    first, second = features
    topics.observe(first)
    moments = topics.feature_moments

    torch.testing.assert_close(moments.mean, first.mean(dim=0))
    torch.testing.assert_close(moments.variance, first.var(dim=0, correction=0))
    topics.observe(second)
    expected = (first.mean(dim=0) + second.mean(dim=0)) / 2
    torch.testing.assert_close(moments.mean, expected)
    for _ in range(300):
        topics.observe(second)
    torch.testing.assert_close(moments.mean, second.mean(dim=0), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        moments.variance, second.var(dim=0, correction=0), atol=1e-4, rtol=0
    )


def test_published_settings_follow_the_number_of_topics():
    clf = ISRA.published(n_topics=16)

    assert clf.receptor_weight == 1 / 16
    assert clf.backbone.n_components == 512
    assert (ISRA.published().n_topics, ISRA.published().beta) == (256, 1.0)
    assert not ISRA.published().receptor_scaling
    assert ISRA.published(attention="encoder").attention == "encoder"
    # (1 + 0.001 i) ** -0.75 at the last of 8000 steps
    assert clf.backbone.lr_schedule(1.0) == pytest.approx(9**-0.75)
    with pytest.raises(ValueError, match="'n_topics' parameter of ISRA must be"):
        ISRA.published(n_topics=0).fit(np.eye(4), source=(np.eye(4), [0, 1, 0, 1]))


# What it is asked for


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_topics_and_what_they_see_are_there_for_any_row(
    attention, make_net, partial_data
):
    X, _, source = partial_data
    clf = _isra(make_net(BA3US), attention=attention).fit(X, source=source)
    weights, attended = clf.topic_weights(X), clf.topic_attention(X, 2)

    assert clf.topics(X).shape == weights.shape == (len(X), 6)
    assert (clf.topics(X) >= 0).all()
    assert clf.topic_masks_.shape == (6, 16)
    assert attended.shape == (len(X), 16)
    assert_allclose(attended.mean(axis=0), clf.topic_masks_[2], rtol=1e-4, atol=1e-6)
    assert_allclose(np.linalg.norm(attended, axis=1), weights[:, 2], rtol=1e-4)
    assert_allclose(clf.topic_attention(X[:1], 2), attended[:1], rtol=1e-4, atol=1e-6)
    assert clf.topics(source[0], domain="source").shape == (len(source[0]), 6)
    assert clf.receptor_r2_.shape == (6,)
    assert (attention == "receptor") == (clf.receptor_r2_ != 1).any()


def test_what_the_backbone_has_learned_is_there(make_net, partial_data):
    X, y, source = partial_data
    clf = _isra(make_net(BA3US)).fit(X, source=source)

    assert clf.class_weights_.shape == (5,)
    assert clf.class_weights_history_.shape == (10, 5)
    assert clf.n_iter_ == 40
    assert "topic_alignment" in clf.history_
    assert clf.score(X, y) == np.mean(clf.predict(X) == y)
    assert clf.get_feature_names_out()[0] == "isra0"
    assert_array_equal(clf.transform(X), clf.backbone_.transform(X))
    with pytest.raises(AttributeError, match="'ISRA' object has no attribute 'epochs'"):
        _ = clf.epochs


def test_a_fit_can_be_pickled_and_repeated(make_net, partial_data):
    X, _, source = partial_data
    clf = _isra(make_net(BA3US), attention="receptor").fit(X, source=source)
    again = clone(clf).fit(X, source=source)
    copied = pickle.loads(pickle.dumps(clf))  # noqa: S301

    assert_array_equal(clf.predict_proba(X), again.predict_proba(X))
    assert_array_equal(clf.predict_proba(X), copied.predict_proba(X))
    assert_array_equal(clf.topics(X), copied.topics(X))
    alone = make_net(BA3US).fit(X, source=source)
    assert vars(clf.backbone_).keys() == vars(alone).keys()


def test_its_random_state_wins_if_there_is_one(make_net, partial_data):
    X, _, source = partial_data
    seeds = [(0, None), (0, 1), (1, None)]
    inner, outer, other = (
        _isra(make_net(DANN, random_state=one), random_state=two)
        .fit(X, source=source)
        .predict_proba(X)
        for one, two in seeds
    )

    assert_array_equal(outer, other)
    assert not np.allclose(inner, outer)


def test_parameters_of_the_backbone_are_within_reach(make_net, partial_data):
    X, _, source = partial_data
    backbone = make_net(DANN, max_epochs=2)
    pipeline = make_pipeline(StandardScaler(), _isra(backbone))
    pipeline.set_params(isra__backbone__lr=0.5)

    assert pipeline.get_params()["isra__backbone__lr"] == 0.5
    assert backbone.lr == 0.5
    assert clone(pipeline)[-1].backbone.lr == 0.5
    y = np.where(np.arange(len(X)) < 20, partial_data.y, -1)
    few = make_net(BA3US, max_epochs=2)
    search = GridSearchCV(
        _isra(few), {"backbone__lr": [0.1, 0.2], "beta": [0, 1]}, cv=LabeledFold(2)
    )
    assert search.fit(X, y, source=source).best_estimator_.backbone.lr in (0.1, 0.2)


def test_labels_of_the_target_are_seen_unless_they_are_hidden(make_net, partial_data):
    X, y, source = partial_data
    clf = _isra(make_net(BA3US, max_epochs=5))
    without, all_hidden, with_some = (
        clone(clf).fit(X, labels, source=source).predict_proba(X)
        for labels in (None, np.full(len(X), -1), np.where(np.arange(120) < 9, y, -1))
    )
    hidden, permuted = (
        HideLabels(clf).fit(X, labels, source=source).predict_proba(X)
        for labels in (y, y[::-1])
    )

    assert_array_equal(without, all_hidden)
    assert_array_equal(hidden, permuted)
    assert_array_equal(without, hidden)
    assert not np.array_equal(without, with_some)


def test_a_warm_start_goes_on_with_network_and_topics(make_net, partial_data):
    X, _, source = partial_data
    params = {"max_epochs": 20, "warm_start": True}
    clf = _isra(make_net(DANN, **params), attention="receptor").fit(X, source=source)
    backbone, topics = clf.backbone_, clf.topics(X)
    weight = clf.backbone_.net_.criterion_.topics.receptors.weight.detach().clone()
    clf.set_params(backbone__lr=1e-9).fit(X, source=source)

    assert clf.backbone_ is backbone
    assert_allclose(clf.topics(X), topics, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(
        clf.backbone_.net_.criterion_.topics.receptors.weight.detach(), weight
    )
    clf.set_params(n_topics=3).fit(X, source=source)
    assert clf.topics(X).shape == (len(X), 3)


def test_a_warm_start_does_not_keep_the_weights_of_another_control(
    make_net, partial_data
):
    X, _, source = partial_data
    backbone = make_net(DANN, max_epochs=2, warm_start=True)
    clf = _isra(backbone, attention="random").fit(X, source=source)
    clf.set_params(attention="uniform").fit(X, source=source)

    assert (clf.topic_masks_ == 1).all()


def test_a_backbone_may_go_on_without_the_source(make_net, partial_data):
    X, _, source = partial_data
    clf = _isra(make_net(SHOT, max_epochs=5, warm_start=True)).fit(X, source=source)
    before = clf.predict_proba(X)
    clf.fit(X[:40])

    assert clf.classes_.shape == (5,)
    assert not np.allclose(clf.predict_proba(X), before)
    with pytest.raises(ValueError, match="and has no topics"):
        clf.topics(X)


def test_images_of_a_dataset_have_topics(partial_data):
    X, _, (X_source, y_source) = partial_data
    images = [torch.from_numpy(rows).float() for rows in (X, X_source)]
    target, source = (TensorDataset(rows.view(-1, 1, 2, 5)) for rows in images)
    backbone = DANN(
        module=lambda: nn.Sequential(nn.Flatten(), nn.Linear(10, 8)),
        max_epochs=2,
        random_state=0,
    )
    clf = _isra(backbone, attention="receptor").fit(target, source=(source, y_source))

    assert clf.topics(target).shape == (120, 6)
    assert clf.topic_masks_.shape == (6, 8)


def test_layers_may_be_of_lower_precision(make_net, partial_data):
    X, _, source = partial_data
    for attention in ("encoder", "receptor"):
        backbone = make_net(DANN, precision="bfloat16", max_epochs=3)
        clf = _isra(backbone, attention=attention).fit(X, source=source)

        assert np.isfinite(clf.history_["train_loss"]).all()


# Bad input


@pytest.mark.parametrize("n_topics", [0, -1, 4097, 2.5])
def test_a_number_of_topics_must_be_sane(n_topics, partial_data):
    expected = r"'n_topics' parameter of ISRA must be an int in the range \[1, 4096\]"
    with pytest.raises(ValueError, match=expected):
        ISRA(n_topics=n_topics).fit(partial_data.X, source=partial_data.source)


@pytest.mark.parametrize(
    "backbone",
    [LogisticRegression(), SPL(), ISRA(), SourceOnly(LogisticRegression()), 3],
)
def test_a_backbone_must_have_an_objective(backbone, partial_data):
    with pytest.raises(TypeError, match="expects a backbone that trains one network"):
        ISRA(backbone).fit(partial_data.X, source=partial_data.source)


def test_without_a_source_it_is_its_backbone_and_has_no_topics(make_net, partial_data):
    X, y, source = partial_data
    clf = _isra(make_net(DANN, max_epochs=3)).fit(X, source=source)
    with pytest.warns(NoSourceWarning):
        clf.fit(X, y)
    with pytest.warns(NoSourceWarning):
        alone = make_net(DANN, max_epochs=3).fit(X, y)

    assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    assert not hasattr(clf, "topic_masks_")
    with pytest.raises(ValueError, match="fitted without a source, and has no topics"):
        clf.topics(X)


def test_what_was_never_fitted_has_nothing_to_say(partial_data):
    for method in ("predict", "predict_proba", "transform", "topics"):
        with pytest.raises(NotFittedError):
            getattr(ISRA(), method)(partial_data.X)


@pytest.mark.parametrize("topic", [-1, 6, 1.0])
def test_a_topic_must_be_one_of_them(topic, make_net, partial_data):
    X, _, source = partial_data
    clf = _isra(make_net(DANN, max_epochs=2)).fit(X, source=source)
    with pytest.raises(ValueError, match="Expected a topic from 0 to 5, got"):
        clf.topic_attention(X, topic)


@pytest.mark.parametrize("n_target", [1, 2])
def test_a_target_of_few_rows_is_no_reason_to_fail(n_target, make_net, partial_data):
    X, _, source = partial_data
    clf = _isra(make_net(BA3US), attention="receptor").fit(X[:n_target], source=source)

    assert np.isfinite(clf.predict_proba(X)).all()


# The contract


class ISRAWithSource(ISRA):
    """An estimator whose source is its target upside down."""

    def fit(self, X, y=None):
        if y is None:
            return super().fit(X, y)
        upside_down = X.tocsr()[::-1] if issparse(X) else np.asarray(X)[::-1]
        return super().fit(X, y, source=(upside_down, np.asarray(y)[::-1].ravel()))


@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.parametrize(
    ("cls", "attention"), [(ISRA, "encoder"), (ISRAWithSource, "receptor")]
)
def test_sklearn_contract(cls, attention, check_contract):
    short, long = (
        cls(
            DANN(n_components=16, discriminator_layer_sizes=(8,), **training),
            n_topics=4,
            n_hidden=8,
            attention=attention,
            random_state=0,
        )
        for training in ({"max_epochs": 2}, {"max_epochs": 5, "lr": 0.03})
    )
    check_contract(short, long)
