"""Tests of `skda.datasets.load_pairs` and `load_paired_files`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.io import savemat

from skda.datasets import load_paired_files, load_pairs
from skda.datasets._pairs import is_paired_task


@pytest.fixture
def data_home(tmp_path):
    """A folder of files like the real ones, whose rows tell where they come from."""
    y = np.repeat([0, 1], 3)
    rows = np.arange(6.0)[:, None]

    def write(name, views, **others):
        arrays = {view: rows + 10 * k for k, view in enumerate(views)}
        np.savez(tmp_path / f"{name}.npz", y=y, **arrays, **others)

    views = ("image", "text", "image_deep", "text_deep")
    write("wikipedia", views, test=y == 0, classes=np.array(["art", "sport"]))
    write("bbcsport_2view", ("X_view0", "X_view1"))
    write("mfeat_digits", ("X_fou", "X_kar", "X_pix"))
    write("msrc_v1", ("X_gist512", "X_hog576"))
    write("reuters_multilingual_1200", ("X_view0", "X_view1", "X_view2"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("wikipedia", {"image": 0, "text": 10}),
        ("wikipedia_deep", {"image_deep": 20, "text_deep": 30}),
        ("wikipedia:image_deep-text", {"image_deep": 20, "text": 10}),
        ("bbcsport", {"view0": 0, "view1": 10}),
        ("mfeat:fou-kar", {"fou": 0, "kar": 10}),
        ("mfeat:pix-fou-kar", {"pix": 20, "fou": 0, "kar": 10}),
        ("msrc:gist-hog", {"gist": 0, "hog": 10}),
        ("reuters:2-0", {"view2": 20, "view0": 0}),
    ],
)
def test_views_have_their_names_and_their_order(data_home, name, offsets):
    task = load_pairs(name, data_home=data_home)

    assert is_paired_task(name)
    assert list(task.views) == list(offsets)
    for view, offset in offsets.items():
        assert_array_equal(task.views[view].ravel() - offset, np.arange(6))
    assert_array_equal(task.y, [0, 0, 0, 1, 1, 1])


def test_test_rows_and_names_of_categories_come_along(data_home):
    wikipedia = load_pairs("wikipedia", data_home=data_home)
    digits = load_pairs("mfeat:fou-kar", data_home=data_home)

    assert_array_equal(wikipedia.test, [True] * 3 + [False] * 3)
    assert wikipedia.classes == ("art", "sport")
    assert digits.test is None
    assert digits.classes is None


def test_tasks_of_two_domains_are_no_paired_tasks():
    names = ["digits", "mfeat", "reuters", "mfeat_fou:mfeat_pix", "amazon_surf:x"]

    assert not any(is_paired_task(name) for name in names)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("moons", "Expected wikipedia, wikipedia_deep, bbcsport, .* got 'moons'"),
        ("mfeat:fou", "two or more of its views, .* got 'mfeat:fou'"),
        ("msrc", "such as mfeat:fou-kar, msrc:gist-hog .* got 'msrc'"),
        ("mfeat:fou-fox", "views of mfeat among fou, kar, pix, got 'mfeat:fou-fox'"),
        ("reuters:0-0", "different views of reuters among 0, 1, 2, got"),
    ],
)
def test_tasks_that_are_none_are_errors(data_home, name, message):
    with pytest.raises(ValueError, match=message):
        load_pairs(name, data_home=data_home)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="wikipedia"):
        load_pairs("wikipedia", data_home=tmp_path)


# Files of the user's own

IMAGE, TEXT = np.arange(12.0).reshape(4, 3), np.arange(8.0).reshape(4, 2)
KINDS = np.array(["ant", "bee", "ant", "cat"], dtype=object)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with the same views in all formats, where we are."""
    monkeypatch.chdir(tmp_path)
    image = pd.DataFrame(IMAGE).add_prefix("i")
    text = pd.DataFrame(TEXT).add_prefix("t")
    image.to_csv("image.csv", index=False)
    image.assign(kind=KINDS).to_csv("labeled.csv", index=False)
    text.to_parquet("text.parquet")
    pd.DataFrame({"kind": KINDS, "note": list("abcd")}).to_parquet("kinds.parquet")
    pd.DataFrame({"kind": KINDS}).to_csv("kinds.csv", index=False)
    pd.DataFrame({"kind": [None] * 4}).to_csv("nothing.csv", index=False)
    np.savez("image.npz", X=IMAGE, y=[0, 1, 0, 2], other=[3, 3, 4, 4])
    np.save("image.npy", IMAGE)
    np.save("text.npy", TEXT)
    np.save("codes.npy", [[0], [1], [0], [2]])
    np.save("short.npy", TEXT[:3])
    np.save("flat.npy", [0, 1, 2])
    savemat("text.mat", {"features": TEXT, "labels": [[1], [2], [1], [3]]})


@pytest.mark.parametrize(
    "files", [("image.csv", "text.parquet"), ("image.npz", "text.npy")]
)
@pytest.mark.parametrize(
    ("labels", "label", "y"),
    [
        ("labeled.csv", "kind", KINDS),
        ("kinds.csv", None, KINDS),
        ("kinds.parquet", "kind", KINDS),
        ("codes.npy", None, [0, 1, 0, 2]),
        ("image.npz", None, [0, 1, 0, 2]),
        ("image.npz", "other", [3, 3, 4, 4]),
        ("text.mat", None, [1, 2, 1, 3]),
    ],
)
@pytest.mark.usefixtures("own")
def test_formats_may_be_mixed(files, labels, label, y):
    task = load_paired_files({"image": files[0], "text": files[1]}, labels, label)

    assert_array_equal(task.views["image"], IMAGE)
    assert_array_equal(task.views["text"], TEXT)
    assert_array_equal(task.y, y)


@pytest.mark.usefixtures("own")
def test_labels_in_a_view_are_no_feature():
    views = {"image": "labeled.csv", "text": "text.mat"}
    task = load_paired_files(views, "labeled.csv", "kind")

    assert_array_equal(task.views["image"], IMAGE)
    assert_array_equal(task.views["text"], TEXT)


@pytest.mark.parametrize(
    ("files", "labels", "message"),
    [
        (("image.csv",), "kinds.csv", "files of two views or more, got"),
        (("image.xls", "text.npy"), "kinds.csv", r"of type \.csv, .* got 'image.xls'"),
        (("image.npy", "text.npy"), "kinds.parquet", "Expected one column in kinds"),
        (("image.npy", "short.npy"), "kinds.csv", "as many rows in each, got"),
        (("short.npy", "short.npy"), "kinds.csv", "each of the 3 rows .* got 4 in"),
        (
            ("flat.npy", "text.npy"),
            "kinds.csv",
            r"a matrix of shape .* in flat.npy, got shape \(3,\)",
        ),
        (("image.npy", "text.npy"), "text.npy", r"of shape \(n_samples,\) in text"),
        (("image.npy", "text.npy"), "nothing.csv", "Expected labels in nothing.csv"),
    ],
)
@pytest.mark.usefixtures("own")
def test_files_that_do_not_fit_are_errors(files, labels, message):
    with pytest.raises(ValueError, match=message):
        load_paired_files({f"v{k}": f for k, f in enumerate(files)}, labels)


@pytest.mark.usefixtures("own")
def test_names_that_are_not_there_are_errors():
    views = {"image": "image.npy", "text": "text.npy"}
    with pytest.raises(ValueError, match=r"a column 'sort' in kinds.csv, got 1"):
        load_paired_files(views, "kinds.csv", "sort")
    with pytest.raises(ValueError, match=r"the array 'sort' in image.npz, got"):
        load_paired_files(views, "image.npz", "sort")
    with pytest.raises(FileNotFoundError, match=r"the file none.csv, got none: check"):
        load_paired_files(views, "none.csv")
    Path("text.npz").write_text("nothing")
    with pytest.raises(ValueError, match=r"Expected an archive of arrays in text.npz"):
        load_paired_files(views | {"text": "text.npz"}, "kinds.csv")


def test_labels_that_mark_nothing_are_an_error_that_names_the_file(tmp_path):
    for name in ("image", "text"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (tmp_path / "kinds.csv").write_text("kind\nlawn\nbed\n-1\n")
    views = {name: tmp_path / f"{name}.csv" for name in ("image", "text")}

    with pytest.raises(ValueError, match=r"got '-1' in y: .*'kind' of .*kinds\.csv"):
        load_paired_files(views, tmp_path / "kinds.csv", "kind")
