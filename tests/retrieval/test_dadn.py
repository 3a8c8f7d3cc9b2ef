"""Tests of `skda.retrieval.DADN`."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from torch._subclasses import FakeTensorMode
from torch.nn.functional import binary_cross_entropy_with_logits

from skda.retrieval._dadn import DADN, WIDTHS, DADNModule, DADNObjective
from skda.training import Batch, Domain, Pairs

SMALL = {
    "hidden_layer_sizes": (16,),
    "discriminator_layer_sizes": (8, 4),
    "max_epochs": 10,
    "lr": 3e-3,
    "device": "cpu",
    "random_state": 0,
}
VECTORS = np.array([[1.0, 0.5, 0.0, 2.0], [0.0, 1.0, -1.0, 0.0], [1.0, -1.0, 1.0, 0.0]])
#: Places of five known categories and of three new ones between them.
PLACES = np.array(
    [[3, 0, 0], [0, 3, 0], [0, 0, 3], [-3, 0, 0], [0, -3, 0], [2, 2, 0], [-2, 0, 2]]
)


@pytest.fixture(scope="module")
def data():
    """Pairs of seven categories, the rows of which lie where their vectors say."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(PLACES)), 40)
    latent = PLACES[y] + 0.7 * rng.normal(size=(len(y), 3))
    X = np.tanh(latent @ rng.normal(size=(3, 17)) / 3)
    known = y < 5
    return X[known], y[known], X[~known], y[~known]


def _step(labels=(0, 1, 2, 0, 1), widths=(3, 2), dtype=None):
    torch.manual_seed(0)
    names = dict(zip("abc", widths, strict=False))
    module = DADNModule(
        names, 4, hidden_layer_sizes=[6], dropout=0.0, discriminator_layer_sizes=[5, 3]
    )
    if dtype is not None:
        module.to(dtype)
    X = torch.randn(len(labels), sum(widths), dtype=dtype)
    one_hot = torch.eye(3, dtype=X.dtype)[torch.tensor(labels)]
    domain = Domain(X, one_hot, torch.arange(len(labels)))
    nothing = Domain(*(field[:0] for field in domain))
    return module, Batch(nothing, domain, Pairs(nothing.X, nothing.X))


def _objective(vectors=VECTORS, dtype=np.float32, **weights):
    settings = {"metric_weight": 2.0, "reconstruction_weight": 3.0, "margin": 20.0}
    return DADNObjective(np.asarray(vectors, dtype), **settings | weights)


def _hidden(critic, rows):
    """Everything that a critic looks at, and its logits."""
    first = torch.relu(critic.layers[0](rows))
    second = torch.relu(critic.layers[2](first))
    seen = torch.cat([rows, first, second], dim=1)
    return seen.detach().numpy(), critic.layers[4](second).squeeze(1)


def _kernel(a, b):
    D = cdist(a, b, "sqeuclidean")
    return sum(np.exp(-D / (2 * width**2)).mean() for width in WIDTHS)


def _distance(a, b):
    return np.sqrt(_kernel(a, a) + _kernel(b, b) - 2 * _kernel(a, b))


def _entropy(logits, label):
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


@pytest.mark.parametrize("widths", [(3, 2), (3, 2, 4)])
@pytest.mark.parametrize("margin", [0.5, 20.0])
def test_terms_equal_those_computed_row_by_row(widths, margin):
    module, batch = _step(widths=widths, dtype=torch.double)
    objective = _objective(dtype=np.float64, margin=margin)
    z, rows = module(batch.target.X), module.views(batch.target.X)
    labels = batch.target.labels.argmax(dim=1)
    c = torch.from_numpy(VECTORS)[labels]
    views = range(len(widths))
    distribution = discriminators = reconstruction = metric = 0.0
    for p in views:
        real, logits = _hidden(
            module.embedding_critics[p], torch.cat([c, rows[p]], dim=1)
        )
        discriminators += _entropy(logits, 1.0).item()
        for q in views:
            made, logits = _hidden(
                module.embedding_critics[p], torch.cat([z[q], rows[p]], dim=1)
            )
            distribution += _distance(made, real)
            discriminators += _entropy(logits, 0.0).item()
        decoded = module.decoders[p](z[p])
        real, logits = _hidden(module.row_critics[p], rows[p])
        made, fooled = _hidden(module.row_critics[p], decoded)
        distribution += _distance(made, real)
        discriminators += (_entropy(logits, 1.0) + _entropy(fooled, 0.0)).item()
        reconstruction += (decoded - rows[p]).square().sum(dim=1).mean().item() / 2
        value = margin * (z[p] - c).square().sum(dim=1).mean().item()
        for q, i in product(views, range(5)):
            others = z[q][labels != labels[i]]
            value -= (others - z[p, i]).square().sum(dim=1).mean().item() / 5
        metric += max(0.0, value) / 2

    terms = objective(module, batch, 0.5)

    assert terms["distribution"].item() == pytest.approx(distribution)
    assert terms["metric"].item() == pytest.approx(2 * metric)
    assert terms["reconstruction"].item() == pytest.approx(3 * reconstruction)
    assert terms["discriminators"].item() == pytest.approx(discriminators)


def test_losses_are_the_numbers_of_the_public_code():
    """From `loss_calc` of DADN.py in PKU-ICST-MIPL/DADN_TCSVT2019, on these arrays.

    Of two pairs of different categories, each is the one that the other can draw.
    """
    module, _ = _step(dtype=torch.double)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.sin(1.0 + torch.arange(p.numel())).view(p.shape))
    X = torch.cos(torch.arange(10, dtype=torch.double)).view(2, 5)
    domain = Domain(X, torch.eye(2, dtype=torch.double), torch.arange(2))
    batch = Batch(domain, domain, Pairs(X, X))
    vectors = [[0.9, -0.2, 0.4, 0.1], [-0.5, 0.3, -0.6, 0.8]]
    objective = _objective(vectors, np.float64, reconstruction_weight=2.0)

    terms = objective(module, batch, 0.5)
    discriminators = terms.pop("discriminators").item()

    assert discriminators == pytest.approx(43.445040635528414 + 8.943387862947098)
    generators = sum(terms.values()).item()
    assert generators == pytest.approx(566.4325049567158 + 25.83469108987146)


@pytest.mark.parametrize(
    ("term", "encoders", "decoders", "critics"),
    [
        ("distribution", True, True, False),
        ("metric", True, False, False),
        ("reconstruction", True, True, False),
        ("discriminators", False, False, True),
    ],
)
def test_every_term_trains_its_own_players(term, encoders, decoders, critics):
    module, batch = _step()
    _objective()(module, batch, 0.5)[term].backward()

    def trained(parts):
        grads = [part[0].weight.grad for part in parts]
        return [grad is not None and bool(grad.abs().max() > 0) for grad in grads]

    judges = [critic.layers for critic in module.embedding_critics]
    judges += [critic.layers for critic in module.row_critics]
    assert trained(module.encoders) == [encoders] * 2
    assert trained(module.decoders) == [decoders] * 2
    assert trained(judges) == [critics] * 4


@pytest.mark.parametrize("labels", [(0, 0, 0), (0, 1, 2), (1,)])
def test_a_batch_may_lack_other_categories(labels):
    module, batch = _step(labels)
    terms = _objective()(module, batch, 0.5)
    sum(terms.values()).backward()

    assert all(term.isfinite() for term in terms.values())
    assert all(p.grad.isfinite().all() for p in module.parameters())


def test_a_step_has_static_shapes_and_never_waits_for_the_device():
    objective = _objective()
    with FakeTensorMode(allow_non_fake_inputs=True):  # reading a value raises
        module, batch = _step()
        sum(objective(module, batch, 0.5).values()).backward()

    assert all(parameter.grad is not None for parameter in module.parameters())


def test_vectors_that_place_new_categories_find_them(data):
    X, y, X_new, y_new = data
    settings = SMALL | {"max_epochs": 40}
    placed = DADN(label_vectors=PLACES[:5], **settings).fit(X, y)
    moved = DADN(label_vectors=PLACES[[3, 0, 4, 2, 1]], **settings).fit(X, y)

    assert placed.score(X_new, y_new) > 0.9  # chance is 0.5
    embeddings = placed.transform(X_new)[:, :3]
    centers = [embeddings[y_new == k].mean(axis=0) for k in (5, 6)]
    assert cdist(centers, PLACES[5:]).argmin(axis=1).tolist() == [0, 1]
    assert not np.allclose(moved.transform(X_new), placed.transform(X_new))


def test_vectors_by_label_are_those_in_the_order_of_the_labels(data):
    X, y, _, _ = data
    names = np.array(["e", "d", "c", "b", "a"])
    settings = SMALL | {"max_epochs": 1}
    by_label = dict(zip(names, PLACES[:5], strict=True)) | {"unseen": PLACES[5]}

    named = DADN(label_vectors=by_label, **settings).fit(X, names[y])
    listed = DADN(label_vectors=PLACES[4::-1].tolist(), **settings).fit(X, names[y])

    assert_array_equal(named.label_vectors_, PLACES[4::-1])
    assert_array_equal(named.transform(X), listed.transform(X))


def test_without_vectors_every_category_has_an_axis(data):
    X, y, _, _ = data
    dadn = DADN(**SMALL | {"max_epochs": 40}).fit(X, y)
    rows = dadn.transform(X)[:, :5]

    assert_array_equal(dadn.label_vectors_, np.eye(5))
    assert (rows.argmax(axis=1) == y).mean() > 0.9


def test_unlabeled_pairs_are_left_out_and_counted(data):
    X, y, _, _ = data
    some = np.where(np.arange(len(y)) < 150, y, -1)
    settings = SMALL | {"scaling": None, "max_epochs": 1}
    with pytest.warns(UserWarning, match="DADN learns .* out 50 unlabeled"):
        dadn = DADN(**settings).fit(X, some)

    expected = DADN(**settings).fit(X[:150], y[:150]).transform(X)
    assert_array_equal(dadn.transform(X), expected)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (PLACES[:4], r"one row for each of the categories \[0, 1, 2, 3, 4\], .*got 4"),
        ({0: [1.0], 3: [2.0]}, r"every category with a label, got none of \[1, 2, 4\]"),
        (np.ones((5, 2)), r"label_vectors that differ, got the same for all of \[0,"),
        (np.full((5, 2), np.nan), "label_vectors contains NaN"),
        ({k: [1.0] * (k + 1) for k in range(5)}, "inhomogeneous"),
        (np.arange(5.0), "Expected 2D array, got 1D"),
        ("glove", "'label_vectors' parameter of DADN must be"),
    ],
)
def test_vectors_that_cannot_be_are_refused(data, vectors, message):
    X, y, _, _ = data

    with pytest.raises(ValueError, match=message):
        DADN(label_vectors=vectors, **SMALL).fit(X, y)


def test_a_warm_start_needs_vectors_as_wide_as_before(data):
    X, y, _, _ = data
    settings = SMALL | {"max_epochs": 1, "warm_start": True}
    dadn = DADN(label_vectors=PLACES[:5], **settings).fit(X, y)
    dadn.fit(X, y).set_params(label_vectors=None)

    with pytest.raises(ValueError, match=r"vectors of the width .* 3, got 5"):
        dadn.fit(X, y)


@pytest.mark.parametrize("labels", [None, [7] * 200])
def test_categories_to_tell_are_needed(data, labels):
    with pytest.raises(ValueError, match="DADN expects pairs of at least two categ"):
        DADN(**SMALL).fit(data[0], labels)


def test_weights_of_the_reference_are_sums_over_its_batches():
    published = DADN.published()
    module, batch = _step((0, 1, 2, 1) * 16)
    means = _objective(metric_weight=1.0, reconstruction_weight=1.0)
    sums = _objective(
        metric_weight=published.metric_weight,
        reconstruction_weight=published.reconstruction_weight,
        margin=published.margin,
    )
    mean, total = means(module, batch, 0.0), sums(module, batch, 0.0)

    for term in ("metric", "reconstruction"):
        assert_allclose(total[term].item(), len(batch.target.X) * mean[term].item())
