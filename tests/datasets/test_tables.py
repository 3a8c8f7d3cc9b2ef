"""Tests of `skda.datasets.load_table`: files of the user's own."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.io import savemat

from skda.datasets import load_table
from skda.datasets._tables import load_paired_rows
from skda.utils.labels import check_labels

FRAME = pd.DataFrame(
    {
        "width": [3.0, 1.0, 2.0, 4.0],
        "kind": ["cat", None, "dog", "cat"],
        "legs": [4, 3, 4, 4],
        "tame": [True, False, True, True],
    }
)


@pytest.fixture(params=["csv", "parquet"])
def write(request, tmp_path):
    """Write a frame in each format; gives the file."""

    def write(frame):
        file = tmp_path / f"pets.{request.param}"
        if request.param == "csv":
            frame.to_csv(file, index=False)
        else:
            frame.to_parquet(file)
        return file

    return write


def _save(file, **arrays):
    np.savez(file, **arrays)
    return file


# Tables


def test_all_columns_but_the_labels_are_features_in_order(write):
    file = write(FRAME)
    table = load_table(file, label="kind")

    assert table.feature_names == ["width", "legs", "tame"]
    assert_array_equal(table.data, [[3, 4, 1], [1, 3, 0], [2, 4, 1], [4, 4, 1]])
    assert table.data.dtype == np.float64
    assert table.filename == str(file)


def test_gaps_are_unlabeled_rows(write):
    labels = check_labels(load_table(write(FRAME), label="kind").target, range(4))

    assert_array_equal(labels.known, [True, False, True, True])
    assert_array_equal(labels.values, ["cat", "dog", "cat"])


@pytest.mark.parametrize("dtype", ["float64", "Int64"])
def test_numbers_with_gaps_are_whole_classes(write, dtype):
    frame = FRAME.assign(kind=pd.Series([2, None, 0, 1], dtype=dtype))
    labels = check_labels(load_table(write(frame), "kind").target, range(4))

    assert_array_equal(labels.values, [2, 0, 1])
    assert labels.values.dtype.kind == "i"


def test_numbers_without_gaps_stay_numbers(write):
    target = load_table(write(FRAME.assign(kind=[2, 0, 0, -1])), "kind").target

    assert target.dtype.kind == "i"
    assert_array_equal(target, [2, 0, 0, -1])


def test_without_a_label_every_column_is_a_feature(write):
    table = load_table(write(FRAME.drop(columns="kind")))

    assert table.target is None
    assert table.feature_names == ["width", "legs", "tame"]


def test_the_suffix_may_be_in_capitals_and_the_home_short(tmp_path, monkeypatch):
    FRAME.to_csv(tmp_path / "PETS.CSV", index=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert load_table("~/PETS.CSV", "kind").data.shape == (4, 3)


@pytest.mark.parametrize(
    ("change", "label", "message"),
    [
        (
            {},
            "sort",
            r"column 'sort' in .*pets.*got 'width', 'kind', 'legs', 'tame': n",
        ),
        ({"size": list("SMLS")}, "kind", "others in 'size': encode or leave out"),
        ({}, None, "others in 'kind': encode or leave out"),
        ({"legs": [4, None, 4, 4]}, "kind", "got gaps in 'legs': fill them"),
        ({"kind": [None] * 4}, "kind", "labels in 'kind' of .*, got none: label some"),
        ({"kind": [-1] * 4}, "kind", "labels in 'kind' of .*, got none: label some"),
        ({"kind": ["cat", "dog", "-1", "-1"]}, "kind", r"'-1' in y: .*\(.*'kind' of "),
        (
            {"kind": ["cat", "dog", " ", "cat"]},
            "kind",
            r"' ' in y: .*\(.*'kind' of .*pets",
        ),
    ],
)
def test_what_is_no_table_of_features_is_an_error(write, change, label, message):
    with pytest.raises(ValueError, match=message):
        load_table(write(FRAME.assign(**change)), label)


def test_a_long_list_of_names_is_cut(write):
    frame = pd.DataFrame(np.ones((2, 12))).add_prefix("x")
    with pytest.raises(ValueError, match=r"'x3', \.\.\., 'x8', .*'x11': name the"):
        load_table(write(frame), "kind")


def test_labels_alone_are_an_error(write):
    with pytest.raises(ValueError, match=r"features in .*, got none: it needs"):
        load_table(write(FRAME[["kind"]]), "kind")


@pytest.mark.parametrize("text", ["", "width,legs\n"])
def test_a_table_without_rows_is_an_error(tmp_path, text):
    file = tmp_path / "empty.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"Expected rows in .*empty\.csv, got none"):
        load_table(file, None)


def test_saved_row_numbers_are_no_feature(tmp_path):
    FRAME.to_csv(tmp_path / "pets.csv")
    with pytest.raises(ValueError, match=r"got 'Unnamed: 0': .*to_csv\(index=False\)"):
        load_table(tmp_path / "pets.csv", "kind")


# Archives


@pytest.mark.parametrize(("name", "label"), [("y", None), ("y", "y"), ("kind", "kind")])
def test_archives_come_as_they_are(tmp_path, name, label):
    X = np.eye(3, 2, dtype=np.float32)
    file = _save(tmp_path / "pets.npz", X=X, **{name: [1, -1, 0]}, classes=["a", "b"])
    table = load_table(file, label)

    assert_array_equal(table.data, X)
    assert table.data.dtype == np.float32
    assert_array_equal(table.target, [1, -1, 0])
    assert table.feature_names == ["x0", "x1"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": [0, 1]}, "arrays 'X' and 'y' in .*, got 'y': it lacks 'X'"),
        ({"X": np.eye(2), "t": [0, 1]}, "got 'X', 't': it lacks 'y'"),
        (
            {"X": np.ones(2), "y": [0, 1]},
            r"'X' in .*, got one of shape \(2,\) and type",
        ),
        ({"X": [["a"], ["b"]], "y": [0, 1]}, r"of shape \(2, 1\) and type <U1"),
        ({"X": np.eye(2), "y": [0]}, "inconsistent numbers of samples"),
        ({"X": [[np.nan, 0]], "y": [0]}, "got gaps in 'x0': fill them"),
        ({"X": np.eye(2), "y": [-1, -1]}, "labels in 'y' of .*, got none: label"),
    ],
)
def test_what_is_no_archive_of_samples_is_an_error(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        load_table(_save(tmp_path / "pets.npz", **arrays))


def test_an_archive_is_checked_to_be_one(tmp_path):
    (tmp_path / "pets.npz").write_text("width,kind")
    with pytest.raises(ValueError, match=r"archive of arrays .*with numpy\.savez"):
        load_table(tmp_path / "pets.npz")


def test_published_files_have_a_place_for_the_labels(tmp_path):
    savemat(tmp_path / "toy.mat", {"features": np.eye(3), "labels": [[1], [2], [1]]})
    table = load_table(tmp_path / "toy.mat", label="kind")

    assert_array_equal(table.target, [1, 2, 1])
    assert table.feature_names == ["x0", "x1", "x2"]


# Files


@pytest.mark.parametrize("name", ["pets.csv", "pets.parquet", "pets.npz", "pets.mat"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"{name}, got none: check its name"):
        load_table(tmp_path / name)


@pytest.mark.parametrize("name", ["pets.xlsx", "pets"])
def test_an_unknown_format_is_told_the_known_ones(name):
    with pytest.raises(
        ValueError, match=rf"\.csv, \.parquet, \.npz, \.mat, got '{name}"
    ):
        load_table(name)


@pytest.mark.parametrize(
    ("name", "package"),
    [("pets.csv", "pandas"), ("pets.parquet", "pandas"), ("pets.parquet", "pyarrow")],
)
def test_what_reads_a_format_is_asked_for(tmp_path, monkeypatch, name, package):
    (tmp_path / name).touch()
    monkeypatch.setitem(sys.modules, package, None)
    suffix = name.removeprefix("pets")
    expected = rf"reads \{suffix} files with {package}, .* install 'skda\[compare\]'"
    with pytest.raises(ModuleNotFoundError, match=expected):
        load_table(tmp_path / name)


# Files of pairs


def test_a_side_of_the_pairs_has_the_columns_of_its_domain(write, tmp_path):
    domain = load_table(write(FRAME), label="kind")
    file = write(FRAME[["tame", "width", "legs"]][:2])
    archive = _save(tmp_path / "p.npz", X=domain.data[2:])
    savemat(tmp_path / "p.mat", {"features": domain.data[:2], "labels": [[1], [2]]})
    sides = load_paired_rows([file, tmp_path / "p.mat"], [domain] * 2)
    others = load_paired_rows([archive, file], [domain] * 2)

    for side in (*sides, others[1]):
        assert_array_equal(side, domain.data[:2])
    assert_array_equal(others[0], domain.data[2:])


def test_labels_of_pairs_are_left_out(write):
    domain = load_table(write(FRAME), label="kind")
    file = write(FRAME)
    for side in load_paired_rows([file, file], [domain] * 2, ["kind", "kind"]):
        assert_array_equal(side, domain.data)
    with pytest.raises(ValueError, match=r"lacks none, and has 'kind' beside"):
        load_paired_rows([file, file], [domain] * 2, ["kind", "class"])


def test_named_columns_follow_the_order_of_nameless_ones(write, tmp_path):
    X = FRAME.drop(columns="kind").to_numpy(float)
    domain = load_table(_save(tmp_path / "d.npz", X=X, y=[0, 1, 0, 1]))
    file = write(FRAME.drop(columns="kind"))

    for side in load_paired_rows([file, file], [domain] * 2):
        assert_array_equal(side, X)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="legs"), "lacks 'legs', and has none beside: write"),
        (lambda f: f.assign(tail=1), "lacks none, and has 'tail' beside: write"),
        (lambda f: f.assign(legs=["a"] * 4), "numbers in .*, got others in 'legs'"),
        (lambda f: f.assign(legs=[1, None, 2, 3]), "got gaps in 'legs': fill them"),
    ],
)
def test_other_columns_in_pairs_are_errors(write, change, message):
    domain = load_table(write(FRAME), label="kind")
    file = write(change(FRAME.drop(columns="kind")))
    with pytest.raises(ValueError, match=message):
        load_paired_rows([file, file], [domain] * 2)


def test_pairs_are_as_many_on_both_sides(write, tmp_path):
    domain = load_table(write(FRAME), label="kind")
    files = [_save(tmp_path / f"{n}.npz", X=domain.data[:n]) for n in (3, 2)]
    with pytest.raises(ValueError, match=r"got 3 in .*3.npz and 2 in .*2.npz: row i"):
        load_paired_rows(files, [domain] * 2)


def test_nameless_pairs_are_counted(write, tmp_path):
    domain = load_table(write(FRAME), label="kind")
    file = _save(tmp_path / "p.npz", X=np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"the 3 features of .*pets.* in .*p.npz, got"):
        load_paired_rows([file, file], [domain] * 2)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("p.xls", ValueError, r"a file of type \.csv, .*: save"),
        ("p.csv", FileNotFoundError, "the file .*p.csv, got none: check"),
    ],
)
def test_files_of_pairs_that_are_none_are_errors(write, tmp_path, name, error, message):
    domain = load_table(write(FRAME), label="kind")
    with pytest.raises(error, match=message):
        load_paired_rows([tmp_path / name] * 2, [domain] * 2)
