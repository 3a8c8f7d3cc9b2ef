"""Fit networks of images in one of several processes, or in a single one.

A script, run with a file to write to. Environment variables tell how many processes
there are; if there is more than one, Accelerate connects them.
"""

import os
import sys

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import TensorDataset

from skda.modules import DistributedRows
from skda.unsupervised import DAN, DANN, MCC

RNG = np.random.default_rng(0)
Y = np.arange(26) % 2
IMAGES = (RNG.normal(size=(2, 26, 1, 6, 6)) + Y[:, None, None, None]).astype("float32")
SOURCE, TARGET = IMAGES
#: Batches of 13 rows of both domains, which two processes cannot share evenly.
PARAMS = {"max_epochs": 4, "batch_size": 13, "random_state": 0, "device": "cpu"}


def make_extractor():
    """Build a network from images to features."""
    layers = nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten()
    return DistributedRows(nn.Sequential(*layers, nn.Linear(64, 8)))


def learn():
    """Fit methods that compare rows with each other, and return what they say."""
    said = {}
    for method in (DAN, DANN, MCC):
        clf = method(module=make_extractor, **PARAMS)
        clf.fit(TARGET, source=(SOURCE, Y))
        said[method.__name__] = torch.from_numpy(clf.predict_proba(TARGET))
    loaded = TensorDataset(torch.from_numpy(TARGET))
    clf = MCC(module=make_extractor, **PARAMS).fit(loaded, source=(SOURCE, Y))
    said["Dataset"] = torch.from_numpy(clf.predict_proba(loaded))
    return said


def find_refusals():
    """List the errors of what is not one training."""
    refusals = []
    rank = int(os.environ["RANK"])
    for layer, params in (
        (nn.BatchNorm1d(36), {}),
        (nn.Identity(), {"random_state": rank}),
    ):
        module = nn.Sequential(nn.Flatten(), layer, nn.Linear(36, 8))
        clf = MCC(module=lambda m=module: DistributedRows(m), **PARAMS | params)
        try:
            clf.fit(TARGET, source=(SOURCE, Y))
        except ValueError as error:
            refusals.append(str(error))
    return refusals


if __name__ == "__main__":
    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    found = learn() | {"refusals": find_refusals()}
    torch.save(found, f"{sys.argv[1]}.{accelerator.process_index}")
