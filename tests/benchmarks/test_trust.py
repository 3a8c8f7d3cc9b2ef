"""The statement of trust: how it is calibrated, judged and shown."""

import json

import numpy as np
import pytest

from benchmarks.boards import pages, trust
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import all_tasks, side
from benchmarks.boards.trust import (
    Statement,
    calibrate,
    judge,
    read_statements,
    threshold,
)
from skda.auto._trust import Evidence, assess

TASKS = [t for t in all_tasks() if t.group == "few" and side(t) == "confirming"][:3]


def _statement(agreement, accuracy, gain=0.1):
    evidence = Evidence(agreement, 0.8, 0.7, 0.6, 0.1, 3, 5.0, 20)
    return Statement("few labels", evidence, accuracy, gain)


def test_what_agrees_more_is_expected_to_be_more_accurate():
    told = [_statement(a, a, gain=a - 0.5) for a in np.linspace(0.3, 0.95, 400)]
    column, below = calibrate(told)
    features = [_statement(a, a).evidence.features() for a in (0.4, 0.9)]
    low, high = (each @ column for each in features)

    assert 1 / (1 + np.exp(-low)) == pytest.approx(0.4, abs=0.1)
    assert 1 / (1 + np.exp(-high)) == pytest.approx(0.9, abs=0.1)
    # Agreement of the members is no evidence of being far below.
    assert below[1] == 0


def _told_by_features(gains):
    """Make statements of few and of many features, the former far below."""
    evidence = _statement(0.5, 0.5).evidence
    return [
        Statement("few labels", evidence._replace(n_features=n), 0.5, gain)
        for n, gain in zip(np.geomspace(2, 2000, len(gains)), gains, strict=True)
    ]


def test_few_features_are_evidence_of_being_far_below():
    told = _told_by_features(np.linspace(-0.3, 0.3, 60))
    _, below = calibrate(told)
    few, many = (told[i].evidence.features() @ below for i in (0, -1))

    assert few > 0 > many


def test_the_units_of_the_evidence_do_not_matter():
    told = _told_by_features(np.linspace(-0.3, 0.3, 60))
    larger = [
        s._replace(
            evidence=s.evidence._replace(n_features=1000 * s.evidence.n_features)
        )
        for s in told
    ]
    before, after = (calibrate(each)[1] for each in (told, larger))
    odds = [
        [s.evidence.features() @ below for s in each]
        for each, below in ((told, before), (larger, after))
    ]

    np.testing.assert_allclose(*odds, atol=0.02)


def test_as_many_fits_that_are_not_below_are_warned_of_as_allowed(monkeypatch):
    monkeypatch.setattr(trust, "LEAST_ALARM", 0.0)
    told = _told_by_features(np.linspace(-0.3, 0.3, 200))
    _, below = calibrate(told)
    alarm = threshold(told, below)
    fine = [s.evidence.features() @ below for s in told if s.gain >= 0]

    assert np.mean(1 / (1 + np.exp(-np.array(fine))) > alarm) == pytest.approx(
        trust.FALSE_ALARMS, abs=0.01
    )


def test_a_warning_tells_of_one_in_ten_at_least():
    told = [s._replace(gain=0.1) for s in _told_by_features(np.linspace(-0.3, 0.3, 9))]
    never = np.zeros(len(told[0].evidence.features()))
    never[0] = -9.0

    assert threshold(told, never) == trust.LEAST_ALARM == 0.1


def test_hits_and_false_alarms_are_counted(monkeypatch):
    def alarmed(evidence, situation):
        return assess(evidence, situation)._replace(p_below=evidence.agreement)

    monkeypatch.setattr(trust, "assess", alarmed)
    told = [
        _statement(0.9, 0.5, gain=-0.2),  # warned of, and far below
        _statement(0.0, 0.5, gain=-0.2),  # not warned of, and far below
        _statement(0.9, 0.5, gain=0.0),  # a false alarm
        _statement(0.0, 0.9, gain=0.1),
        _statement(0.9, 0.5, gain=-0.03),  # neither far below nor fine
    ]
    (row,) = judge(told).rows

    assert row[:4] == ["few labels", "5", "1 of 2", "1 of 2"]


def _record(task, method, score, **more):
    four = dict.fromkeys(("score", "balanced", "new_score", "new_balanced"), score)
    record = {"fit": task.name + method, "task": task.name, "method": method}
    return json.dumps(record | four | {"seconds": 1.0} | more)


@pytest.fixture
def folder(tmp_path):
    evidence = Evidence(0.9, 0.8, 0.7, 0.6, 0.1, 3, 5.0, 20)._asdict()
    lines = []
    for task, score in zip(TASKS, (0.9, 0.6, 0.78), strict=True):
        plain = {"oracle": "a", "chosen": "b", "candidates": {"a": [0.85] * 4}}
        lines += [
            _record(task, BASELINE, 0.8, **plain),
            _record(task, "AutoAdapter", score, evidence=evidence),
            _record(task, "GeoST", 0.7),
        ]
    (tmp_path / "boards_few.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_statements_are_read_with_what_was_true(folder):
    told = read_statements(folder, "confirming")

    assert [s.accuracy for s in told] == [0.9, 0.6, 0.78]
    np.testing.assert_allclose([s.gain for s in told], [0.1, -0.2, -0.02])
    assert read_statements(folder, "choosing") == []


def test_regrets_are_listed_with_what_was_better(folder):
    (row,) = pages.show_regrets(folder, "confirming").rows

    assert row[:6] == [
        f"``{TASKS[1].name}``",
        TASKS[1].kind,
        "60.0",
        "80.0",
        "-20.0",
        "b",
    ]


def test_the_first_choice_stands_beside_the_plain_ones(folder):
    first, *_ = pages.readme_table(folder).rows

    assert first[:5] == ["Few labels", "3", "76.0", "80.0", "85.0"]
    assert first[5] == "70.0 (GeoST)"
    assert first[6] == "67"
