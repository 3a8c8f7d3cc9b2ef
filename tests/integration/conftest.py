"""Tests with heavy partners, which only the extra ``integration`` installs.

``python -m pytest -m integration`` runs them. Any other run does not even import them;
in this one, a partner that cannot be imported is an error.
"""

import pytest

# They have processes of their own, as skada changes the configuration of scikit-learn.
collect_ignore = ["by_cca_zoo.py", "by_skada.py"]


def pytest_ignore_collect(config):
    return True if config.getoption("markexpr") != "integration" else None


def pytest_collection_modifyitems(items):
    for item in items:
        if "integration" in item.path.parts:
            item.add_marker(pytest.mark.integration)
