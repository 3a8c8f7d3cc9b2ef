"""SSAN's step against the plain way to write it, at the size of its paper.

The plain way gathers the rows of every class sample by sample, compares every
unlabeled row with the prototypes one by one, keeps the columns of a wide input and
evaluates the network after every epoch. Both train the published network on the same
958 x 800 source and 958 x 4096 target of ten classes with three target labels each;
losses are compared first. Steps are timed by the wall clock, in turns; what the
rotation costs once per fit is reported beside them.

    python -m benchmarks.speed.ssan [--turns 5] [--threads 1] [--record]
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
from skda.base import Sizes
from skda.base._rotation import rotate_inputs
from skda.heterogeneous import SSAN
from skda.heterogeneous._ssan import SSANModule
from skda.training import (
    Batch,
    BatchLoader,
    Domain,
    DomainNet,
    Domains,
    Pairs,
    optimizer_params,
    sigmoid_ramp,
)
from skda.utils.validation import check_precision

N_ROWS, N_CLASSES, N_LABELED = 958, 10, 30
SIZES = Sizes(800, 4096, N_CLASSES)
AIMS = {"float32": 5.0, "bfloat16": 12.0}


def make_domains() -> Domains:
    """Draw two domains of unit rows, the target with three labels per class."""

    def domain(n_features: int, n_labeled: int) -> Domain:
        one_hot = F.one_hot(torch.arange(N_ROWS) % N_CLASSES, N_CLASSES).float()
        one_hot[n_labeled:] = 0.0
        X = F.normalize(torch.rand(N_ROWS, n_features), dim=1)
        return Domain(X, one_hot, torch.arange(N_ROWS))

    source, target = domain(800, N_ROWS), domain(4096, N_LABELED)
    return Domains(Batch(source, target, Pairs(source.X[:0], target.X[:0])))


class Plain:
    """SSAN, written sample by sample."""

    def __init__(self, module: SSANModule, domains: Domains) -> None:
        self.module = module
        self.X_s, self.X_t = domains.whole.source.X, domains.whole.target.X
        self.y_s = domains.whole.source.labels.argmax(1)
        self.y_l = domains.whole.target.labels[:N_LABELED].argmax(1)
        self.optimizer = torch.optim.SGD(
            module.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3
        )

    def losses(self, progress: float) -> list[Tensor]:
        """Evaluate the five terms."""
        module = self.module
        f_s = module.encode(self.X_s, "source")
        f_l = module.encode(self.X_t[:N_LABELED], "target")
        f_u = module.encode(self.X_t[N_LABELED:], "target")
        v_s, v_l, v_u = map(module.classify, (f_s, f_l, f_u))
        rows_s, rows_l = self.by_class(f_s, self.y_s), self.by_class(f_l, self.y_l)
        prototypes = [
            torch.stack(rows_s[k] + rows_l[k]).mean(0) for k in range(N_CLASSES)
        ]
        nearest = torch.zeros(0, dtype=torch.long)
        for row in f_u:
            cosines = F.cosine_similarity(row[None], torch.stack(prototypes))
            nearest = torch.cat([nearest, cosines.argmax()[None]])
        predicted = v_u.argmax(1)
        for i in range(len(f_u)):
            if int(nearest[i]) == int(predicted[i]):
                rows_l[int(predicted[i])].append(f_u[i])
        soft, centroid = torch.zeros(()), torch.zeros(())
        logits_s, logits_l = self.by_class(v_s, self.y_s), self.by_class(v_l, self.y_l)
        for k in range(N_CLASSES):
            teacher = (torch.stack(logits_s[k]) / 5.0).softmax(1).mean(0)
            soft = soft - (torch.stack(logits_l[k]).log_softmax(1) @ teacher).mean()
            a, b = torch.stack(rows_s[k]), torch.stack(rows_l[k])
            mu = a.mean(0), b.mean(0), torch.cat([a, b]).mean(0)
            for i, j in ((0, 1), (0, 2), (1, 2)):
                centroid = centroid + (mu[i] - mu[j]).square().sum()
        ramp = sigmoid_ramp(progress)
        d = torch.cat([module.discriminate(f, ramp) for f in (f_s, f_l, f_u)])
        is_source = torch.cat([torch.ones(N_ROWS), torch.zeros(N_ROWS)])
        return [
            F.cross_entropy(v_s, self.y_s),
            0.9 * F.cross_entropy(v_l, self.y_l),
            0.1 * soft,
            0.004 * centroid,
            0.1 * F.binary_cross_entropy_with_logits(d, is_source),
        ]

    def by_class(self, rows: Tensor, labels: Tensor) -> list[list[Tensor]]:
        """Sort rows into a list per class."""
        lists: list[list[Tensor]] = [[] for _ in range(N_CLASSES)]
        for row, label in zip(rows, labels, strict=True):
            lists[int(label)].append(row)
        return lists

    def epoch(self) -> None:
        """Take a step, then evaluate the network on every part."""
        self.optimizer.zero_grad()
        sum(self.losses(0.5)).backward()
        self.optimizer.step()
        with torch.no_grad():
            for X, domain, y in (
                (self.X_s, "source", self.y_s),
                (self.X_t[:N_LABELED], "target", self.y_l),
                (self.X_t[N_LABELED:], "target", None),
            ):
                accuracy = self.module(X, domain).argmax(1) == (0 if y is None else y)
                accuracy.float().mean().item()


def prepare(
    precision: str, module: SSANModule, domains: Domains, n_epochs: int
) -> tuple[DomainNet, Domains, float]:
    """Build the net as :class:`SSAN` does, and time the rotation."""
    start = time.perf_counter()
    loader = BatchLoader(domains, len(domains))
    domains = rotate_inputs(module.encoders, loader, max_epochs=3000)
    seconds = time.perf_counter() - start
    net = DomainNet(
        module,
        criterion=SSAN.published().make_objective(),
        **optimizer_params("sgd", 0.9, 1e-3),
        lr=0.1,
        max_epochs=n_epochs,
        batch_size=len(domains),
        autocast=check_precision(precision, torch.device("cpu")),
        verbose=0,
    ).initialize()
    return net, domains, seconds


def check_same(module: SSANModule, domains: Domains) -> None:
    """Compare the terms of both, before the time that they take."""
    plain = Plain(module, domains).losses(0.5)
    terms = SSAN.published().make_objective()(module, domains.whole, 0.5)
    for value, (name, term) in zip(plain, terms.items(), strict=True):
        torch.testing.assert_close(term, value, rtol=1e-3, atol=1e-5, msg=name)


def wall_time(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def has_bfloat16() -> bool:
    """Tell whether this processor computes in bfloat16."""
    return check_precision("auto", torch.device("cpu")) is not None


def main() -> None:
    """Print, and on demand record, one line per precision."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    domains, n_epochs = make_domains(), 3

    def module() -> nn.Module:
        return SSAN.published().make_module(SIZES)

    check_same(module(), domains)
    for precision, aim in AIMS.items():
        if precision == "bfloat16" and not has_bfloat16():
            print("bfloat16: not applicable, this processor has no such instructions")
            continue
        plain = Plain(module(), domains)
        net, rotated, seconds = prepare(precision, module(), domains, n_epochs)
        plain.epoch(), net.partial_fit(rotated)  # warm up
        pairs = [
            (
                wall_time(plain.epoch),
                wall_time(lambda net=net, data=rotated: net.partial_fit(data))
                / n_epochs,
            )
            for _ in range(arguments.turns)
        ]
        ratios = [theirs / ours for theirs, ours in pairs]
        plain_ms = 1e3 * statistics.median(theirs for theirs, _ in pairs)
        print(
            f"{precision:9} plain {plain_ms:7.0f} ms/epoch   plain / skda "
            f"{statistics.median(ratios):5.1f} [{min(ratios):.1f}, {max(ratios):.1f}]"
            f"   aim >= {aim}   rotation {seconds:.2f} s per fit"
        )
        if arguments.record:
            append(
                "speed_ssan",
                precision=precision,
                plain_ms_per_epoch=plain_ms,
                ratio=statistics.median(ratios),
                lowest=min(ratios),
                highest=max(ratios),
                rotation_seconds=seconds,
                turns=arguments.turns,
                aim=aim,
            )


if __name__ == "__main__":
    main()
