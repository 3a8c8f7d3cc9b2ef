"""Cross-validation of a network that takes a torch Dataset."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import cross_val_score
from skorch.helper import SliceDataset
from torch.utils.data import TensorDataset

from skda.model_selection import LabeledFold
from skda.unsupervised import MCC

Y = np.arange(40) % 2
X = np.random.default_rng(0).normal(size=(40, 5)) + 4 * Y[:, None]
DATASET = TensorDataset(torch.tensor(X, dtype=torch.float32))


def test_a_sliced_dataset_is_cross_validated():
    clf = MCC(max_epochs=5, lr=0.1, random_state=0)
    scores = cross_val_score(
        clf,
        SliceDataset(DATASET),
        np.where(np.arange(40) < 20, Y, -1),
        cv=LabeledFold(2),
        params={"source": (X, Y)},
    )

    assert (scores > 0.9).all()


def test_a_dataset_that_cannot_be_cut_is_refused():
    with pytest.raises(TypeError, match=r"skorch\.helper\.SliceDataset\(dataset\)"):
        next(LabeledFold(2).split(DATASET, Y))
