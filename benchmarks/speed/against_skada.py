"""What an epoch of a network costs here and in skada, for the methods of both.

Both train the same layers on the same rows with the same optimizer, in one thread and
in turns: as many steps of as many rows in an epoch, the callbacks that are default. The
discriminator that skada makes itself ends in a softmax over one unit, so that nothing
is adapted; it gets the layers used here, once of the width of its own and once of the
width and dropout that are default here, and so does the adversary of MDD. Neither CDAN
weighs rows by their entropy, which skada cannot; either DeepCORAL compares the logits,
and either DAN five kernels, of which skada has 33 by default. skada runs in a process
of its own, because importing it changes the configuration of scikit-learn. Epochs are
timed by the CPU time of their process, so that a busy machine does not matter much. A
ratio is the median over the turns of skada / skda.

    pip install "skda[bench]"
    python -m benchmarks.speed.against_skada [--methods DAN MDD] [--turns 15] [--record]

The file is not called skada.py: it would be what ``import skada`` finds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any, NamedTuple

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor, nn

from benchmarks._results import append
from skda.modules import multilayer_perceptron, row_extractor
from skda.unsupervised import CDAN, DAN, DANN, MDD, DeepCORAL

# In batches of 128, too, both libraries take every row once in an epoch.
N_ROWS, N_FEATURES, N_CLASSES, N_COMPONENTS = 1024, 512, 10, 256
LR, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 1e-3
N_EPOCHS = 10
BATCHES = {128: 1.3, N_ROWS: 1.6}  # and the ratio to reach
METHODS = {cls.__name__: cls for cls in (DANN, CDAN, DAN, DeepCORAL, MDD)}
# Widths and dropout of a second network: that of skada, and ours. Some have none.
DISCRIMINATORS = [((100,), 0.0), ((256, 256), 0.5)]
SECOND_NETWORKS: dict[str, list[tuple[tuple[int, ...], float]]] = {
    "DANN": DISCRIMINATORS,
    "CDAN": DISCRIMINATORS,
    "DAN": [((), 0.0)],
    "DeepCORAL": [((), 0.0)],
    "MDD": [((100,), 0.0), ((256,), 0.5)],
}
# The widths of our kernels, about a distance that rows of so many features have.
SIGMAS = [scale * N_COMPONENTS**0.5 for scale in (0.25, 0.5, 1.0, 2.0, 4.0)]


class Case(NamedTuple):
    """One method in one setting, and the ratio it should reach."""

    name: str
    discriminator_layer_sizes: tuple[int, ...]
    dropout: float
    batch_size: int
    aim: float


CASES = [
    Case(name, *network, batch_size, aim)
    for name, networks in SECOND_NETWORKS.items()
    for network in networks
    for batch_size, aim in BATCHES.items()
]


class CpuTimer(Callback):
    """Write the CPU time of every epoch into the history."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start the clock."""
        self.start = time.process_time()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Stop it."""
        net.history.record("cpu_seconds", time.process_time() - self.start)


def make_rows() -> tuple[Tensor, Tensor, Tensor]:
    """Draw a source, its labels, and a target somewhere else."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(N_CLASSES, N_FEATURES, generator=generator)
    labels = torch.arange(N_ROWS) % N_CLASSES
    noise = torch.randn(2, N_ROWS, N_FEATURES, generator=generator)
    X_source, X_target = centers[labels] + noise
    return X_source, labels, X_target + 0.5


def time_skda(case: Case) -> float:
    """Measure the seconds of an epoch here."""
    X_source, labels, X_target = make_rows()
    settings: dict[str, Any] = {
        "n_components": N_COMPONENTS,
        "batch_size": case.batch_size,
        "lr": LR,
        "momentum": MOMENTUM,
        "weight_decay": WEIGHT_DECAY,
        "lr_schedule": "constant",
        "max_epochs": N_EPOCHS,
        "callbacks": [CpuTimer()],
        "device": "cpu",
        "random_state": 0,
    }
    if case.discriminator_layer_sizes:
        settings["discriminator_layer_sizes"] = case.discriminator_layer_sizes
        settings["dropout"] = case.dropout
    if case.name == "CDAN":
        settings["entropy_weighting"] = False
    clf = METHODS[case.name](**settings)
    clf.fit(X_target.numpy(), source=(X_source.numpy(), labels.numpy()))
    return float(clf.history_["cpu_seconds"].mean())


def second_network(case: Case) -> dict[str, Any]:
    """Describe what skada's method has besides the layers that classify."""
    from skada.deep.modules import DomainClassifier  # noqa: PLC0415

    if case.name == "DAN":
        return {"layer_name": "extractor", "sigmas": SIGMAS}
    if case.name == "DeepCORAL":
        return {"layer_name": "head"}
    n_inputs = N_COMPONENTS * (N_CLASSES if case.name == "CDAN" else 1)
    n_outputs = N_CLASSES if case.name == "MDD" else 1
    network = DomainClassifier(num_features=n_inputs)
    network.classifier = multilayer_perceptron(
        [n_inputs, *case.discriminator_layer_sizes, n_outputs], dropout=case.dropout
    )
    if case.name == "MDD":
        return {"layer_name": "extractor", "disc_classifier": network}
    return {
        "layer_name": "extractor",
        "domain_classifier": network,
        "domain_criterion": nn.BCEWithLogitsLoss(),
    }


def fit_skada(case: Case, reg: float = 0.5) -> Any:
    """Train skada's net of the same layers; its domain loss is a sum, not a mean."""
    from skada import deep  # noqa: PLC0415

    torch.manual_seed(0)
    layers = OrderedDict(
        extractor=row_extractor(N_FEATURES, N_COMPONENTS),
        head=nn.Linear(N_COMPONENTS, N_CLASSES),
    )
    name = "DeepCoral" if case.name == "DeepCORAL" else case.name
    net = getattr(deep, name)(
        nn.Sequential(layers),
        **second_network(case),
        reg=reg,
        optimizer=torch.optim.SGD,
        optimizer__momentum=MOMENTUM,
        optimizer__nesterov=True,
        optimizer__weight_decay=WEIGHT_DECAY,
        lr=LR,
        max_epochs=N_EPOCHS,
        batch_size=case.batch_size,
        train_split=None,
        callbacks=[("cpu_timer", CpuTimer())],
        verbose=0,
    )
    X_source, labels, X_target = make_rows()
    domain = torch.ones(N_ROWS, dtype=torch.int64)
    data = deep.base.DeepDADataset(
        torch.cat([X_source, X_target]).numpy(),
        torch.cat([labels, -domain]).numpy(),
        torch.cat([domain, -2 * domain]).numpy(),
    )
    return net.fit(data, None)


def time_skada(case: Case) -> float:
    """Measure the seconds of an epoch there."""
    return statistics.mean(fit_skada(case).history[:, "cpu_seconds"])


#: What makes an effect larger than rounding in the few steps of full batches.
STRONG = {"DeepCORAL": 100.0}


def effect_of_skada(case: Case) -> float:
    """Tell how far the domain loss moves what it should: the feature extractor."""
    weights = [
        fit_skada(case, reg).module_.base_module_.extractor[1].weight.detach()
        for reg in (0.0, STRONG.get(case.name, 0.5))
    ]
    return float((weights[1] - weights[0]).norm() / weights[0].norm())


def compare(case: Case, pool: ProcessPoolExecutor, turns: int) -> dict[str, Any]:
    """Take turns."""
    effect = pool.submit(effect_of_skada, case).result()  # warms it up, too
    if effect < 1e-4:  # rounding alone makes 1e-7
        raise RuntimeError(f"Expected skada to adapt, got an effect of {effect:.1e}.")
    time_skda(case)
    pairs = [
        (pool.submit(time_skada, case).result(), time_skda(case)) for _ in range(turns)
    ]
    ratios = [theirs / ours for theirs, ours in pairs]
    return {
        "skada_ms_per_epoch": 1e3 * statistics.median(theirs for theirs, _ in pairs),
        "skda_ms_per_epoch": 1e3 * statistics.median(ours for _, ours in pairs),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "skada_effect": effect,
    }


def main() -> None:
    """Print, and on demand record, one line per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, torch.set_num_threads, (1,)) as pool:
        for case in CASES:
            if case.name not in arguments.methods:
                continue
            found = compare(case, pool, arguments.turns)
            print(
                f"{case.name}, {case.discriminator_layer_sizes!s:10}, batch "
                f"{case.batch_size:4}{found['skada_ms_per_epoch']:8.1f} ms/epoch skada"
                f"{found['skda_ms_per_epoch']:8.1f} ms/epoch skda   skada / skda "
                f"{found['ratio']:.2f} [{found['lowest']:.2f}, {found['highest']:.2f}]"
                f"   aim >= {case.aim}"
            )
            if arguments.record:
                append(
                    "speed_skada",
                    **case._asdict(),
                    **found,
                    n_rows=N_ROWS,
                    n_features=N_FEATURES,
                    n_classes=N_CLASSES,
                    n_epochs=N_EPOCHS,
                    turns=arguments.turns,
                    skada_version=version("skada"),
                    load_average=os.getloadavg()[0],
                )


if __name__ == "__main__":
    main()
