"""What the engine costs in DMTL: its step against a bare loop at the paper's size.

Views of 4096 and 300 features, hidden layers of 4096 and 4096, 512 components, batches
of 100: the bare loop is what one would write by hand, with the loss in its plain form.
Both train in one thread, in turns; a ratio is the median over the turns of
engine / bare.

    python -m benchmarks.speed.retrieval [--turns 5] [--record]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import log_softmax

from benchmarks._results import append
from skda.retrieval import DMTL
from skda.training import Batch, Domain, DomainNet, Domains, Pairs
from skda.utils.labels import check_labels
from skda.utils.views import ViewRows

WIDTHS = {"image": 4096, "text": 300}
HIDDEN, N_COMPONENTS = (4096, 4096), 512
N_PAIRS, N_NEW, N_CLASSES, BATCH, AIM = 600, 300, 5, 100, 1.10


def encoder(width: int) -> nn.Sequential:
    """Build the encoder of one view."""
    first, second = HIDDEN
    return nn.Sequential(
        nn.Linear(width, first),
        nn.ReLU(),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Linear(second, N_COMPONENTS),
    )


def bare(views: dict[str, torch.Tensor], labels: torch.Tensor) -> Callable[[], None]:
    """Prepare an epoch as one would write it by hand."""
    nets = [encoder(width) for width in WIDTHS.values()]
    P = nn.Parameter(torch.randn(N_CLASSES, N_COMPONENTS) / N_COMPONENTS**0.5)
    parameters = [p for net in nets for p in net.parameters()]
    optimizer = torch.optim.Adam([*parameters, P], lr=1e-4)
    z = torch.randn(2, len(labels), N_CLASSES)

    def epoch() -> None:
        for rows in torch.randperm(len(labels)).split(BATCH):
            optimizer.zero_grad()
            h = [net(X[rows]) for net, X in zip(nets, views.values(), strict=True)]
            scores = torch.stack([rows_h @ P.T for rows_h in h])
            D = torch.cdist(*h)
            match = sum(-log_softmax(-d, dim=1).diagonal().mean() for d in (D, D.T))
            known = labels[rows].sum(dim=1)
            source = (scores - labels[rows]).norm(dim=2).sum(dim=0) * known
            new = (scores - z[:, rows]).norm(dim=2).sum(dim=0) * (1 - known)
            loss = match + 1.5 * source.sum() / known.sum()
            (loss + new.sum() / (1 - known).sum()).backward()
            optimizer.step()
            z[:, rows] = scores.detach()

    return epoch


def engine(X: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    """Prepare the same epoch by the net, every term in its history."""
    dmtl = DMTL.published()
    rows = {name: np.empty((N_NEW, width)) for name, width in WIDTHS.items()}
    new = ViewRows(rows, check_labels(None, np.empty(N_NEW)))
    dmtl.classes_ = np.arange(N_CLASSES)
    domain = Domain(X, labels, torch.arange(len(X)))
    nothing = Domain(*(field[:0] for field in domain))
    domains = Domains(Batch(nothing, domain, Pairs(nothing.X, nothing.X)))
    net = DomainNet(
        dmtl.make_module(WIDTHS, N_CLASSES),
        criterion=dmtl.make_objective(new, new),
        optimizer=torch.optim.Adam,
        lr=dmtl.lr,
        max_epochs=1,
        batch_size=BATCH,
        verbose=0,
    ).initialize()
    return lambda: net.partial_fit(domains)


def cpu_time(run: Callable[[], object]) -> float:
    """Time one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Print, and on demand record, the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    views = {name: torch.randn(N_PAIRS, width) for name, width in WIDTHS.items()}
    labels = torch.eye(N_CLASSES)[torch.arange(N_PAIRS) % N_CLASSES]
    labels[N_PAIRS // 2 :] = 0
    by_hand, ours = (
        bare(views, labels),
        engine(torch.hstack(list(views.values())), labels),
    )
    cpu_time(by_hand), cpu_time(ours)  # warm up
    pairs = [(cpu_time(by_hand), cpu_time(ours)) for _ in range(arguments.turns)]
    ratios = [mine / theirs for theirs, mine in pairs]
    step = statistics.median(theirs for theirs, _ in pairs) * BATCH / N_PAIRS
    ratio = statistics.median(ratios)
    print(
        f"{step * 1e3:.0f} ms/step bare   engine / bare {ratio:.3f} "
        f"[{min(ratios):.3f}, {max(ratios):.3f}]   aim <= {AIM}"
    )
    if arguments.record:
        append(
            "speed_retrieval",
            name="DMTL's published size, batch 100",
            bare_ms_per_step=step * 1e3,
            ratio=ratio,
            lowest=min(ratios),
            highest=max(ratios),
            aim=AIM,
            turns=arguments.turns,
        )


if __name__ == "__main__":
    main()
