"""Tests of what comparisons share among processes."""

import sys

import numpy as np
from scipy import sparse

from skda.comparison._parallel import Shared, Sharing, size_of


def test_data_are_counted_wherever_they_are():
    X = np.zeros((10, 4))
    nested = {"source": (X, [X, X]), "pairs": None}

    assert size_of(X) == 320
    assert 960 <= size_of(nested) < 1500
    assert size_of(sparse.csr_array(np.ones((10, 4)))) >= 320
    assert size_of("text") == sys.getsizeof("text")


def test_backends_see_how_large_a_shared_object_is():
    shared = Shared({}, 10**6)

    assert sys.getsizeof(shared) >= 10**6


def test_the_same_data_are_shared_as_one_object():
    sharing = Sharing()
    source = np.zeros((3, 2)), np.zeros(3)
    first = sharing.share({"source": source})
    again = sharing.share({"source": source})
    equal = sharing.share({"source": tuple(part.copy() for part in source)})

    assert first is again
    assert equal is not first
    assert first.value == {"source": source}


def test_names_belong_to_what_is_shared():
    sharing = Sharing()
    X = np.zeros(3)

    assert sharing.share({"pairs": X}).value.keys() == {"pairs"}
    assert sharing.share({"source": X}).value.keys() == {"source"}


def test_only_the_last_data_are_kept():
    sharing = Sharing()
    for _ in range(100):
        sharing.share({"source": np.zeros(3)})

    assert len(sharing._kept) < 10
