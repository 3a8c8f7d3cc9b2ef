"""The tables of partial adaptation: the target has some of the source's classes.

No target row is labeled. Accuracy on the target rows of the fit: the last iterate, and
the epoch of the least mean entropy of the target, which needs no labels. Networks take
1000 steps (SHOT and ISRA on it 500 in each of two phases) from several seeds (on PACS
and in the figures of ISRA from one, ``--seeds 1``). Each method on each task is a line
of ``results/partial.jsonl``; what has one already is skipped.

    python -m benchmarks.partial [--groups G,G] [--tasks T,T] [--methods M;M]
        [--seeds 3] [--device cpu] [--again]
"""

from __future__ import annotations

from itertools import product
from typing import Any

from sklearn.linear_model import LogisticRegression

from benchmarks._homogeneous import Group, run
from benchmarks.unsupervised import PACS, PAIRS
from skda.auto import AutoAdapter
from skda.baselines import TunedClassifier
from skda.partial import (
    AR,
    BA3US,
    DRCN,
    ETN,
    ISRA,
    IWAN,
    MPOT,
    PADA,
    SAFN,
    SAN,
    SHOT,
    A2KTStyle,
    PruneClasses,
)
from skda.unsupervised import (
    CDAN,
    DANN,
    MCC,
    SPL,
    CenteredLabelPropagation,
    SourceOnly,
)

__all__ = ["GROUPS"]

STEPS: dict[str, Any] = {"max_steps": 1000}
#: Of what ISRA extends by default.
SHARP = STEPS | {"entropy_weight": 0.1}
MAIN = {
    "SourceOnly": SourceOnly(**STEPS),
    "logistic regression": SourceOnly(
        LogisticRegression(C=10, max_iter=1000), normalize=True
    ),
    "plain classifier": SourceOnly(TunedClassifier()),
    "PADA": PADA(**STEPS),
    "SAFN": SAFN(**STEPS),
    "SHOT, 10 rows": SHOT(max_steps=500, min_count=10),
    "SHOT": SHOT(max_steps=500),
    "BA3US": BA3US(**STEPS),
    "BA3US with entropy": BA3US(**SHARP),
    "ISRA": ISRA(BA3US(**SHARP)),
    "PruneClasses(SPL())": PruneClasses(SPL()),
    "PruneClasses(MCC())": PruneClasses(MCC(**STEPS)),
    "PruneClasses(CenteredLabelPropagation())": PruneClasses(
        CenteredLabelPropagation()
    ),
    "AutoAdapter": AutoAdapter(),
}
OTHERS = {
    "DANN": DANN(**STEPS),
    "CDAN+E": CDAN(**STEPS),
    "IWAN": IWAN(**STEPS),
    "SAN": SAN(**STEPS),
    "ETN": ETN(**STEPS),
    "AR": AR(**STEPS),
    "DRCN": DRCN(**STEPS),
    "MPOT": MPOT(**STEPS),
    "A2KTStyle": A2KTStyle(**STEPS),
}
TOPICS = {
    "ISRA, receptor": ISRA(BA3US(**SHARP), attention="receptor"),
    "ISRA, random": ISRA(BA3US(**SHARP), attention="random"),
    "ISRA, uniform": ISRA(BA3US(**SHARP), attention="uniform"),
    "ISRA, encoder, beta=1": ISRA(BA3US(**SHARP), beta=1.0),
    "ISRA, uniform, beta=1": ISRA(BA3US(**SHARP), beta=1.0, attention="uniform"),
    "ISRA, auto-encoder alone": ISRA(BA3US(**SHARP), beta=0.0),
    "ISRA, receptors as published": ISRA.published(
        backbone=BA3US(**SHARP), n_topics=64
    ),
    "ISRA on SHOT": ISRA(SHOT(max_steps=500)),
    "ISRA on PADA": ISRA(PADA(**STEPS)),
    "ISRA on DANN": ISRA(DANN(**STEPS)),
    "ISRA on A2KTStyle": ISRA(A2KTStyle(**STEPS)),
}
#: Figure 6 of ISRA: its weights, and its number of topics.
WEIGHTS = {
    f"ISRA, alpha={alpha:g}, beta={beta:g}": ISRA(
        BA3US(**SHARP), alpha=alpha, beta=beta
    )
    for alpha, beta in product((0.01, 0.1, 1.0, 10.0), (0.01, 0.1, 0.3, 1.0, 3.0))
}
NUMBERS = {
    f"ISRA, {attention}, {n_topics} topics": ISRA(
        BA3US(**SHARP), attention=attention, n_topics=n_topics
    )
    for attention, numbers in {
        "encoder": (4, 16, 64, 256, 1024),
        "receptor": (4, 16, 64, 128),  # of which every topic costs a network
    }.items()
    for n_topics in numbers
}
#: Tasks on whose target labels no setting was chosen.
UNSEEN = [
    f"{source}_squeezenet:{target}_squeezenet"
    for source, target in (
        ("amazon", "dslr"),
        ("caltech", "amazon"),
        ("caltech", "webcam"),
        ("dslr", "webcam"),
    )
]
COIL = ["coil20_coil1:coil20_coil2", "coil20_coil2:coil20_coil1"]
GROUPS = {
    "main": Group(PAIRS, MAIN, n_shared=5),
    "coil": Group(COIL, MAIN, n_shared=10),
    "pacs": Group(PACS, MAIN, n_shared=4),
    # Class shares that differ, by the ratio that the boards have.
    "pacs_tail": Group(PACS, MAIN, n_shared=4, long_tail=10),
    "others": Group(UNSEEN, OTHERS, n_shared=5),
    "isra": Group(UNSEEN, TOPICS, n_shared=5),
    "isra_weights": Group(UNSEEN[:2], WEIGHTS, n_shared=5),
    "isra_topics": Group(UNSEEN[:2], NUMBERS, n_shared=5),
}

if __name__ == "__main__":
    run("partial", GROUPS, __doc__.splitlines()[0])
