"""Train every network on a device that computes nothing, and say how it went.

A script, because it gives the process a device that it cannot get rid of. There, a
tensor has a shape, a type and a device, but no values. Tensors of two devices cannot
meet, and neither values nor shapes that depend on values can be read, so what runs
here waits for no device in a step. Whatever hooks read around the epochs, as they may,
was recorded on the CPU before.

It prints one line of JSON for every estimator and way to train it.
"""

import json
import sys
import traceback
import warnings
from contextlib import contextmanager
from itertools import islice

import numpy as np
import skorch
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from skda.base import BaseHomogeneousClassifier, BasePairedClassifier, BaseRetriever
from skda.training import DomainNet, Domains, NetTraining
from tests.engine.networks import NETWORKS, SETTINGS, WAYS

DEVICE = "fakegpu"
#: Steps of a phase by epoch, as progress; half-way, everything has to be refreshed.
EPOCHS = [(0.0, 0.5), (0.75,)]


class Backend:
    """What PyTorch asks the module of a device for."""

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def is_initialized():
        return True

    @staticmethod
    def _is_in_bad_fork():
        return False

    @staticmethod
    def device_count():
        return 1

    @staticmethod
    def current_device():
        return 0

    @staticmethod
    def manual_seed_all(seed):
        pass

    @staticmethod
    def get_amp_supported_dtype():
        return [torch.bfloat16, torch.float16]


#: What autocast computes in the lower precision, and what never (as for CUDA).
LOW = ["linear", "matmul", "mm", "bmm", "baddbmm", "addmm", "mv", "conv2d", "prelu"]
FULL = [
    *["cdist", "cosine_similarity", "cross_entropy_loss", "cumsum", "exp", "expm1"],
    *["kl_div", "l1_loss", "layer_norm", "log", "log1p", "mse_loss", "nll_loss"],
    *["reciprocal", "rsqrt", "smooth_l1_loss", "softplus", "prod", "group_norm"],
    *["softmax.int", "log_softmax.int", "norm.Scalar", "norm.ScalarOpt_dim"],
    *["pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar", "sum"],
    *["sum.dim_IntList", "triplet_margin_loss", "binary_cross_entropy_with_logits"],
]


def teach_operators():
    """Give the device the operators of which PyTorch knows none for it.

    They are those of autocast, and the fused optimizer, which changes values alone.
    """
    key = "AutocastPrivateUse1"
    fallback = torch.library.Library("_", "IMPL", key)
    fallback.fallback(torch.library.fallthrough_kernel)
    autocast = torch.library.Library("aten", "IMPL", key)
    for names, dtype in ((LOW, torch.bfloat16), (FULL, torch.float32)):
        for name in names:
            autocast.impl(name, casting(name, dtype))
    meta = torch.library.Library("aten", "IMPL", "Meta")
    meta.impl("_fused_sgd_", lambda *args, **kwargs: None)
    return fallback, autocast, meta  # which are in force as long as they are there


def casting(name, dtype):
    """Cast the arguments of an operator first, as autocast does."""
    packet, _, overload = name.partition(".")
    operator = getattr(getattr(torch.ops.aten, packet), overload or "default")
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def cast(tensor):
        return tensor.to(dtype) if tensor.dtype in HALF_OR_FLOAT else tensor

    def run(*args, **kwargs):
        with torch._C._ExcludeDispatchKeyGuard(keys):
            args, kwargs = tree_map_only(torch.Tensor, cast, (args, kwargs))
            return operator(*args, **kwargs)

    return run


HALF_OR_FLOAT = torch.bfloat16, torch.float32


class Reads(TorchDispatchMode):
    """Keep what is read on one device, to answer the same questions on another.

    There, only a read between :meth:`allowed` is answered, any other is an error.
    """

    def __init__(self):
        super().__init__()
        self.values = []
        self.answers = None
        self.are_allowed = False

    @contextmanager
    def allowed(self):
        """Allow to read inside the block."""
        self.are_allowed = True
        yield
        self.are_allowed = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default and "device" in kwargs:
            # A number on its way there must not be copied for real, as constants are.
            args[0].constant = None
        if func is torch.ops.aten._local_scalar_dense.default and self.are_allowed:
            if self.answers is not None:
                return next(self.answers)
            self.values.append(func(*args))
            return self.values[-1]
        return func(*args, **kwargs)


class Ready(Exception):  # noqa: N818 (nothing is wrong)
    """Stops a fit where its training would start."""


def stop(self, module, phases, domains, randomness, **loading):
    """Hand over what would be trained, instead of training it."""
    n_steps = sum(map(len, EPOCHS))
    loader = self._loader(domains, **loading)
    batches = [batch for _ in range(n_steps) for batch in islice(loader, 1)]
    raise Ready(self, module, phases, domains, batches)


def train(training, device, reads):
    """Take the first steps of every phase on a device."""
    estimator, module, phases, domains, batches = training
    net = None
    for phase in phases:
        settings = estimator._settings(torch.device(device))
        if net is None:
            net = DomainNet(module, **phase._asdict(), **settings).initialize()
        else:
            net.set_params(**phase._asdict())
        with reads.allowed():
            net.notify("on_train_begin", X=domains, y=None)
        steps = iter(batches)
        for epoch in EPOCHS:
            with reads.allowed():
                net.notify("on_epoch_begin", dataset_train=domains, dataset_valid=None)
            net._set_training(True)
            for progress in epoch:
                step = net.train_step(next(steps), progress=progress)
                assert step["values"].device.type == device, step["values"].device
        tensors = [*net.module_.parameters(), *net.criterion_.parameters()]
        tensors += [*net.module_.buffers(), *net.criterion_.buffers()]
        assert {t.device.type for t in tensors} == {device}, "parts stay behind"


def check(name, source, precision):
    """Train one network on the CPU, then on the device that computes nothing."""
    estimator = NETWORKS[name]().set_params(**SETTINGS.get(name, {}))
    given = data(estimator, source=source)
    reads = Reads()
    for device in ("cpu", DEVICE):
        for part in (estimator, getattr(estimator, "backbone", None)):
            if hasattr(part, "precision"):
                part.set_params(precision=precision, random_state=0)
        try:
            estimator.fit(**given)
        except Ready as ready:
            training = ready.args
        if device == "cpu":
            with reads:
                train(training, device, reads)
            reads.answers = iter(reads.values)
            continue
        with FakeTensorMode(allow_non_fake_inputs=True) as mode, reads:
            train(moved(training, mode), DEVICE, reads)
    return [phase.phase for phase in training[2]]


def moved(training, mode):
    """Bring what would be trained to the device that computes nothing."""

    def move(tensor):
        return mode.from_tensor(tensor).to(DEVICE)

    estimator, module, phases, domains, batches = training
    for phase in phases:
        phase.criterion._apply(move)
    whole, batches = tree_map_only(torch.Tensor, move, (domains.whole, batches))
    return estimator, module._apply(move), phases, Domains(whole), batches


def data(estimator, *, source):
    """Make up rows for an estimator of any kind, some of them labeled."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 6)), np.arange(12) % 3
    some = np.where(np.arange(12) < 6, y, -1)
    if isinstance(estimator, BaseRetriever):
        views = {"image": X, "text": rng.normal(size=(12, 5))}
        known = {"source": (views, y)} if source else {}
        return {"X": views, "y": None if source else some} | known
    if not source:
        return {"X": X, "y": some}
    wide = rng.normal(size=(14, 5))
    homogeneous = not hasattr(estimator, "encoders") and is_homogeneous(estimator)
    X_source = rng.normal(size=(14, 6)) if homogeneous else wide
    given = {"X": X, "y": some, "source": (X_source, np.arange(14) % 3)}
    if isinstance(estimator, BasePairedClassifier):
        given["pairs"] = (wide[:7], X[:7])
    return given


def is_homogeneous(estimator):
    """Say whether both domains have the same features."""
    return isinstance(estimator, BaseHomogeneousClassifier) or hasattr(
        estimator, "backbone"
    )


def main():
    _setup_privateuseone_for_python_backend(DEVICE, backend_module=Backend())
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch._C._set_only_lift_cpu_tensors(True)  # make numbers there, and move them
    kept = teach_operators()
    NetTraining._run = stop
    # Parts that pretend to be on the device cannot be moved there again.
    skorch.net.to_device = lambda part, device: part
    for name in sys.argv[1:] or NETWORKS:
        for source, precision in WAYS:
            result = {"name": name, "source": source, "precision": precision}
            try:
                result["phases"] = check(name, source, precision)
            except Exception as error:  # noqa: BLE001 (told below)
                result["error"] = f"{type(error).__name__}: {error}"
                result["traceback"] = traceback.format_exc()
            print(json.dumps(result), flush=True)  # noqa: T201
    del kept


if __name__ == "__main__":
    main()
