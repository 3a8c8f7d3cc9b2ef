"""Every estimator that trains a network, small."""

import inspect
from functools import partial

import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.retrieval
import skda.unsupervised
from skda.partial._plug_in import BasePlugIn
from skda.training import NetTraining

FAMILIES = [
    skda.heterogeneous,
    skda.unsupervised,
    skda.partial,
    skda.baselines,
    skda.retrieval,
]
SMALL = {
    "max_epochs": 2,
    "batch_size": 8,
    "hidden_layer_sizes": (6,),
    "source_hidden_layer_sizes": (6,),
    "discriminator_layer_sizes": (4,),
    "n_hidden": 6,
}


def _small(cls):
    known = inspect.signature(cls).parameters
    settings = {name: value for name, value in SMALL.items() if name in known}
    if "n_components" in known:
        settings["n_components"] = 4
    return partial(cls, **settings)


NETWORKS = {
    name: _small(vars(family)[name])
    for family in FAMILIES
    for name in family.__all__
    if issubclass(vars(family)[name], NetTraining | BasePlugIn)
}
#: What a plug-in adds to.
SETTINGS = {"ISRA": {"backbone": NETWORKS["BA3US"]()}}
#: With a source or not, and in which precision.
WAYS = [(True, "float32"), (True, "bfloat16"), (False, "float32")]
