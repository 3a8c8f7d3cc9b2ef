"""Data to try adaptation on, and the controls that show what it is worth."""

from skda.datasets._digits import load_digits_domains
from skda.datasets._files import load_npz, load_office_caltech
from skda.datasets._generators import make_heterogeneous_domains
from skda.datasets._labels import label_few, noise_source
from skda.datasets._mat import load_mat
from skda.datasets._pairs import PairedTask, load_paired_files, load_pairs
from skda.datasets._tables import load_table
from skda.datasets._tasks import load_task

__all__ = [
    "PairedTask",
    "label_few",
    "load_digits_domains",
    "load_mat",
    "load_npz",
    "load_office_caltech",
    "load_paired_files",
    "load_pairs",
    "load_table",
    "load_task",
    "make_heterogeneous_domains",
    "noise_source",
]
