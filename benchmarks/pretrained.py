"""The table of pretrained networks: images through EfficientNet-Lite0, fine-tuned.

Images of Office-Caltech, of 64 x 64 pixels, resized to 128. No target row is labeled;
accuracy on the target rows of the fit, last iterate. The first rows take the features
of the network as it is; the others train its last six stages further, but for the means
of batch norm. The twelve stages before stay as they are, and are run once.

All have the learning rates and the batch of CDAN's public code. The means of batch norm
were left alone after a look at 100 images of either of amazon and webcam; nothing else
was chosen here.

Needs the extra ``pretrained``. Each method on each task is a line of
``results/unsupervised.jsonl``; what has one already is skipped.

    python -m benchmarks.pretrained --seeds 1 [--groups G,G] [--tasks T,T]
        [--methods M;M] [--device cpu] [--again]
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks._homogeneous import Group, load_domain, run
from skda.auto import AutoAdapter
from skda.modules import efficientnet_lite0, frozen_features
from skda.partial import SHOT
from skda.unsupervised import CDAN, DANN, MCC, SPL, SourceOnly, SymNets

__all__ = ["GROUPS"]

#: Stages that stay as they are; they take nine tenths of the time of a pass.
N_FROZEN = 12


@lru_cache
def maps(file: str) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Load what the frozen stages make of the images."""
    images, y = load_domain(file)
    return frozen_features(efficientnet_lite0(stop=N_FROZEN), images), y


@lru_cache
def features(file: str) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Load what the whole network makes of the images, as it is."""
    X, y = maps(file)
    return frozen_features(efficientnet_lite0(start=N_FROZEN), X), y


FROZEN = {
    "logistic regression": SourceOnly(LogisticRegression(C=10, max_iter=1000)),
    "SPL": SPL(),
    "MCC": MCC(),
    "AutoAdapter": AutoAdapter(),
}
LAST_STAGES: dict[str, Any] = {
    "module": partial(efficientnet_lite0, start=N_FROZEN),
    "max_epochs": 10,
    "batch_size": 32,
    "lr": 0.01,
    "extractor_lr": 0.1,
}
TUNED = {
    "SourceOnly": SourceOnly(**LAST_STAGES),
    "DANN": DANN(**LAST_STAGES),
    "CDAN+E": CDAN(**LAST_STAGES),
    "SymNets": SymNets(**LAST_STAGES),
    "MCC": MCC(**LAST_STAGES),
    "SHOT": SHOT(**LAST_STAGES),
}
TASKS = [
    "amazon_images64:webcam_images64",
    "webcam_images64:amazon_images64",
    "dslr_images64:webcam_images64",
]
GROUPS = {
    "pretrained": Group(TASKS, FROZEN, load=features),
    "fine_tuned": Group(TASKS, TUNED, power=None, load=maps),
}

if __name__ == "__main__":
    run("unsupervised", GROUPS, __doc__.splitlines()[0])
