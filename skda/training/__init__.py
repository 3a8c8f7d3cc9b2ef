"""The engine: domains and batches, schedules, the net and its shared parameters."""

from skda.training.data import (
    Batch,
    BatchLoader,
    Domain,
    Domains,
    Pairs,
    Samples,
    chunks,
    labels_of,
)
from skda.training.held_out import HeldOutRows
from skda.training.net import (
    DomainNet,
    StopTraining,
    TermsBar,
    optimizer_params,
)
from skda.training.objective import Objective, Phase
from skda.training.parameters import NetTraining
from skda.training.schedules import constant, cosine, inverse_decay, sigmoid_ramp

__all__ = [
    "Batch",
    "BatchLoader",
    "Domain",
    "DomainNet",
    "Domains",
    "HeldOutRows",
    "NetTraining",
    "Objective",
    "Pairs",
    "Phase",
    "Samples",
    "StopTraining",
    "TermsBar",
    "chunks",
    "constant",
    "cosine",
    "inverse_decay",
    "labels_of",
    "optimizer_params",
    "sigmoid_ramp",
]
