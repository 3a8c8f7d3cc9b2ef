"""Short texts that tell whether arrays, networks and parameters are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial, singledispatch
from types import NoneType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["MODULE_INTERNALS", "describe", "digest"]

#: What PyTorch itself keeps in every module.
MODULE_INTERNALS = frozenset(vars(nn.Module()))
#: A description that is longer is replaced by a digest.
MAX_LENGTH = 100


def digest(*tensors: Tensor) -> str:
    """Digest tensors: their values, shapes and types.

    Parameters
    ----------
    *tensors : Tensor
        The tensors.

    Returns
    -------
    str
        The same text for the same tensors, to the bit.

    Examples
    --------
    >>> digest(torch.ones(2)) == digest(torch.ones(2))
    True
    >>> digest(torch.ones(2)) == digest(torch.ones(2, 1))
    False
    """
    state = hashlib.blake2b(digest_size=12)
    for tensor in tensors:
        state.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        rows = tensor.detach().cpu().contiguous().reshape(-1)
        state.update(rows.view(torch.uint8).numpy().data)
    return state.hexdigest()


def describe(value: Any) -> str:
    """Describe a value, so that equal descriptions mean that it does the same.

    What has neither parameters nor values that can be looked at, such as a function,
    is described by its name.

    Parameters
    ----------
    value : object
        A hyper-parameter, an objective or a part of one.

    Returns
    -------
    str
        The description; a digest of it if it is long.

    Examples
    --------
    >>> describe({"lr": 0.1, "layers": (4, 2), "decay": max})
    "{'lr': 0.1, 'layers': (4, 2), 'decay': max}"
    """
    text = _spell(value)
    if len(text) <= MAX_LENGTH:
        return text
    short = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    return f"{text[:20]}... ({short})"


@singledispatch
def _spell(value: Any) -> str:
    """Spell a value of any kind."""
    if callable(getattr(value, "get_params", None)) and not isinstance(value, type):
        return f"{type(value).__name__}({_spell(value.get_params(deep=False))})"
    named = value if hasattr(value, "__qualname__") else type(value)
    return str(named.__qualname__)


@_spell.register(NoneType | bool | int | float | str | torch.dtype | torch.device)
def _spell_plainly(value: Any) -> str:
    return repr(value)


@_spell.register
def _spell_tensor(value: Tensor) -> str:
    return f"tensor {digest(value)}"


@_spell.register
def _spell_number(value: np.generic) -> str:
    return _spell(value.item())


@_spell.register
def _spell_array(value: np.ndarray) -> str:
    is_numeric = value.dtype.kind in "biuf"
    return _spell(torch.from_numpy(value.copy()) if is_numeric else value.tolist())


@_spell.register(Mapping)
def _spell_mapping(value: Mapping[Any, Any]) -> str:
    pairs = (f"{_spell(key)}: {_spell(each)}" for key, each in value.items())
    return "{" + ", ".join(pairs) + "}"


@_spell.register(list | tuple)
def _spell_sequence(value: Sequence[Any]) -> str:
    return "(" + ", ".join(map(_spell, value)) + ")"


@_spell.register(partial)
def _spell_partial(value: partial[Any]) -> str:
    return f"partial{_spell((value.func, value.args, value.keywords))}"


@_spell.register
def _spell_module(value: nn.Module) -> str:
    """Spell the parts of a module: classes, settings and weights."""
    parts = [
        (type(part).__qualname__, {k: v for k, v in vars(part).items() if _is_own(k)})
        for part in value.modules()
    ]
    return _spell((parts, digest(*value.parameters(), *value.buffers())))


def _is_own(name: str) -> bool:
    return name not in MODULE_INTERNALS and not name.startswith("_")
