"""Tests of `skda.retrieval.ACMR`."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.datasets import make_blobs
from torch._subclasses import FakeTensorMode
from torch.nn.functional import cross_entropy

from skda.retrieval._acmr import ACMR, ACMRModule, ACMRObjective
from skda.training import Batch, Domain, Pairs

SMALL = {
    "hidden_layer_sizes": (16,),
    "n_components": 8,
    "max_epochs": 20,
    "lr": 3e-3,
    "device": "cpu",
    "random_state": 0,
}
WEIGHTS = {"label_weight": 2.0, "dissimilar_weight": 0.5, "adversarial_weight": 3.0}


@pytest.fixture(scope="module")
def data():
    """Pairs of three categories, in the training rows and in new ones."""
    rng = np.random.default_rng(0)
    latent, y = make_blobs(300, n_features=4, centers=3, random_state=0)
    latent += rng.normal(size=latent.shape)
    X = latent @ rng.normal(size=(4, 13))
    return X[:150], y[:150], X[150:], y[150:]


def _step(labels=(0, 1, 2, 0, 1), widths=(3, 2), dtype=None):
    torch.manual_seed(0)
    names = dict(zip("abc", widths, strict=False))
    module = ACMRModule(names, 4, 3, hidden_layer_sizes=[6]).to(dtype)
    one_hot = torch.cat([torch.eye(3), torch.zeros(1, 3)])[torch.tensor(labels)]
    X = torch.randn(len(labels), sum(widths), dtype=dtype)
    domain = Domain(X, one_hot.to(X.dtype), torch.arange(len(labels)))
    nothing = Domain(*(field[:0] for field in domain))
    return module, Batch(nothing, domain, Pairs(nothing.X, nothing.X))


def _objective(margin=0.3, **weights):
    return ACMRObjective(margin=margin, **(WEIGHTS | weights))


@pytest.mark.parametrize("widths", [(3, 2), (3, 2, 4)])
@pytest.mark.parametrize("margin", [0.3, 10.0])
def test_terms_equal_those_computed_pair_by_pair(widths, margin):
    module, batch = _step(widths=widths, dtype=torch.double)
    z, y = module(batch.target.X), batch.target.labels.argmax(1)
    v, b, _ = z.shape
    similar, dissimilar = [], []
    for p, q, i, j in product(range(v), range(v), range(b), range(b)):
        distance = (z[p, i] - z[q, j]).square().sum().item()
        if p != q and y[i] == y[j]:
            similar.append(distance)
        elif p != q:
            dissimilar.append(max(0.0, margin - distance))
    label = sum(cross_entropy(module.classifier(z[p]), y) for p in range(v))
    modality = sum(
        cross_entropy(module.discriminator(z[p]), torch.full((b,), p)) for p in range(v)
    )

    terms = _objective(margin)(module, batch, 0.5)

    assert terms["label"].item() == pytest.approx(2 * label.item())
    assert terms["similar"].item() == pytest.approx(np.mean(similar))
    assert terms["dissimilar"].item() == pytest.approx(0.5 * np.mean(dissimilar))
    assert terms["modality"].item() == pytest.approx(3 * modality.item() / v)


def test_gradient_of_the_constraints_is_right():
    _, batch = _step()
    objective = _objective(margin=4.0)
    rows = torch.randn(10, 4, dtype=torch.double, requires_grad=True)
    categories = batch.target.labels.double().repeat(2, 1)
    views = torch.eye(2, dtype=torch.double).repeat_interleave(5, dim=0)

    assert torch.autograd.gradcheck(
        lambda rows: objective.invariance(rows, categories, views), (rows,)
    )


@pytest.mark.parametrize("term", ["label", "similar", "dissimilar", "modality"])
def test_every_term_trains_both_projectors(term):
    module, batch = _step()
    _objective(margin=10.0)(module, batch, 0.5)[term].backward()
    gradients = [projector[0].weight.grad for projector in module.encoders]

    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_the_discriminator_learns_and_the_projectors_unlearn(progress):
    def gradients(reversal):
        module, batch = _step(dtype=torch.double)
        if reversal is None:
            terms = _objective(adversarial_weight=1.0)(module, batch, progress)
            terms["modality"].backward()
        else:  # the plain loss, nothing reversed
            rows = module(batch.target.X).flatten(0, 1)
            sides = torch.arange(2).repeat_interleave(5)
            cross_entropy(module.discriminator(rows), sides).backward()
        return (
            module.encoders[0][0].weight.grad,
            module.discriminator[0].weight.grad,
        )

    ramp = 2 / (1 + math.exp(-10 * progress)) - 1
    projector, discriminator = gradients(None)
    plain_projector, plain_discriminator = gradients(1.0)

    torch.testing.assert_close(projector, -ramp * plain_projector)
    torch.testing.assert_close(discriminator, plain_discriminator)


@pytest.mark.parametrize(
    "labels",
    [
        (0, 0, 0),  # one category
        (0, 1, 2),  # a pair of each
        (0, 1, -1),  # a pair without a label
        (-1, -1),  # no label at all
        (1,),  # a single pair
    ],
)
def test_missing_categories_neither_count_nor_poison(labels):
    module, batch = _step(labels)
    terms = _objective()(module, batch, 0.5)
    sum(terms.values()).backward()

    assert all(term.isfinite() for term in terms.values())
    assert all(p.grad.isfinite().all() for p in module.parameters())


def test_a_pair_without_a_label_changes_no_term():
    module, batch = _step((0, 1, 2, -1))
    domain = batch.target
    labeled = batch._replace(target=Domain(*(field[:3] for field in domain)))
    objective = _objective()

    torch.testing.assert_close(
        objective(module, batch, 0.5), objective(module, labeled, 0.5)
    )


def test_a_step_has_static_shapes_and_never_waits_for_the_device():
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module = ACMRModule({"a": 3, "b": 2}, 4, 3, hidden_layer_sizes=[6])
        domain = Domain(torch.randn(5, 5), torch.randn(5, 3), torch.arange(5))
        batch = Batch(domain, domain, Pairs(domain.X, domain.X))
        sum(_objective()(module, batch, 0.5).values()).backward()

    assert all(parameter.grad is not None for parameter in module.parameters())


def test_retrieves_new_rows_of_the_categories(data):
    X, y, X_new, y_new = data
    acmr = ACMR(**SMALL, views={"image": slice(8), "text": slice(8, 13)}).fit(X, y)

    assert acmr.score(X_new, y_new) > 0.8  # chance is 1/3


def test_all_layers_end_in_tanh():
    module = ACMRModule({"a": 3}, 4, 3, hidden_layer_sizes=[6, 5])
    kinds = [type(layer).__name__ for layer in module.encoders[0]]

    assert kinds == ["Linear", "Tanh"] * 3


def test_unlabeled_pairs_are_left_out_and_counted(data):
    X, y, _, _ = data
    partial = np.where(np.arange(len(y)) < 100, y, -1)
    unscaled = SMALL | {"scaling": None}
    with pytest.warns(UserWarning, match="leaves out 50 unlabeled pairs of 150"):
        acmr = ACMR(**unscaled).fit(X, partial)

    assert_array_equal(
        acmr.transform(X), ACMR(**unscaled).fit(X[:100], y[:100]).transform(X)
    )


def test_source_and_new_pairs_with_labels_learn_together(data):
    X, y, _, _ = data
    known = y < 2
    acmr = ACMR(**SMALL).fit(X[~known], y[~known], source=(X[known], y[known]))

    assert acmr.net_.module_.classifier.out_features == 3


@pytest.mark.parametrize("labels", [None, [7] * 150])
def test_categories_to_tell_are_needed(data, labels):
    with pytest.raises(ValueError, match="ACMR expects pairs of at least two categ"):
        ACMR(**SMALL).fit(data[0], labels)


def test_published_settings_train_with_a_slower_momentum(data):
    X, y, _, _ = data
    acmr = ACMR.published(**SMALL | {"max_epochs": 1}).fit(X, y)

    assert acmr.net_.optimizer_.defaults["betas"] == (0.5, 0.999)
