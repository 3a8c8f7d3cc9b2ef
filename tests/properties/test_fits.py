"""Every fit ends in a clear error, or in an estimator that keeps its promises."""

import pytest
from hypothesis import given, strategies as st

from tests.properties.cases import cases
from tests.properties.estimators import CLASSIFIERS, RETRIEVERS, same_features
from tests.properties.invariants import check_case
from tests.properties.views import view_cases


@pytest.mark.parametrize("name", CLASSIFIERS)
@given(data=st.data())
def test_a_classifier_keeps_its_promises_on_any_data(name, data):
    check_case(name, data.draw(cases(same_features=same_features(name))))


@pytest.mark.parametrize("name", RETRIEVERS)
@given(data=st.data())
def test_a_retriever_keeps_its_promises_on_any_data(name, data):
    check_case(name, data.draw(view_cases()))
