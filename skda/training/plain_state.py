"""Networks taken apart into classes, plain values and arrays, and put together again.

Pickle stores a network by code that runs when it is loaded. What is here is for formats
that store data alone.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.history import History
from torch import Tensor, nn

__all__ = [
    "ModuleState",
    "PickledState",
    "PlainState",
    "TensorState",
    "put_together",
    "take_apart",
]

#: Types of as many bytes as those that NumPy lacks.
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32}
#: What PyTorch itself keeps in a module.
_OWN = frozenset(vars(nn.Module()))
#: Parameters of a net that are data, its fitted state, or the same in every net.
_NO_SETTINGS = {"module", "criterion", "callbacks", "dataset", "device", "autocast"}
_NO_SETTINGS |= {"iterator_train", "iterator_valid", "torch_load_kwargs"}
_TRAINED = ("module_", "criterion_")
#: What a training leaves beside the modules and the history.
_FITTED = ("_first_epoch", "_phase_of_epoch", "fit_is_over_", "stopped_early_")


class TensorState(NamedTuple):
    """A tensor, as an array.

    Parameters
    ----------
    values : ndarray
        Its values; of a type that NumPy lacks, such as bfloat16, the bits as integers.
    dtype : str
        Its type.
    device : str
        Where it was.
    is_parameter : bool
        Whether it is a parameter of a module.
    requires_grad : bool
        Whether it is trained.
    """

    values: NDArray[Any]
    dtype: str
    device: str
    is_parameter: bool
    requires_grad: bool


class ModuleState(NamedTuple):
    """A module, as its class, plain attributes, weights and the modules inside.

    Parameters
    ----------
    kind : type
        Its class.
    attributes : dict of str to object
        What its constructor, or the training, has set.
    parameters, buffers : dict of str to (TensorState or None)
        Its weights.
    transient : list of str
        Buffers that are no part of its ``state_dict``.
    modules : dict of str to (ModuleState or None)
        The modules inside.
    training : bool
        Whether it is in training mode.
    """

    kind: type[nn.Module]
    attributes: dict[str, Any]
    parameters: dict[str, TensorState | None]
    buffers: dict[str, TensorState | None]
    transient: list[str]
    modules: dict[str, Any]
    training: bool


def take_apart(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Take modules and tensors apart, also those in lists, tuples and dicts.

    Parameters
    ----------
    value : object
        A module, a tensor, a container of them, or anything else, which stays.
    known : dict of int to object, default=None
        What has been taken apart, by its ``id``: what is shared stays shared.

    Returns
    -------
    object
        :class:`ModuleState`, :class:`TensorState`, a container of them, or the value.

    Raises
    ------
    TypeError
        If a module has hooks, which are code, or contains itself, or a tensor is sparse
        or quantized.
    """
    known = {} if known is None else known
    kind = type(value)
    if kind in (list, tuple):
        return kind(take_apart(item, known) for item in value)
    if kind is dict:
        return {name: take_apart(item, known) for name, item in value.items()}
    if not isinstance(value, (Tensor, nn.Module)):
        return value
    if id(value) not in known:
        known[id(value)] = None  # as long as it is being taken apart
        is_module = isinstance(value, nn.Module)
        take: Callable[..., Any] = _take_module if is_module else _take_tensor
        known[id(value)] = take(value, known)
    state = known[id(value)]
    if state is None:
        raise TypeError(
            f"Expected modules without a way back to themselves, got a "
            f"{kind.__name__} inside itself: it cannot be stored."
        )
    return state


def put_together(state: Any, known: dict[int, Any] | None = None) -> Any:
    """Build what :func:`take_apart` has taken apart, on its device or on the CPU.

    Parameters
    ----------
    state : object
        What it returned.
    known : dict of int to object, default=None
        What has been built, by the ``id`` of its state.

    Returns
    -------
    object
        The module, the tensor, or what else it was. No constructor is called.
    """
    known = {} if known is None else known
    kind = type(state)
    if kind in (list, tuple):
        return kind(put_together(item, known) for item in state)
    if kind is dict:
        return {name: put_together(item, known) for name, item in state.items()}
    if kind not in (ModuleState, TensorState):
        return state
    if id(state) not in known:
        is_module = kind is ModuleState
        build: Callable[..., Any] = _build_module if is_module else _build_tensor
        known[id(state)] = build(state, known)
    return known[id(state)]


def _take_tensor(tensor: Tensor, _known: dict[int, Any]) -> TensorState:
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise TypeError(
            f"Expected dense tensors, got one of layout {tensor.layout} and type "
            f"{tensor.dtype}: it cannot be stored."
        )
    on_cpu = tensor.detach().cpu()
    try:
        values = on_cpu.numpy()
    except TypeError:  # NumPy has no such type
        values = on_cpu.view(_INTEGERS[tensor.itemsize]).numpy()
    return TensorState(
        values,
        _name(tensor.dtype),
        str(tensor.device),
        isinstance(tensor, nn.Parameter),
        tensor.requires_grad and tensor.is_leaf,
    )


def _build_tensor(state: TensorState, _known: dict[int, Any]) -> Tensor:
    dtype = getattr(torch, state.dtype)
    tensor = torch.from_numpy(np.require(state.values, requirements="W"))
    if tensor.dtype != dtype:
        tensor = tensor.view(dtype)
    tensor = tensor.to(_usable_device(state.device))
    if state.is_parameter:
        return nn.Parameter(tensor, requires_grad=state.requires_grad)
    return tensor.requires_grad_(state.requires_grad)


def _take_module(module: nn.Module, known: dict[int, Any]) -> ModuleState:
    content: dict[str, Any] = vars(module)
    hooks = [name for name in content if name.endswith("hooks") and content[name]]
    if hooks:
        raise TypeError(
            f"Expected modules without hooks, which are code, got a "
            f"{type(module).__name__} with {hooks[0]}: remove them."
        )
    attributes = {name: content[name] for name in content if name not in _OWN}

    def take(group: str) -> dict[str, Any]:
        return {name: take_apart(part, known) for name, part in content[group].items()}

    return ModuleState(
        type(module),
        take_apart(attributes, known),
        take("_parameters"),
        take("_buffers"),
        sorted(content["_non_persistent_buffers_set"]),
        take("_modules"),
        module.training,
    )


def _build_module(state: ModuleState, known: dict[int, Any]) -> nn.Module:
    if not (isinstance(state.kind, type) and issubclass(state.kind, nn.Module)):
        raise TypeError(f"Expected a class of modules, got {state.kind!r}.")
    module = object.__new__(state.kind)
    nn.Module.__init__(module)
    content: dict[str, Any] = vars(module)
    content.update(put_together(state.attributes, known))
    content["_parameters"].update(put_together(state.parameters, known))
    content["_buffers"].update(put_together(state.buffers, known))
    content["_non_persistent_buffers_set"].update(state.transient)
    content["_modules"].update(put_together(state.modules, known))
    content["training"] = state.training
    return module


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _usable_device(name: str) -> str:
    """Say where to put what was on a device: there, or on the CPU without it."""
    device = torch.device(name)
    if device.type == "cpu":
        return name
    if device.type == "cuda" and (device.index or 0) < torch.cuda.device_count():
        return name
    return "cpu"


class PickledState(dict[str, Any]):
    """State of skorch, with a pickle inside: no format without code may build one."""


class PlainState(NeuralNet):
    """Net whose ``__getstate__`` is data alone, although its pickle is as ever."""

    # The state is what the constructor takes, and the trained modules. The optimizer
    # is not in it: a net that goes on training starts with a new one.

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], Any, Any]:
        state = PickledState(super().__getstate__())
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        settings = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in _NO_SETTINGS and not name.startswith("_")
        }
        default = dict(self._default_callbacks)
        return {
            "settings": settings,
            "device": str(self.device),
            "autocast": None if self.autocast is None else _name(self.autocast),
            "callbacks": [c for c in self.callbacks_ if c[0] not in default],
            "history": [dict(row) for row in self.history],
            "fitted": {n: vars(self)[n] for n in _FITTED if n in vars(self)},
            "modules": take_apart({n: vars(self)[n] for n in _TRAINED}),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state, PickledState):
            super().__setstate__(dict(state))
            return
        modules = put_together(state["modules"])
        autocast = state["autocast"]
        self.__init__(  # type: ignore[misc]
            modules["module_"],
            criterion=modules["criterion_"],
            device=torch.device(_usable_device(state["device"])),
            autocast=None if autocast is None else getattr(torch, autocast),
            **state["settings"],
        )
        self.initialize()
        self.callbacks = [callback for _, callback in state["callbacks"]] or None
        defaults = vars(self)["callbacks_"]
        self.__dict__.update(state["fitted"])
        self.__dict__["callbacks_"] = [*state["callbacks"], *defaults]
        self.history_ = History(state["history"])
