"""`published()` has the settings of the reference, whatever becomes of the defaults.

``references.json`` says of every method where its reference is, what the arguments
there are in our terms, and which settings no reference names. ``published.json`` is
what all settings were when they were last changed on purpose. A parameter that is new
since is not looked at. After a change on purpose, write it anew by
``python -m tests.test_published`` at the root of the repository.
"""

import json
import math
import re
from functools import partial
from pathlib import Path

import pytest
from torch import nn

from skda.partial import BA3US, ETN, IWAN, PADA, SAFN, SAN
from skda.training import inverse_decay, sigmoid_ramp
from skda.unsupervised import ADDA, CDAN, DAN, DANN, MCC, MCD, DeepCORAL
from tests.test_constructors import _estimators

SNAPSHOT = Path(__file__).parent / "published.json"
PUBLISHED = json.loads(SNAPSHOT.read_text())
REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text())
CLASSES = dict(_estimators())


def _spell(cls):
    """Spell all settings, also those of an estimator that is one of them."""
    params = cls.published().get_params()
    return {
        name: re.sub(r" at 0x\w+", "", repr(value))
        for name, value in params.items()
        if not hasattr(value, "get_params")
    }


def _plain(value):
    """Take a setting to what JSON knows; of a partial function its arguments."""
    if isinstance(value, partial):
        return {name: _plain(given) for name, given in value.keywords.items()}
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    "name", [name for name, cls in CLASSES.items() if hasattr(cls, "published")]
)
def test_published_settings_are_the_arguments_of_the_reference(name):
    reference, cls = REFERENCES[name], CLASSES[name]
    expected = reference["settings"]
    params = cls.published().get_params()

    assert {param: _plain(params[param]) for param in expected} == expected
    known = {*expected, *reference.get("ours", {})}
    assert set(getattr(cls, "published_params", {})) <= known
    assert reference["from"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_are_what_they_were(name):
    now = _spell(CLASSES[name])

    assert {param: now.get(param) for param in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize("cls", [CDAN, DANN, MCC, PADA, ETN, SAN, IWAN, BA3US])
def test_the_learning_rate_falls_by_the_step_as_in_the_references(cls):
    clf = cls.published()
    schedule = {"inverse": inverse_decay}.get(clf.lr_schedule, clf.lr_schedule)

    assert schedule(0.5) == pytest.approx((1 + 0.001 * clf.max_steps / 2) ** -0.75)


@pytest.mark.parametrize("cls", [CDAN, DANN, PADA, ETN, SAN])
def test_the_reversal_is_at_its_height_after_ten_thousand_steps(cls):
    clf = cls.published()
    height = sigmoid_ramp(10_000 / clf.max_steps, gamma=clf.gamma)

    assert height == pytest.approx(2 / (1 + math.exp(-10)) - 1)


def test_there_are_methods_to_look_at():
    assert len(PUBLISHED) > 40
    assert sum(bool(each["settings"]) for each in REFERENCES.values()) > 20


def test_a_pretrained_network_has_a_tenth_of_the_learning_rate():
    assert CDAN.published().extractor_lr == 1.0
    assert CDAN.published(module=nn.Identity).extractor_lr == 0.1
    assert DANN.published(module=nn.Identity, extractor_lr=0.5).extractor_lr == 0.5
    assert DAN.published(module=nn.Identity).extractor_lr == 0.1
    assert DeepCORAL.published(module=nn.Identity).extractor_lr == 0.1


@pytest.mark.parametrize("cls", [ADDA, MCD, SAFN])
def test_a_pretrained_network_learns_at_full_rate_where_the_reference_does(cls):
    assert cls.published(module=nn.Identity).extractor_lr == 1.0


if __name__ == "__main__":
    methods = {name: cls for name, cls in CLASSES.items() if hasattr(cls, "published")}
    settings = {name: _spell(cls) for name, cls in methods.items()}
    SNAPSHOT.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")
