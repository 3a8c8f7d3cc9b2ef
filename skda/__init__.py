"""Scikit-learn-compatible domain adaptation and cross-modal retrieval."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skda.auto import AutoAdapter
    from skda.comparison._adaptation import compare
    from skda.comparison._gain import source_gain
    from skda.comparison._retrieval import compare_retrieval
    from skda.export._export import export_onnx
    from skda.persistence import load, save
    from skda.training import StopTraining

__all__ = [
    "AutoAdapter",
    "StopTraining",
    "__version__",
    "compare",
    "compare_retrieval",
    "export_onnx",
    "load",
    "save",
    "source_gain",
]

__version__ = "0.1.0.dev0"

# `import skda` stays instant: what costs an import of PyTorch waits for its first use.
_LAZY = {
    "AutoAdapter": "skda.auto",
    "StopTraining": "skda.training",
    "compare": "skda.comparison._adaptation",
    "compare_retrieval": "skda.comparison._retrieval",
    "export_onnx": "skda.export._export",
    "load": "skda.persistence",
    "save": "skda.persistence",
    "source_gain": "skda.comparison._gain",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'skda' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
