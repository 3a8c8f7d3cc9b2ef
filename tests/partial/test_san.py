"""Tests of `skda.partial.SAN`."""

import math

import torch
from torch import nn

from skda.modules.classwise_adversary import StackedLinear
from skda.partial import SAN

KAPPA = 2 / (1 + math.exp(-10 * 0.7)) - 1


def _discriminator(module, k):
    """Take the discriminator of one class out of the stack."""
    layers = []
    for layer in module.discriminators:
        if isinstance(layer, StackedLinear):
            n_in, n_out = layer.weight.shape[1:]
            linear = nn.Linear(n_in, n_out).double()
            linear.weight.data = layer.weight[k].T.detach().clone()
            linear.bias.data = layer.bias[k, 0].detach().clone()
            layers.append(linear)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(SAN, lambda0=0.5, entropy_weight=0.3)
    module, _, terms = make_terms(clf)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    p_s, p_t = (module.classify(f).softmax(dim=1) for f in (f_s, f_t))
    w = p_t.mean(dim=0).detach()
    losses = []
    for k in range(4):
        judge = _discriminator(module, k)
        d_s = judge(p_s[:, [k]].detach() * f_s).sigmoid()
        d_t = judge(p_t[:, [k]].detach() * f_t).sigmoid()
        losses.append((-d_s.log().mean() - (1 - d_t).log().mean()) / 2)
    reversed_losses = [-0.5 * KAPPA * w[k] / w.max() * losses[k] for k in range(4)]
    ours = gradients(terms["domain"], module)
    theirs = gradients(sum(reversed_losses), module)

    torch.testing.assert_close(terms["domain"], sum(losses))
    torch.testing.assert_close(
        terms["entropy"], -0.3 * (p_t * p_t.log()).sum(dim=1).mean()
    )
    for name, gradient in ours.items():
        if name.startswith("extractor"):
            torch.testing.assert_close(gradient, theirs[name])
        elif name.startswith("head"):
            assert gradient is None
        else:
            assert gradient.abs().max() > 0


def test_a_discriminator_is_trained_as_if_alone(make_net, make_terms, batch, gradients):
    module, _, terms = make_terms(make_net(SAN))
    judge = _discriminator(module, 2)
    loss = 0.0
    for part, sign in ((batch.source, -1), (batch.target, 1)):
        f = module.encode(part.X).detach()
        p = module.classify(f).softmax(dim=1)[:, [2]].detach()
        loss = loss + nn.functional.softplus(sign * judge(p * f)).mean() / 2
    loss.backward()
    ours = gradients(terms["domain"], module)

    torch.testing.assert_close(
        ours["discriminators.0.weight"][2].T, judge[0].weight.grad
    )
    torch.testing.assert_close(ours["discriminators.3.bias"][2, 0], judge[3].bias.grad)


def test_there_may_be_no_hidden_layer(make_net, partial_data):
    clf = make_net(SAN, discriminator_layer_sizes=(), max_epochs=2)
    clf.fit(partial_data.X, source=partial_data.source)

    assert len(clf.net_.module_.discriminators) == 1
