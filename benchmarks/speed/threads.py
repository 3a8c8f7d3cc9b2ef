"""One thread against two, for a step of SSAN at four sizes.

Both run in turns in one process, timed by the wall clock. What one thread wins on
small networks is why the engine limits the threads below a number of multiplications
per step (``skda/utils/threads.py``).

    python -m benchmarks.speed.threads [--turns 7] [--record]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import NamedTuple

import torch

from benchmarks._results import append
from skda.base import Sizes
from skda.heterogeneous import SSAN
from skda.training import Batch, Domain, DomainNet, Domains, Pairs


class Case(NamedTuple):
    """Sizes of one comparison."""

    name: str
    n_rows: int
    n_features: int
    n_hidden: int
    n_components: int
    n_epochs: int


CASES = [
    Case("iris's size", 75, 4, 16, 8, 200),
    Case("small", 300, 100, 128, 64, 40),
    Case("the embedded digits", 900, 64, 256, 256, 10),
    Case("SSAN's size", 958, 800, 528, 256, 4),
]


def make_net(case: Case) -> tuple[DomainNet, Domains]:
    """Build a net and its domains of noise."""

    def domain() -> Domain:
        labels = torch.eye(3).repeat(case.n_rows, 1)[: case.n_rows]
        X = torch.randn(case.n_rows, case.n_features)
        return Domain(X, labels, torch.arange(case.n_rows))

    source, target = domain(), domain()
    domains = Domains(Batch(source, target, Pairs(source.X[:0], target.X[:0])))
    ssan = SSAN(n_components=case.n_components, n_hidden=case.n_hidden)
    net = DomainNet(
        ssan.make_module(Sizes(case.n_features, case.n_features, 3)),
        criterion=ssan.make_objective(),
        optimizer=torch.optim.SGD,
        lr=0.01,
        max_epochs=case.n_epochs,
        batch_size=case.n_rows,
        verbose=0,
    ).initialize()
    return net, domains


def seconds(net: DomainNet, domains: Domains, n_threads: int) -> float:
    """Time the epochs of one call."""
    torch.set_num_threads(n_threads)
    start = time.perf_counter()
    net.partial_fit(domains)
    return time.perf_counter() - start


def main() -> None:
    """Print, and on demand record, one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    for case in CASES:
        net, domains = make_net(case)
        work = 2 * case.n_rows * sum(p.numel() for p in net.module_.parameters())
        seconds(net, domains, 2), seconds(net, domains, 1)  # warm up
        pairs = [
            (seconds(net, domains, 1), seconds(net, domains, 2))
            for _ in range(arguments.turns)
        ]
        ratios = [two / one for one, two in pairs]
        step = 1e3 * statistics.median(one for one, _ in pairs) / case.n_epochs
        print(
            f"{case.name:20} {work:9.2e} multiplications   one thread {step:8.3f} ms "
            f"  two / one {statistics.median(ratios):.2f} "
            f"[{min(ratios):.2f}, {max(ratios):.2f}]"
        )
        if arguments.record:
            append(
                "speed_threads",
                **case._asdict(),
                multiplications=work,
                one_thread_ms=step,
                ratio=statistics.median(ratios),
                lowest=min(ratios),
                highest=max(ratios),
                turns=arguments.turns,
            )


if __name__ == "__main__":
    main()
