"""`published()` stays what it was, whatever becomes of the defaults.

``published.json`` is what it was when the defaults were last the same. A method or a
parameter that is new since is not looked at.
"""

import json
import re
from pathlib import Path

import pytest

from tests.test_constructors import _estimators

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text())
CLASSES = dict(_estimators())


def _spell(cls):
    """Spell all settings, also those of an estimator that is one of them."""
    params = cls.published().get_params()
    return {
        name: re.sub(r" at 0x\w+", "", repr(value))
        for name, value in params.items()
        if not hasattr(value, "get_params")
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_are_what_they_were(name):
    now = _spell(CLASSES[name])

    assert {param: now.get(param) for param in PUBLISHED[name]} == PUBLISHED[name]


def test_there_are_methods_to_look_at():
    assert len(PUBLISHED) > 40
