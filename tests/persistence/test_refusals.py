"""What is no file of skda.save, or not as it was written, is refused by name."""

import base64
import functools
import hashlib
import json
import pickle
import stat
import sys
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops import io as skops

import skda
from skda.baselines import SeededKMeans, TargetNet, TargetOnly
from skda.heterogeneous import GeoST
from skda.persistence._archive import write_archive
from skda.training import DomainNet
from skda.training.plain_state import PickledState


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet."""
    return tmp_path / "model.skda"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a saved estimator with arrays and an object of scikit-learn."""
    X = np.random.default_rng(0).normal(size=(12, 3))
    fitted = TargetOnly(LogisticRegression()).fit(X, np.arange(12) % 2)
    file = tmp_path_factory.mktemp("saved") / "model.skda"
    skda.save(fitted, file)
    return file.read_bytes()


def _parts(content):
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _rewritten(content, path, change):
    """Change the manifest of a file by somebody who can compute its checksum."""
    parts = _parts(content)
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    write_archive(path, parts | {"manifest.json": json.dumps(manifest).encode()})
    return path


@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_flipped_bits_never_load(content, tmp_path_factory, data):
    place = data.draw(st.integers(0, len(content) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = bytearray(content)
    changed[place] ^= mask
    file = tmp_path_factory.getbasetemp() / "flipped.skda"
    file.write_bytes(changed)

    with pytest.raises(ValueError, match="checksum does not match"):
        skda.load(file)


@settings(max_examples=50, deadline=None, database=None)
@given(data=st.data())
def test_truncated_and_extended_files_never_load(content, tmp_path_factory, data):
    n_bytes = data.draw(st.integers(0, len(content) - 1))
    more = data.draw(st.binary(min_size=1, max_size=3))
    file = tmp_path_factory.getbasetemp() / "cut.skda"

    for changed in (content[:n_bytes], content + more, more + content):
        file.write_bytes(changed)
        with pytest.raises(ValueError, match="whole and unedited"):
            skda.load(file)


KINDS = [
    *("array", "attributes", "bytes", "device", "dict", "dtype", "fields", "float"),
    *("foreign", "mapping", "name", "named tuple", "object", "objects", "order"),
    *("parameters", "same", "scalar", "shape", "slice", "state", "torch", "tuple"),
]
VALUES = ["skda.baselines._target_net.TargetNet", "<f8", "cpu", "C"]
ATOMS = [st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(VALUES)]
JSON = st.recursive(
    st.one_of(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KINDS), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, database=None)
@given(tree=JSON, key=st.sampled_from(["content", "classes", "format_version"]))
def test_forged_manifests_load_data_or_are_refused(
    content, tmp_path_factory, tree, key
):
    file = tmp_path_factory.getbasetemp() / "forged.skda"
    _rewritten(content, file, lambda manifest: manifest.update({key: tree}))

    try:
        skda.load(file)
    except ValueError as error:
        assert str(file) in str(error)  # noqa: PT017 (whether there is one is open)


def test_every_node_of_a_tree_may_be_replaced(content, path):
    """Put something else in every place, also where a class or an array stands."""

    def places(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key
            if isinstance(node[key], (dict, list)):
                yield from places(node[key])

    n_places = len(
        list(places(json.loads(_parts(content)["manifest.json"])["content"]))
    )
    for i in range(n_places):

        def change(manifest, i=i):
            node, key = list(places(manifest["content"]))[i]
            node[key] = 7 if key in ("attributes", "parameters") else {"float": []}

        _rewritten(content, path, change)
        with pytest.raises(ValueError, match="does not fit together"):
            skda.load(path)


def test_files_of_a_newer_format_are_refused(content, path):
    _rewritten(content, path, lambda manifest: manifest.update(format_version=2))

    with pytest.raises(ValueError, match=r"of version 2 of the format.*update skda"):
        skda.load(path)


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "subprocess.Popen"])
def test_names_in_a_file_are_not_imported(name, content, path):
    tree = {"object": name, "attributes": {}}

    _rewritten(content, path, lambda manifest: manifest.update(content=tree))
    with pytest.raises(ValueError, match="does not fit together"):
        skda.load(path)

    changes = {"content": {"name": name}, "classes": [name]}
    _rewritten(content, path, lambda manifest: manifest.update(changes))
    with pytest.raises(ValueError, match=f"got {name}: if you know them"):
        skda.load(path)


def test_constructors_of_other_classes_are_not_called(content, path):
    tree = {"object": "torch.nn.modules.linear.Linear"}
    tree |= {"parameters": {"in_features": 2, "out_features": 3}, "attributes": {}}
    _rewritten(content, path, lambda manifest: manifest.update(content=tree))

    with pytest.raises(ValueError, match="is no estimator"):
        skda.load(path)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("code of the file has been run",)


def test_no_pickle_is_hidden_in_the_state_of_a_net(content, path):
    pickled = base64.b64encode(pickle.dumps({"module_": Bomb()})).decode()
    entries = {"__cuda_dependent_attributes__": {"bytes": pickled}}
    entries |= {"device": "cpu", "torch_load_kwargs": None}
    net = {"object": "skda.training.net.DomainNet", "state": entries}
    state = {"mapping": "skda.training.plain_state.PickledState", "entries": entries}

    for tree in (net, state):
        _rewritten(content, path, lambda manifest, t=tree: manifest.update(content=t))
        with pytest.raises(ValueError, match="does not fit together"):
            skda.load(path)


def test_no_pickle_is_hidden_in_objects_of_skops(content, path, monkeypatch):
    pickled = pickle.dumps({"module_": Bomb()})
    state = PickledState(__cuda_dependent_attributes__=pickled, device="cpu")
    for hidden in (dict(state), state):
        monkeypatch.setattr(DomainNet, "__getstate__", lambda _, s=hidden: s)
        part = skops.dumps([object.__new__(DomainNet)])
        write_archive(path, _parts(content) | {"sklearn.skops": part})

        with pytest.raises(ValueError, match=r"modules|PickledState"):
            skda.load(path)


class Evil:
    """A class that nobody trusts."""


def test_objects_of_skops_are_refused_unless_trusted(content, path):
    parts = _parts(content) | {"sklearn.skops": skops.dumps([Evil()])}
    write_archive(path, parts)

    with pytest.raises(ValueError, match=r"got tests\.persistence.*Evil"):
        skda.load(path)


def _signed(stream, path):
    """Give an archive, whose comment is 64 digits, the checksum of its content."""
    content = stream.getvalue()[:-64]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())
    return path


def _archive(parts, path, **kwargs):
    stream = BytesIO()
    with ZipFile(stream, "w", **kwargs) as archive:
        for name, part in parts:
            archive.writestr(name, part)
        archive.comment = b"0" * 64
    return _signed(stream, path)


TRICKS = ["../manifest.json", "/manifest.json", "a/../../b", "C:/x", "..\\x", "x//y"]


@pytest.mark.parametrize("name", TRICKS)
def test_names_that_lead_elsewhere_are_refused(name, content, path):
    parts = [*_parts(content).items(), (name, b"")]

    with pytest.raises(ValueError, match="leads elsewhere"):
        skda.load(_archive(parts, path))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicates_links_and_compressed_parts_are_refused(content, path):
    parts = list(_parts(content).items())
    link = ZipInfo("manifest.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(ValueError, match="a name is there twice"):
        skda.load(_archive([*parts, parts[0]], path))
    with pytest.raises(ValueError, match="is a link"):
        skda.load(_archive([(link, b"/etc/passwd"), *parts[1:]], path))
    with pytest.raises(ValueError, match="is compressed or encrypted"):
        skda.load(_archive(parts, path, compression=ZIP_DEFLATED))
    with pytest.raises(ValueError, match=r"its parts are .*more\.txt"):
        skda.load(_archive([*parts, ("more.txt", b"")], path))
    with pytest.raises(ValueError, match="its parts are manifest"):
        skda.load(_archive(parts[:1], path))


def test_parts_that_declare_more_than_there_is_are_refused(content, path):
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, part in _parts(content).items():
            archive.writestr(name, part)
        for member in archive.infolist():
            member.file_size = member.compress_size = 2**31
        archive.comment = b"0" * 64

    with pytest.raises(ValueError, match="archive of another kind"):
        skda.load(_signed(stream, path))


def test_archives_of_skops_must_not_be_compressed(content, path):
    bomb = skops.dumps([StandardScaler()], compression=ZIP_DEFLATED)
    write_archive(path, _parts(content) | {"sklearn.skops": bomb})

    with pytest.raises(ValueError, match="is compressed"):
        skda.load(path)


@pytest.mark.parametrize("other", [b"", b"PK", b"no archive", b"0" * 1000])
def test_other_files_are_refused(other, path):
    path.write_bytes(other)

    with pytest.raises(ValueError, match=r"Expected a file of skda\.save"):
        skda.load(path)


def test_a_missing_file_is_an_error_of_the_system(path):
    with pytest.raises(FileNotFoundError):
        skda.load(path)


def test_trusted_lists_classes_themselves(path):
    with pytest.raises(TypeError, match=r"import.* by you, such as trusted="):
        skda.load(path, trusted=["tests.MyMethod"])
    with pytest.raises(TypeError, match="to be a list of classes"):
        skda.load(path, trusted=TargetNet)


def _layer():
    return torch.nn.Linear(2, 2)


class Slotted:
    """Has no dict."""

    __slots__ = ("x",)


CODE = {
    "a lambda": lambda: None,
    "a partial": functools.partial(_layer),
    "a bound method": SeededKMeans().fit,
    "slots": Slotted(),
    "an iterator": iter([1]),
    "a module of Python": np,
}


@pytest.mark.parametrize("kind", CODE)
def test_code_is_not_saved(kind, path):
    with pytest.raises(TypeError, match=r"are data, got .* at TargetNet\.random_state"):
        skda.save(TargetNet(random_state=CODE[kind]), path)

    assert not path.exists()


def test_code_inside_objects_of_sklearn_is_not_saved(path):
    steps = make_pipeline(FunctionTransformer(lambda X: X))

    with pytest.raises(TypeError, match="lambda"):
        skda.save(GeoST(target_transformer=steps), path)


def test_cycles_and_deep_nesting_are_not_saved(path):
    cycle = []
    cycle.append(cycle)
    deep = []
    for _ in range(5000):
        deep = [deep]

    with pytest.raises(TypeError, match="a list inside itself"):
        skda.save(TargetNet(random_state=cycle), path)
    with pytest.raises(TypeError, match="not nested so deeply"):
        skda.save(TargetNet(random_state=deep), path)


def test_structured_arrays_are_not_saved(path):
    with pytest.raises(TypeError, match="arrays of plain values"):
        skda.save(TargetNet(random_state=np.zeros(2, dtype="i4,f8")), path)


@pytest.mark.parametrize("package", ["safetensors", "skops"])
def test_packages_of_the_extra_are_asked_for(package, content, path, monkeypatch):
    path.write_bytes(content)
    for name in [n for n in sys.modules if f"{n}.".startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'skda\[save\]'"):
        skda.load(path)
