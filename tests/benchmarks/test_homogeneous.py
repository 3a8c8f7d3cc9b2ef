"""Tests of what the tables of unsupervised and of partial adaptation are made by."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks import unsupervised_report
from benchmarks._homogeneous import Group, file_of, join, load_domains, measure
from benchmarks._tables import Table
from skda.datasets import load_task
from skda.unsupervised import DANN, SourceOnly

TASK = "pacs_photo:pacs_sketch"


@pytest.fixture
def drawings(tmp_path, monkeypatch):
    """Files of two domains, in half precision, where SKDA_DATA points."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [40, 50, 60])
    X = (4 * rng.normal(size=(3, 6))[y] + rng.normal(size=(150, 6))).astype("f2")
    for name in ("photo", "sketch"):
        np.savez(tmp_path / f"pacs_{name}_squeezenet.npz", X=X, y=y)
    monkeypatch.setenv("SKDA_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("domain", "file"),
    [
        ("amazon_surf", "office_caltech_amazon_surf"),
        ("digits_mnist256", "digits_mnist256"),
        ("coil20_coil1", "coil20_coil1"),
        ("reviews_books", "amazon_review400_books"),
        ("pacs_art_painting", "pacs_art_painting_squeezenet"),
    ],
)
def test_a_domain_has_the_file_that_its_name_says(domain, file):
    assert file_of(domain) == file


def test_domains_are_those_of_the_task_of_the_same_name(drawings):
    group = Group([TASK], {}, long_tail=5)
    task = load_task(TASK, long_tail=5)

    source, target = load_domains(group, [file_of(end) for end in TASK.split(":")])

    assert source[0].dtype == target[0].dtype == np.float32
    for found, expected in zip(
        (*source, *target), (*task.source, task.X, task.y), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_skewed_target_has_an_accuracy_for_each_class(drawings):
    methods = {"LR": SourceOnly(LogisticRegression())}

    cut = measure(Group([TASK], methods, long_tail=5), TASK, "LR", [0], "cpu")
    whole = measure(Group([TASK], methods), TASK, "LR", [0], "cpu")

    assert np.shape(cut["class_accuracies"]) == (1, 3)
    assert "class_accuracies" not in whole


def test_shares_are_shown_by_accuracy_and_by_its_mean_over_classes():
    found = {
        ("reviews_tail", TASK, "A"): {
            "values": [0.9],
            "class_accuracies": [[1.0, 0.5]],
        },
        ("pacs", TASK, "A"): {"values": [0.5]},
        ("pacs", TASK, "B"): {"values": [0.4]},
    }

    rows = unsupervised_report.tails_table(found).rows

    # B was not measured on a long tail.
    assert rows == [["A", "", "90.0", "75.0", "50.0", "", ""]]


def test_what_trains_a_pretrained_network_stands_below_what_takes_it_as_it_is():
    task = "amazon_images64:webcam_images64"
    found = {
        ("fine_tuned", task, "MCC"): {"values": [0.9]},
        ("pretrained", task, "MCC"): {"values": [0.8]},
    }

    table = unsupervised_report.pretrained_table(found)

    assert table.header == ["Method", "A → W", "mean"]
    assert table.rows == [["MCC", "80.0", "80.0"], ["MCC, fine-tuned", "90.0", "90.0"]]


def test_a_table_that_has_no_rows_is_left_out():
    assert Table(["Method"], []).rst() == ""


def test_methods_that_have_all_tasks_are_ranked():
    def run(*values):
        return {"values": list(values)}

    tasks = TASK, ":".join(reversed(TASK.split(":")))
    scores = {"A": (0.9, 0.5), "B": (0.8, 0.7), "C": (0.9, 0.7), "D": (0.1,)}
    found = {
        ("pacs", task, method): run(value - 0.1, value + 0.1)
        for method, values in scores.items()
        for task, value in zip(tasks, values, strict=False)
    }
    table = unsupervised_report.ranked_table(found, "pacs")

    assert table.header[-2:] == ["mean", "mean rank"]
    assert {row[0]: row[-1] for row in table.rows} == {
        "A": "2.2",  # 1.5 and 3
        "B": "2.2",  # 3 and 1.5
        "C": "1.5",
        "D": "",
    }


def test_later_seeds_are_put_behind_earlier_ones(drawings):
    group = Group([TASK], {"network": DANN(max_epochs=1)})
    together = measure(group, TASK, "network", [0, 1, 2], "cpu")
    first = measure(group, TASK, "network", [0, 1], "cpu")
    before = json.loads(json.dumps(first | {"commit": "abc"}, default=repr))
    joined = join(before, measure(group, TASK, "network", [2], "cpu"))

    assert joined["seeds"] == [0, 1, 2]
    assert joined["values"] == together["values"]
    assert joined["commit_of_earlier_seeds"] == "abc"


def test_seeds_of_other_parameters_are_not_joined(drawings):
    group = Group([TASK], {"network": DANN(max_epochs=1)})
    before = measure(group, TASK, "network", [0], "cpu") | {"commit": "abc"}
    before["params"] = before["params"] | {"max_epochs": 2}

    with pytest.raises(ValueError, match="params of network"):
        join(before, measure(group, TASK, "network", [1], "cpu"))
