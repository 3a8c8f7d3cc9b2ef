"""Every estimator of the library, with settings that make its fit cheap."""

import inspect
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression

import skda.auto
import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.retrieval
import skda.unsupervised
from skda.base import BaseRetriever, GalleryIndex
from tests.properties.cases import Data

CHEAP = {
    "max_epochs": 2,
    "hidden_layer_sizes": (6,),
    "source_hidden_layer_sizes": (6,),
    "discriminator_layer_sizes": (4,),
    "n_hidden": 6,
    "random_state": 0,
}
FAMILIES = {
    "auto": skda.auto,
    "heterogeneous": skda.heterogeneous,
    "unsupervised": skda.unsupervised,
    "partial": skda.partial,
    "baselines": skda.baselines,
    "retrieval": skda.retrieval,
}


LEFT_OUT = (
    GalleryIndex,  # which searches, and knows of no domains
    skda.auto.Report,  # what a fit says of itself
    skda.baselines.TargetOnly,  # whose own default has no probabilities
    skda.baselines.TunedClassifier,  # an ordinary classifier
)


def _builders():
    """Say how to build every estimator, by its name."""
    for family, package in FAMILIES.items():
        for name in package.__all__:
            cls = getattr(package, name)
            if cls in LEFT_OUT:
                continue
            known = inspect.signature(cls).parameters
            settings = {k: v for k, v in CHEAP.items() if k in known}
            if "max_epochs" in known and "n_components" in known:
                settings["n_components"] = 4
            yield name, family, partial(cls, **settings)
    yield (
        "TargetOnly(LogisticRegression)",
        "baselines",
        partial(skda.baselines.TargetOnly, LogisticRegression()),
    )
    yield (
        "SourceOnly(LogisticRegression)",
        "unsupervised",
        partial(skda.unsupervised.SourceOnly, LogisticRegression()),
    )


BUILDERS = {name: build for name, _, build in _builders()}
FAMILY = {name: family for name, family, _ in _builders()}
CLASSIFIERS = [n for n in BUILDERS if FAMILY[n] != "retrieval"]
RETRIEVERS = [n for n in BUILDERS if issubclass(BUILDERS[n].func, BaseRetriever)]


def takes_pairs(name):
    """Say whether pairs are to be passed."""
    return "pairs" in inspect.signature(BUILDERS[name].func.fit).parameters


def same_features(name):
    """Say whether both domains have the same features."""
    return FAMILY[name] in ("unsupervised", "partial")


def build_estimator(name, **overrides):
    """Build an estimator whose fit is cheap."""
    estimator = BUILDERS[name]()
    if name == "ISRA":
        estimator.set_params(backbone=BUILDERS["BA3US"]())
    return estimator.set_params(**overrides)


def toy_domains(name):
    """Make a harmless pair of domains, of other shapes than any case has."""
    rng = np.random.default_rng(0)
    codes = np.arange(12) % 3
    means = rng.normal(scale=3, size=(3, 5))
    X = means[codes] + rng.normal(size=(12, 5))
    X_source = X[::-1] + 1 if same_features(name) else X[::-1, :4] + 1
    y = np.where(np.arange(12) < 6, codes + 10, -1)
    pairs = X_source[:5], X[:5]
    return Data(X, y, (X_source, codes[::-1] + 10), pairs)
