"""What the engine costs in DATN's second phase, and how its cost grows with the rows.

840 source rows of 216 features, 660 target rows of 47 and 300 pairs, which are among
them, then 4 and 16 times as many; encoders of 128 and 64 units; batches of 128, and
all rows at once. The bare loop is what one would write by hand, with the losses in
their plain form and the map solved for at every epoch. Both train in one thread, in
turns; a ratio is the median over the turns of engine / bare.

    python -m benchmarks.speed.paired [--turns 7] [--record]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks._results import append
from skda.base import Sizes
from skda.heterogeneous import DATN
from skda.training import Batch, Domain, DomainNet, Domains, Pairs

WIDTHS = {"source": 216, "target": 47}
N_ROWS = {"source": 840, "target": 660}
N_LABELED = {"source": 500, "target": 20}
N_PAIRS, N_CLASSES, LAYERS, AIM = 300, 10, (128, 64), 1.10
SCALES, BATCHES = (1, 4, 16), (128, -1)
RMSPROP = {"lr": 3e-4, "alpha": 0.8, "momentum": 0.8}


class Rows(NamedTuple):
    """Samples and memberships of every domain, whose last rows are the pairs."""

    X: dict[str, Tensor]
    labels: dict[str, Tensor]
    n_pairs: int

    @property
    def pairs(self) -> list[Tensor]:
        """Both sides of the pairs."""
        return [X[-self.n_pairs :] for X in self.X.values()]


def make_rows(scale: int) -> Rows:
    """Draw both domains."""
    torch.manual_seed(0)
    X = {name: torch.randn(scale * N_ROWS[name], WIDTHS[name]) for name in WIDTHS}
    labels = {}
    for name in WIDTHS:
        labels[name] = torch.zeros(len(X[name]), N_CLASSES)
        n_labeled = scale * N_LABELED[name]
        rows = torch.arange(n_labeled)
        labels[name][rows, rows % N_CLASSES] = 1
    return Rows(X, labels, scale * N_PAIRS)


def bare(data: Rows, batch_size: int) -> Callable[[], None]:
    """Prepare an epoch as one would write it by hand."""
    first, top = LAYERS
    s, t = (
        nn.Sequential(nn.Linear(p, first), nn.ReLU(), nn.Linear(first, top), nn.ReLU())
        for p in WIDTHS.values()
    )
    theta = nn.Linear(top, N_CLASSES, bias=False)
    layers = [*s.parameters(), *t.parameters()]
    optimizer = torch.optim.RMSprop([*layers, *theta.parameters()], **RMSPROP)
    (X_s, X_t), (y_s, y_t) = data.X.values(), data.labels.values()
    P_s, P_t = data.pairs

    def risk(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels, reduction="sum") / labels.sum().clamp(1)

    def epoch() -> None:
        with torch.no_grad():
            z_s, z_t = s(P_s).double(), t(P_t).double()
            gram = z_t.T @ z_t + 0.1 * torch.eye(top, dtype=torch.float64)
            G = torch.cholesky_solve(z_t.T @ z_s, torch.linalg.cholesky(gram)).float()
        n_steps = -(-len(X_s) // batch_size) if batch_size > 0 else 1
        size = -(-len(X_s) // n_steps)
        for _ in range(n_steps):
            optimizer.zero_grad()
            if n_steps == 1:
                rows_s = rows_t = pairs = slice(None)
            else:
                rows_s, rows_t, pairs = (
                    torch.randint(len(X), (min(size, len(X)),)) for X in (X_s, X_t, P_s)
                )
            z_s, z_t = s(X_s[rows_s]), t(X_t[rows_t])
            errors = s(P_s[pairs]) - t(P_t[pairs]) @ G
            loss = (errors.square().sum() + 0.1 * G.square().sum()) / len(errors)
            loss = loss + 2 * risk(theta(z_t @ G), y_t[rows_t])
            loss = loss + risk(theta(z_s), y_s[rows_s])
            loss = loss + (z_s.mean(dim=0) - z_t.mean(dim=0)).square().sum()
            loss = loss + 1e-4 * sum(p.square().sum() for p in layers)
            loss.backward()
            optimizer.step()

    return epoch


def engine(data: Rows, batch_size: int) -> Callable[[], object]:
    """Prepare the same epoch by the net, every term in its history."""
    datn = DATN(hidden_layer_sizes=LAYERS)
    domains = [
        Domain(data.X[name], data.labels[name], torch.arange(len(data.X[name])))
        for name in WIDTHS
    ]
    net = DomainNet(
        datn.make_module(Sizes(*WIDTHS.values(), N_CLASSES)),
        criterion=datn.make_objective(),
        optimizer=torch.optim.RMSprop,
        lr=RMSPROP["lr"],
        optimizer__alpha=RMSPROP["alpha"],
        optimizer__momentum=RMSPROP["momentum"],
        max_epochs=1,
        batch_size=len(domains[0].X) if batch_size == -1 else batch_size,
        verbose=0,
    ).initialize()
    whole = Domains(Batch(*domains, Pairs(*data.pairs)))
    return lambda: net.partial_fit(whole)


def cpu_time(run: Callable[[], object], n_epochs: int) -> float:
    """Time an epoch."""
    start = time.process_time()
    for _ in range(n_epochs):
        run()
    return (time.process_time() - start) / n_epochs


def main() -> None:
    """Print, and on demand record, one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for batch_size in BATCHES:
        for scale in SCALES:
            data = make_rows(scale)
            runs = bare(data, batch_size), engine(data, batch_size)
            n_epochs = max(3, 30 // scale)
            for run in runs:
                cpu_time(run, 3)  # warm up
            pairs = [
                [cpu_time(run, n_epochs) for run in runs]
                for _ in range(arguments.turns)
            ]
            report(scale, batch_size, pairs, arguments.record)


def report(scale: int, batch_size: int, pairs: list[list[float]], record: bool) -> None:
    """Print one line, and maybe keep it."""
    ratios = [mine / theirs for theirs, mine in pairs]
    fields = {
        "scale": scale,
        "batch_size": batch_size,
        "ms_per_epoch": 1e3 * statistics.median(mine for _, mine in pairs),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "aim": AIM,
        "turns": len(pairs),
    }
    print(
        f"{scale:2} times the rows, batch {batch_size:4}: "
        f"{fields['ms_per_epoch']:7.1f} ms/epoch   engine / bare "
        f"{fields['ratio']:.2f} [{fields['lowest']:.2f}, {fields['highest']:.2f}]"
        f"   aim <= {AIM}",
        flush=True,
    )
    if record:
        append("speed_paired", **fields)


if __name__ == "__main__":
    main()
