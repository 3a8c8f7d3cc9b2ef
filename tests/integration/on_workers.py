"""Estimators that tell of the processes in which they are fitted.

The workers of a cluster import them from here.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skda.utils.validation import check_device, check_pair

#: The sources that this process has seen, which keeps them from being replaced.
SEEN = []


def count_sources():
    """Count the copies of sources that have arrived in this process."""
    return len({id(X) for X in SEEN})


def visible_devices():
    """Say what this process may use, and what "auto" means here."""
    return os.environ.get("CUDA_VISIBLE_DEVICES"), str(check_device("auto"))


class Witness(ClassifierMixin, BaseEstimator):
    """Predict the class whose source mean is the nearest, and remember the source."""

    def __init__(self, shift=0.0, flag=None):
        self.shift = shift
        self.flag = flag

    def fit(self, X, y, source=None):
        """Fit; with a flag that is not there yet, kill the process instead."""
        if self.flag is not None and self.shift == 2:
            with suppress(FileExistsError):  # of two workers, one is killed
                Path(self.flag).touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
        X_source, y_source = X, y
        if source is not None:
            X_source, y_source = check_pair(source, "source")
            SEEN.append(X_source)
        self.classes_ = np.unique(y_source)
        self.means_ = np.array([X_source[y_source == c].mean() for c in self.classes_])
        return self

    def predict(self, X):
        """Look at the mean of every row."""
        distances = abs(X.mean(axis=1)[:, None] + self.shift - self.means_)
        return self.classes_[distances.argmin(axis=1)]


def measure(cell):
    """Say who measures a cell."""
    return {"values": [cell.n_per_class], "process": os.getpid()}
