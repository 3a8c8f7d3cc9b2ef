"""ISRA's receptor step, stacked and in closed form, against a loop over topics.

The loop is what the public code does: a network per topic and a copy of the features
for each; one backward pass fills the gradients of the receptors and of the copies,
whose absolute values are the attention; then every topic is aligned on its own. Both
train the same receptors on the same 36 + 36 rows of 256 features, 256 topics; losses
and gradients are compared first. The encoder form has no receptors to train. Steps are
timed by the wall clock, in turns, from the features to the gradients of everything.

    python -m benchmarks.speed.receptors [--turns 40] [--threads 2] [--record]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks._results import append
from skda.losses import dense_topic_alignment, gated_topic_alignment
from skda.modules import Topics

N_ROWS, N_FEATURES, N_TOPICS, N_HIDDEN, L1 = 36, 256, 256, 128, 1e-3
AIMS = {"receptor": 3.0, "encoder": 50.0}


def make_topics(attention: str) -> Topics:
    """Draw topics, and receptors if there are to be any."""
    torch.manual_seed(0)
    return Topics(
        N_FEATURES,
        N_TOPICS,
        attention=attention,
        n_hidden=N_HIDDEN,
        receptor_scaling=False,
        residual_weighting=True,
        decoder_activation=None,
    )


class Loop:
    """The receptor step, topic by topic."""

    def __init__(self, topics: Topics) -> None:
        self.autoencoder = topics.autoencoder
        stacked = topics.receptors
        self.receptors = nn.ModuleList()
        for j in range(N_TOPICS):
            first, last = nn.Linear(N_FEATURES, N_HIDDEN), nn.Linear(N_HIDDEN, 1)
            first.weight.data.copy_(stacked.weight[j])
            first.bias.data.copy_(stacked.bias[j])
            last.weight.data.copy_(stacked.out_weight[j : j + 1])
            last.bias.data.copy_(stacked.out_bias[j : j + 1])
            self.receptors.append(nn.Sequential(first, nn.ReLU(), last))

    def step(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the losses of receptors and features, and their gradients."""
        self.receptors.zero_grad()
        X.grad = None
        topics = self.autoencoder.encode(X).detach()
        copies = [X.detach().clone().requires_grad_() for _ in self.receptors]
        risk = torch.zeros(())
        for j, receptor in enumerate(self.receptors):
            risk = risk + F.mse_loss(receptor(copies[j])[:, 0], topics[:, j])
            risk = risk + L1 * receptor[0].weight.abs().sum()
        risk.backward()
        alignment = torch.zeros(())
        for copy in copies:
            attention = copy.grad.abs()
            seen = len(X) * attention / attention.norm() * X
            means = seen[:N_ROWS].mean(0), seen[N_ROWS:].mean(0)
            alignment = alignment + F.mse_loss(*means)
        alignment.backward()
        return risk.detach(), alignment.detach()


def step(topics: Topics, X: Tensor) -> tuple[Tensor, Tensor]:
    """Take the same step for all topics at once."""
    topics.zero_grad()
    X.grad = None
    regression = topics.regress(X, L1)
    features = X[:N_ROWS], X[N_ROWS:]
    if regression is None:
        alignment = gated_topic_alignment(*features, *topics.gates(X))
        risk = torch.zeros(())
    else:
        alignment = dense_topic_alignment(*features, topics.attend(regression))
        risk = regression.loss
    (risk + alignment).backward()
    return risk.detach(), alignment.detach()


def check_same(topics: Topics, loop: Loop, X: Tensor) -> None:
    """Compare losses and gradients of both, before the time that they take."""
    theirs, of_features = loop.step(X), X.grad
    ours = step(topics, X)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(X.grad, of_features, rtol=1e-3, atol=1e-6)
    weights = torch.stack([receptor[0].weight.grad for receptor in loop.receptors])
    torch.testing.assert_close(
        topics.receptors.weight.grad, weights, rtol=1e-3, atol=1e-5
    )


def wall_time(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print, and on demand record, one line per attention."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    topics = {attention: make_topics(attention) for attention in AIMS}
    loop = Loop(topics["receptor"])
    X = torch.randn(2 * N_ROWS, N_FEATURES).relu().requires_grad_()
    check_same(topics["receptor"], loop, X)
    step(topics["encoder"], X)  # warm up
    times = [
        (
            wall_time(lambda: loop.step(X)),
            *(wall_time(lambda ours=ours: step(ours, X)) for ours in topics.values()),
        )
        for _ in range(arguments.turns)
    ]
    loop_times, *our_times = zip(*times, strict=True)
    loop_ms = 1e3 * statistics.median(loop_times)
    for (attention, aim), ours in zip(AIMS.items(), our_times, strict=True):
        ratios = [a / b for a, b in zip(loop_times, ours, strict=True)]
        print(
            f"{attention:9} loop {loop_ms:7.0f} ms/step   skda "
            f"{1e3 * statistics.median(ours):6.2f} ms/step   loop / skda "
            f"{statistics.median(ratios):6.1f} [{min(ratios):.1f}, {max(ratios):.1f}]"
            f"   aim >= {aim}"
        )
        if arguments.record:
            append(
                "speed_receptors",
                attention=attention,
                loop_ms_per_step=loop_ms,
                ms_per_step=1e3 * statistics.median(ours),
                ratio=statistics.median(ratios),
                lowest=min(ratios),
                highest=max(ratios),
                turns=arguments.turns,
                aim=aim,
            )


if __name__ == "__main__":
    main()
