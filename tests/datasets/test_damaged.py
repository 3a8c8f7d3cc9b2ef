"""Files that are damaged: data or one line, and never a crash."""

import io
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from scipy import sparse
from scipy.io import savemat

from skda.cli import main
from skda.datasets import _mat as module_of_mat, load_mat, load_npz, load_table
from skda.datasets._readers import read_array

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3 + 1
N_DAMAGED = 60
#: What a damaged header may say of a size.
SIZES = [b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x40", b"\0\0\0\0"]


def _mat(**settings):
    file = io.BytesIO()
    savemat(file, {"features": X, "labels": Y[:, None]}, **settings)
    return file.getvalue()


def _sparse_mat(**settings):
    file = io.BytesIO()
    rows = sparse.csc_array(X * (X > 0))
    savemat(file, {"features": rows, "labels": Y[:, None]}, **settings)
    return file.getvalue()


def _npz(save):
    file = io.BytesIO()
    save(file, X=X, y=Y)
    return file.getvalue()


def _frame():
    return pd.DataFrame(X).add_prefix("x").assign(y=np.array(["a", "b", "c"])[Y - 1])


def _parquet(compression):
    file = io.BytesIO()
    _frame().to_parquet(file, compression=compression)
    return file.getvalue()


FILES = {
    "mat": [
        _mat(),
        _mat(do_compression=True),
        _mat(format="4"),
        _sparse_mat(),
        _sparse_mat(),
        _sparse_mat(do_compression=True),
    ],
    "npz": [_npz(np.savez), _npz(np.savez_compressed)],
    "csv": [_frame().to_csv(index=False).encode()],
    "parquet": [_parquet("snappy"), _parquet("zstd"), _parquet(None)],
}


def _damage(content, rng):
    """Flip bits, cut the file or write a size that no file has."""
    damaged = bytearray(content)
    kind = rng.integers(3)
    if kind == 0:
        for place in rng.integers(len(damaged), size=rng.integers(1, 6)):
            damaged[place] ^= 1 << rng.integers(8)
    elif kind == 1:
        del damaged[rng.integers(1, len(damaged)) :]
    else:
        place = 4 * rng.integers(min(len(damaged) - 4, 400) // 4)
        damaged[place : place + 4] = SIZES[rng.integers(len(SIZES))]
    return bytes(damaged)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", FILES)
def test_a_damaged_file_gives_data_or_one_line(tmp_path, suffix):
    rng = np.random.default_rng(0)
    contents = FILES[suffix]
    files = []
    # Every .mat file takes a process.
    for i in range(12 if suffix == "mat" else N_DAMAGED):
        files.append(tmp_path / f"{i}.{suffix}")
        files[-1].write_bytes(_damage(contents[i % len(contents)], rng))

    def outcome(file):
        try:
            table = load_table(file, "y")
        except ValueError as error:
            return str(error)
        return table

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, files))
    errors = [text for text in outcomes if isinstance(text, str)]

    assert len(errors) > len(files) / 5
    assert all("\n" not in text and len(text) < 500 for text in errors), errors
    for table in outcomes:
        assert isinstance(table, str) or table.data.ndim == 2


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Put a script in the place of the reader of .mat files."""

    def put(code):
        script = tmp_path / "reader.py"
        script.write_text(f"import os, signal, time\n{code}")
        monkeypatch.setattr(module_of_mat, "_READER", str(script))
        (tmp_path / "toy.mat").write_bytes(_mat())
        return tmp_path / "toy.mat"

    return put


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os.abort()", "its reader crashed, return code -6"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its reader crashed, return code -11"),
        ("raise MemoryError", "its reader crashed, return code 1"),
        ("time.sleep(60)", "it took more than 1 seconds"),
    ],
)
def test_a_reader_that_crashes_or_hangs_is_an_error(reader, monkeypatch, code, message):
    monkeypatch.setattr(module_of_mat, "SECONDS", 1)
    with pytest.raises(ValueError, match=rf"up to version 7 in .*toy\.mat.*{message}"):
        load_mat(reader(code))


def test_indices_out_of_range_are_an_error(tmp_path):
    content = bytearray(_sparse_mat())
    indices = sparse.csc_array(X * (X > 0)).indices.astype("<i4").tobytes()
    place = content.index(indices)
    content[place : place + 4] = b"\xff\xff\xff\x3f"
    (tmp_path / "toy.mat").write_bytes(content)

    with pytest.raises(ValueError, match=r"cannot be read .*indices must be <"):
        load_mat(tmp_path / "toy.mat")


def test_the_reader_may_take_some_memory_only(tmp_path, monkeypatch):
    features = np.zeros((2**12, 2**12))
    savemat(tmp_path / "toy.mat", {"features": features}, do_compression=True)
    monkeypatch.setattr(module_of_mat, "MEMORY", 2**28)
    monkeypatch.setattr(module_of_mat, "EXPANSION", 0)

    with pytest.raises(ValueError, match=r"be read .*(MemoryError|crashed)"):
        load_mat(tmp_path / "toy.mat")


@pytest.mark.parametrize("features", [[["a", "b"]], X + 1j, {"a": 1}, X[:, :, None]])
def test_variables_without_real_numbers_are_an_error(tmp_path, features):
    savemat(tmp_path / "toy.mat", {"features": features, "labels": Y[:, None]})
    with pytest.raises(ValueError, match="Expected matrices of real numbers"):
        load_mat(tmp_path / "toy.mat")


@pytest.mark.parametrize("label", [0.5, np.nan, np.inf, 1e300])
def test_classes_of_mat_files_are_whole_numbers(tmp_path, label):
    savemat(tmp_path / "toy.mat", {"features": X[:2], "labels": [[1.0], [label]]})
    with pytest.raises(ValueError, match=r"classes that are whole numbers in .*toy"):
        load_mat(tmp_path / "toy.mat")


def _archive_of(file, header):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", header)
        archive.writestr("y.npy", header)


def _header(shape):
    file = io.BytesIO()
    description = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, description)
    return file.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        _header((10**15, 4)),
        _header((10**5, 4)),
        b"\x93NUMPY\2\0" + np.uint32(200_000).tobytes() + b" " * 200_000,
        b"",
    ],
    ids=["huge", "large", "long", "none"],
)
def test_headers_that_promise_too_much_are_an_error(tmp_path, header):
    _archive_of(tmp_path / "toy.npz", header)
    (tmp_path / "toy.npy").write_bytes(header)

    for read in (
        lambda: load_table(tmp_path / "toy.npz"),
        lambda: load_npz("toy", data_home=tmp_path),
        lambda: read_array(tmp_path / "toy.npy"),
    ):
        with pytest.raises(ValueError, match=r"toy\.np., which is damaged") as error:
            read()
        assert "\n" not in str(error.value)


def test_archives_larger_than_the_memory_are_not_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "toy.npz", X=np.zeros((1000, 1000)))
    monkeypatch.setattr("os.sysconf", lambda name: 1000)

    with pytest.raises(ValueError, match="take 0 GiB, more than the memory of the m"):
        load_npz("toy", data_home=tmp_path)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", "..\\x", "C:x", "sub/x", "", "x\0"]
)
def test_an_archive_stays_in_its_folder(tmp_path, name):
    (tmp_path / "home" / "sub").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "home" / "sub"):
        np.savez(folder / "x.npz", X=X)
    with pytest.raises(ValueError, match="the name of a file in the folder data_home"):
        load_npz(name, data_home=tmp_path / "home")


@pytest.mark.parametrize("suffix", FILES)
def test_the_command_line_says_it_in_one_line(tmp_path, capsys, suffix):
    file = tmp_path / f"toy.{suffix}"
    file.write_bytes(b"\xff\xfe\0\x93nothing" * 50)
    with pytest.raises(SystemExit) as end:
        main(["compare", "--target", str(file), "--label", "y"])

    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.count("\n") == 1
    assert file.name in said


def test_columns_of_one_name_are_an_error(tmp_path):
    columns = pyarrow.table([[1.0, 2.0], [3.0, 4.0]], names=["x", "x"])
    pyarrow.parquet.write_table(columns, tmp_path / "toy.parquet")

    with pytest.raises(ValueError, match=r"toy\.parquet"):
        load_table(tmp_path / "toy.parquet")


def test_whole_numbers_are_checked_without_a_copy_in_floats(tmp_path):
    np.savez(tmp_path / "toy.npz", X=np.ones((1000, 2000), np.uint8), y=[0, 1] * 500)
    tracemalloc.start()
    table = load_table(tmp_path / "toy.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert table.data.dtype == np.uint8
    assert peak < 3 * table.data.nbytes


def test_gaps_of_sparse_features_are_named(tmp_path):
    rows = sparse.csc_array(np.where(np.arange(4) == 2, np.nan, X * (X > 0)))
    savemat(tmp_path / "toy.mat", {"features": rows, "labels": Y[:, None]})
    with pytest.raises(ValueError, match=r"got gaps in 'x2': fill them"):
        load_table(tmp_path / "toy.mat")
