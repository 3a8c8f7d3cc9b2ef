"""The tables of unsupervised adaptation: every method, and classifiers of the source.

No target row is labeled. Accuracy on the target rows of the fit, last iterate, settings
the same for all tasks of a group; networks from several seeds (those of reviews and
PACS from one, ``--seeds 1``). Each method on each task is a line of
``results/unsupervised.jsonl``; what has one already is skipped, so that the tables can
be made in parts.

    python -m benchmarks.unsupervised [--groups G,G] [--tasks T,T] [--methods M;M]
        [--seeds 3] [--device cpu] [--again]
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from torch import nn

from benchmarks._homogeneous import Group, run
from skda.auto import AutoAdapter
from skda.baselines import TunedClassifier
from skda.unsupervised import (
    ADDA,
    CDAN,
    CORAL,
    DAN,
    DANN,
    GFK,
    JAN,
    JDA,
    MADA,
    MCC,
    MCD,
    MDD,
    RTN,
    SPL,
    TCA,
    CenteredLabelPropagation,
    DeepCORAL,
    DomainConfusion,
    LinearOT,
    OTClassifier,
    SourceOnly,
    SubspaceAlignment,
    SymNets,
    TargetCentroids,
)

__all__ = ["GROUPS"]


def small_network() -> nn.Sequential:
    """Build a feature extractor for images of 64 x 64 pixels."""
    layers: list[nn.Module] = []
    for n_in, n_out in ((3, 32), (32, 64), (64, 128), (128, 128)):
        convolution = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


END_TO_END: dict[str, Any] = {"module": small_network, "max_epochs": 30}
CONTROLS = {
    "1-NN": SourceOnly(KNeighborsClassifier(n_neighbors=1)),
    "logistic regression": SourceOnly(
        LogisticRegression(C=10, max_iter=1000), normalize=True
    ),
    "plain classifier": SourceOnly(TunedClassifier()),
    "linear SVM": SourceOnly(LinearSVC()),
    "SourceOnly": SourceOnly(),
}
FEATURES = CONTROLS | {
    "DomainConfusion": DomainConfusion(),
    "DANN": DANN(),
    "CDAN": CDAN(entropy_weighting=False),
    "CDAN+E": CDAN(),
    "SymNets": SymNets(),
    "SymNets-V2": SymNets(symmetric_entropy=True),
    "MCC": MCC(),
    "ADDA": ADDA(),
    "DAN": DAN(),
    "JAN": JAN(),
    "JAN-A": JAN(adversarial=True),
    "DeepCORAL": DeepCORAL(),
    "MDD": MDD(),
    "MCD": MCD(),
    "MADA": MADA(),
    "RTN": RTN(),
    "TCA": TCA(),
    "TCA.published()": TCA.published(),
    "JDA": JDA(),
    "JDA.published()": JDA.published(),
    "GFK": GFK(),
    "GFK.published()": GFK.published(),
    "SubspaceAlignment": SubspaceAlignment(),
    "SubspaceAlignment.published()": SubspaceAlignment.published(),
    "CORAL": CORAL(),
    "CORAL.published()": CORAL.published(),
    "LinearOT": LinearOT(),
    "LinearOT.published()": LinearOT.published(),
    "OTClassifier": OTClassifier(),
    "OTClassifier.published()": OTClassifier.published(),
    "TargetCentroids": TargetCentroids(),
    "CenteredLabelPropagation": CenteredLabelPropagation(),
    "SPL": SPL(),
    "SPL.published()": SPL.published(),
    "AutoAdapter": AutoAdapter(),
}
SYMNETS_RATES = {"lr": SymNets().lr, "extractor_lr": SymNets().extractor_lr}
OTHER_RATES = {"lr": SourceOnly().lr, "extractor_lr": SourceOnly().extractor_lr}


def rows_without_symnets(**rates: float) -> dict[str, Any]:
    """Build the rows of Table 4 of SymNets that are other methods."""
    return {
        "SourceOnly": SourceOnly(**rates),
        "SourceOnly + entropy": SourceOnly(entropy_weight=1.0, **rates),
        "DomainConfusion": DomainConfusion(**rates),
        "DomainConfusion + entropy": DomainConfusion(entropy_weight=1.0, **rates),
    }


def rows_of_symnets(**rates: float) -> dict[str, Any]:
    """Build the rows of Table 4 of SymNets that are SymNets, whole or in part."""
    return {
        "SymNets w/o E_t": SymNets(cross_domain=False, **rates),
        "SymNets w/o M": SymNets(entropy_weight=0.0, **rates),
        "SymNets w/o confusion": SymNets(confusion="no", **rates),
        "SymNets w/o category confusion": SymNets(confusion="domain", **rates),
        "SymNets": SymNets(**rates),
    }


#: Rows that are no rows of the table of all methods, each at the rates of its class.
ABLATION = {
    name: estimator
    for name, estimator in (rows_without_symnets() | rows_of_symnets()).items()
    if name not in FEATURES
}
#: All rows at the rates of the others: SymNets' rates were chosen, those of the other
#: networks were not, so that either column treats all rows alike. The entropy weighs 1.
SWAPPED = rows_without_symnets(**SYMNETS_RATES) | rows_of_symnets(**OTHER_RATES)
IMAGES = {
    "SourceOnly": SourceOnly(**END_TO_END),
    "DANN": DANN(**END_TO_END),
    "CDAN+E": CDAN(**END_TO_END),
    # Nothing is pretrained, so its extractor learns as fast as the others'.
    "SymNets": SymNets(**END_TO_END, lr=0.01, extractor_lr=1.0),
}
OFFICE = list(permutations(["amazon", "caltech", "webcam", "dslr"], 2))
PAIRS = [f"{source}_squeezenet:{target}_squeezenet" for source, target in OFFICE]
REVIEWS, PACS = (
    [f"{data}_{source}:{data}_{target}" for source, target in permutations(names, 2)]
    for data, names in {
        "reviews": ["books", "dvd", "elec", "kitchen"],
        "pacs": ["photo", "art_painting", "cartoon", "sketch"],
    }.items()
)
GROUPS = {
    "squeezenet": Group(PAIRS, FEATURES),
    "ablation": Group(PAIRS, ABLATION),
    "ablation_swapped": Group(PAIRS, SWAPPED),
    "surf": Group(
        [
            "amazon_surf:caltech_surf",
            "caltech_surf:amazon_surf",
            "amazon_surf:webcam_surf",
            "caltech_surf:dslr_surf",
        ],
        FEATURES,
        power=0.5,
    ),
    "digits": Group(
        ["digits_mnist256:digits_usps256", "digits_usps256:digits_mnist256"], FEATURES
    ),
    # Text has rows of unit length, too: 400 words, few of which a review has.
    "reviews": Group(REVIEWS, FEATURES),
    "pacs": Group(PACS, FEATURES),
    # Class shares that differ, by the ratios that the boards have.
    "reviews_tail": Group(REVIEWS, FEATURES, long_tail=4),
    "pacs_tail": Group(PACS, FEATURES, long_tail=10),
    "images64": Group(
        [
            "amazon_images64:webcam_images64",
            "webcam_images64:dslr_images64",
            "dslr_images64:webcam_images64",
        ],
        IMAGES,
        power=None,
    ),
}


if __name__ == "__main__":
    run("unsupervised", GROUPS, __doc__.splitlines()[0])
