"""Tests of the tasks of the boards, of their split and of how they are loaded."""

import json
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.boards import domains, problems, shifts, tasks
from benchmarks.boards.problems import Objects, load_problem
from benchmarks.boards.tasks import SPLIT, Task, all_tasks, side
from skda.utils.labels import UNLABELED

FAMILIES_FOR_CHOOSING = {
    f"table_{name}"
    for name in (
        *("yeast", "abalone", "banana", "vowel", "pima", "splice", "penbased"),
        *("segment", "spambase", "breast_cancer", "wine", "iris"),
    )
}


@pytest.fixture
def rows():
    """Rows of three classes, the last one rare."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [150, 150, 20])
    return rng.normal(size=(320, 4)) + y[:, None], y


@pytest.fixture
def made_up(monkeypatch, rows):
    """Have every domain be these rows."""
    monkeypatch.setattr(problems, "load_domain", lambda name: rows)


def _task(**changes):
    return Task("few", "made up", "tables", ("x",), "made up", regime="3")._replace(
        **changes
    )


def _targets(group):
    return {task.data for task in all_tasks() if task.group == group}


def _of(name):
    return [task for task in all_tasks() if side(task) == name]


def test_there_are_as_many_tasks_as_agreed():
    counts = Counter(task.group for task in all_tasks())

    assert len(_targets("few")) >= 60
    assert counts["few"] == 4 * len(_targets("few"))
    assert counts["unsupervised"] >= 100
    assert counts["partial"] >= 40
    assert counts["retrieval"] >= 12
    assert len({task.name for task in all_tasks()}) == len(all_tasks())


def test_enough_tasks_of_every_kind_confirm():
    confirming = _of("confirming")
    few = [task for task in confirming if task.group == "few"]
    others = [t for t in confirming if t.group in ("unsupervised", "partial")]

    assert len({task.data for task in few}) >= 30
    assert len(others) >= 30
    assert {task.kind for task in few} == set(tasks.KINDS)
    assert {task.kind for task in others} == set(tasks.KINDS)


def test_every_task_has_one_side_and_no_name_there_is_unknown():
    sides = json.loads(SPLIT.read_text())
    for group in tasks.GROUPS:
        members = [data for name in tasks.SIDES for data in sides[name][group]]

        assert sorted(members) == sorted(_targets(group))


def test_no_family_is_on_both_sides_but_that_of_an_old_file_marked_so():
    old = json.loads(SPLIT.read_text())["old_files"]
    chosen = {family for task in _of("choosing") for family in task.families}
    for task in _of("confirming"):
        is_old = task.data in old[task.group]
        of_table = any(family.startswith("table_") for family in task.families)

        assert is_old or not chosen & set(task.families), task.name
        assert not (is_old and of_table), task.name


def test_what_was_used_before_is_for_choosing():
    for task in _of("confirming"):
        assert not task.published, task.name
        assert not FAMILIES_FOR_CHOOSING & set(task.families), task.name
        if task.shift is not None:
            assert task.shift in (*shifts.NEW, "shares"), task.name


def test_the_quick_form_is_for_choosing_and_has_all_groups():
    quick = [task for task in all_tasks() if task.name in tasks.QUICK]

    assert len(quick) == len(tasks.QUICK)
    assert {side(task) for task in quick} == {"choosing"}
    assert {task.group for task in quick} == set(tasks.GROUPS)


def test_a_task_without_a_side_is_an_error():
    with pytest.raises(ValueError, match=r"Expected few/made up in .*add it to one"):
        side(_task())


@pytest.mark.parametrize("name", shifts.SHIFTS)
def test_shifts_are_functions_of_a_seed_and_share_no_row(rows, name):
    X, y = rows
    X = X + np.arange(len(X))[:, None] * 1e-9  # no two rows are equal
    made, again = (shifts.shift(name, X, y, 3) for _ in range(2))
    other = shifts.shift(name, X, y, 4)

    for part, same in zip(made, again, strict=True):
        assert_array_equal(part, same)
    assert not np.array_equal(made.X, other.X)
    assert len(made.X) + len(made.X_source) == len(X)
    assert {*made.y} == {*made.y_source} == {0, 1, 2}
    in_source = (X[:, None] == made.X_source[None]).all(axis=2).any(axis=1)
    assert in_source.sum() == len(made.X_source)
    rest = X[~in_source]
    if name in ("axis1", "axis2", "shares"):
        assert_array_equal(made.X, rest)
    else:
        assert not np.allclose(made.X, rest)


def test_only_the_shares_differ_where_shares_are_shifted(rows):
    made = shifts.shift("shares", *rows, 0)
    shares = np.bincount(made.y) / (np.bincount(made.y) + np.bincount(made.y_source))

    assert shares.max() > 0.8
    assert shares.min() < 0.2


def test_an_unknown_shift_is_an_error(rows):
    with pytest.raises(ValueError, match=r"Expected one of scaled.*got 'bent'"):
        shifts.shift("bent", *rows, 0)


def test_labels_are_shown_as_the_regime_says(made_up):
    few = load_problem(_task())
    at_random = load_problem(_task(regime="r", long_tail=5))
    none = load_problem(_task(group="unsupervised", regime="0", shift="noised"))

    assert_array_equal(np.bincount(few.y[few.y != UNLABELED]), [3, 3, 3])
    assert (at_random.y != UNLABELED).sum() == 24
    assert (none.y == UNLABELED).all()
    for problem in (few, at_random):
        shown = problem.y != UNLABELED
        assert_array_equal(problem.y[shown], problem.truth[shown])
    assert few.source is None
    assert len(none.source[0]) == 160


def test_new_rows_are_in_no_fit_and_the_same_each_time(made_up):
    problem, again = load_problem(_task()), load_problem(_task())
    seen = {tuple(row) for row in problem.X}

    assert not seen & {tuple(row) for row in problem.X_new}
    assert_array_equal(np.bincount(problem.y_new), [45, 45, 6])
    for part, same in zip(problem[:5], again[:5], strict=True):
        assert_array_equal(part, same)


def test_a_target_of_labels_at_random_is_cut_unless_it_is_skewed(monkeypatch, made_up):
    task = _task(regime="r", long_tail=10)
    itself = load_problem(task)
    y = np.arange(300) % 2
    monkeypatch.setattr(problems, "load_domain", lambda name: (np.eye(300), y))
    cut = load_problem(task)

    assert_array_equal(np.bincount(itself.truth), [105, 105, 14])
    assert sorted(np.bincount(cut.truth)) == [10, 105]


def test_few_labels_are_of_at_most_500_rows(monkeypatch):
    y = np.arange(4000) % 2
    monkeypatch.setattr(
        problems, "load_domain", lambda name: (np.arange(8000.0).reshape(4000, 2), y)
    )

    assert len(load_problem(_task()).X) == 500


def test_a_partial_target_lacks_classes_of_the_source(made_up):
    task = _task(group="partial", regime="0", shift="scaled")
    problem = load_problem(task._replace(n_target_classes=2))

    assert {*problem.truth} == {0, 1}
    assert {*problem.source[1]} == {0, 1, 2}


def test_a_skewed_target_has_few_rows_of_some_class_and_its_source_as_many(monkeypatch):
    y = np.arange(300) % 3
    monkeypatch.setattr(problems, "load_domain", lambda name: (np.eye(300), y))
    task = _task(group="unsupervised", regime="0", shift="scaled", long_tail=10)
    problem = load_problem(task)

    assert sorted(np.bincount(problem.truth)) == [4, 12, 35]
    assert_array_equal(np.bincount(problem.source[1]), [50, 50, 50])


def test_a_task_without_enough_rows_says_so(made_up, monkeypatch, rows):
    with pytest.raises(ValueError, match=r"at least 16 labeled rows .*14 of class 2"):
        load_problem(_task(regime="16"))
    X, y = rows
    monkeypatch.setattr(problems, "load_domain", lambda name: (X[130:170], y[130:170]))
    with pytest.raises(ValueError, match="at least 36 rows for 16 labels at random"):
        load_problem(_task(regime="r"))
    monkeypatch.setattr(problems, "load_domain", lambda name: (X[:20], y[:20]))
    with pytest.raises(ValueError, match="at least 20 rows whose class is hidden"):
        load_problem(_task())


@pytest.mark.usefixtures("made_up")
def test_domains_of_other_widths_are_an_error(monkeypatch, rows):
    X, y = rows
    found = {"wide": (np.hstack([X, X]), y), "made up": rows}
    monkeypatch.setattr(problems, "load_domain", found.__getitem__)
    with pytest.raises(ValueError, match="features in wide and made up, got 8 and 4"):
        load_problem(_task(group="unsupervised", regime="0", source="wide"))


def test_pooled_domains_and_halves_are_made_of_digits():
    X, y = domains.load_domain("digits8")
    pooled, y_pooled = domains.load_domain("digits8+digits8")
    views, y_views = domains.load_objects("halves_digits8")

    assert_array_equal(pooled, np.vstack([X, X]))
    assert_array_equal(y_pooled, [*y, *y])
    assert_array_equal(np.hstack(list(views.values())), X)
    assert_array_equal(y_views, y)


def test_an_unknown_domain_is_an_error():
    with pytest.raises(ValueError, match="got 'nothing'"):
        domains.load_domain("nothing")


def test_retrieval_is_of_standardized_views_and_new_categories():
    problem = load_problem(Task("retrieval", "d", "digits", ("x",), "halves_digits8"))

    assert isinstance(problem, Objects)
    known, new, test, _ = problem.split
    assert not {*problem.y[known]} & {*problem.y[new]}
    assert {*problem.y[test]} == {*problem.y[new]}
    assert abs(problem.views["first"].mean()) < 1e-9
