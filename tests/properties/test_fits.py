"""Every fit ends in a clear error, or in an estimator that keeps its promises."""

from zlib import crc32

import pytest
from hypothesis import given, seed, settings

from tests.properties.cases import cases
from tests.properties.estimators import CLASSIFIERS, RETRIEVERS, same_features
from tests.properties.invariants import check_case
from tests.properties.views import view_cases


def _check(name, some_cases):
    """Check cases of an estimator: always the same in the suite, but its own."""

    @given(case=some_cases)
    def check(case):
        check_case(name, case)

    if settings.default.derandomize:
        check = seed(crc32(name.encode()))(check)
    check()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_keeps_its_promises_on_any_data(name):
    _check(name, cases(same_features=same_features(name)))


@pytest.mark.parametrize("name", RETRIEVERS)
def test_a_retriever_keeps_its_promises_on_any_data(name):
    _check(name, view_cases())
