"""Fit networks that write checkpoints, slowly enough to be killed in between.

A script, run with a folder to write to. It leaves ``training`` there as it starts
to, and in the end ``learned.pt``, with what every network has learned.
"""

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import make_blobs
from skorch.callbacks import Callback

from skda.heterogeneous import DATN
from skda.partial import BA3US, ISRA
from skda.retrieval import DMTL
from skda.training import checkpoint

X, Y = make_blobs(80, n_features=6, centers=3, cluster_std=2.0, random_state=0)
SOURCE = X[:40] + 0.5, Y[:40]
SOME = np.where(np.arange(40) < 9, Y[40:], -1)
BACKBONE = partial(BA3US, max_epochs=12, batch_size=16, dropout=0.2, random_state=0)


class Pause(Callback):
    """Make every step last."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_batch_end(self, net, **kwargs):
        """Wait."""
        time.sleep(self.seconds)


def learn(folder=None, pause=0.0):
    """Fit every network, and return weights and predictions."""
    learned = {}
    for name in ("DATN", "ISRA", "DMTL"):
        params = {"callbacks": [Pause(pause)]}
        if folder is not None:
            params["checkpoint"] = Path(folder) / name
        if name == "DATN":
            net = DATN(max_steps=12, batch_size=16, random_state=0, **params)
            net.fit(X[40:], SOME, source=SOURCE, pairs=(X[:9], X[40:49]))
            predicted = net.predict_proba(X)
        elif name == "ISRA":
            net = ISRA(BACKBONE(**params), n_topics=4).fit(X[40:], source=SOURCE)
            predicted, net = net.predict_proba(X), net.backbone_
        else:
            net = DMTL(max_epochs=12, batch_size=16, dropout=0.3, random_state=0)
            predicted = net.set_params(**params).fit(X, Y).transform(X)
        learned[f"{name} predicted"] = torch.from_numpy(np.asarray(predicted))
        for part in ("module_", "criterion_"):
            state = getattr(net.net_, part).state_dict()
            learned |= {f"{name} {part} {key}": value for key, value in state.items()}
    return learned


if __name__ == "__main__":
    torch.set_num_threads(1)
    checkpoint.SECONDS_BETWEEN, checkpoint.WRITING_SHARE = 0.0, 1.0
    folder, pause = Path(sys.argv[1]), float(sys.argv[2])
    (folder / "training").touch()
    torch.save(learn(folder, pause), folder / "learned.pt")
