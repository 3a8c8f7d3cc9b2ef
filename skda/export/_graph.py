"""The nodes of an ONNX model, as they are written."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.optional import import_optional

__all__ = ["N_ROWS", "OPSET", "Graph", "NotExportable"]

#: Version of the operators.
OPSET = 18
#: Number of sample rows with which a prediction is recorded: one that no size of a
#: fitted array is likely to have by chance.
N_ROWS = 509


class NotExportable(ValueError):  # noqa: N818 (the sentence it makes)
    """Raised where a part of a prediction has no form in ONNX."""


class Graph:
    """Collect nodes and constants.

    Attributes
    ----------
    nodes : list of NodeProto
        Nodes, in the order in which they compute.
    constants : list of TensorProto
        Initializers.
    opsets : dict of str to int
        Versions of the operators in use, by their domains.
    """

    def __init__(self) -> None:
        self.onnx = import_optional("onnx", "export_onnx writes models by onnx", "onnx")
        import_module("onnx.compose")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.opsets = {"": OPSET}
        self._n_names = 0
        self._known: dict[Any, str] = {}
        self._n_rows: dict[str, str] = {}

    def name(self, stem: str) -> str:
        """Make a name that nothing else has.

        Parameters
        ----------
        stem : str
            What the name starts with.

        Returns
        -------
        str
            The name.
        """
        self._n_names += 1
        return f"{stem}_{self._n_names}"

    def add(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node of one output.

        Parameters
        ----------
        op : str
            Operator.
        inputs : list of str
            Names of its inputs.
        **attributes : dict
            Its attributes.

        Returns
        -------
        str
            Name of the output.
        """
        return self.add_many(op, inputs, 1, **attributes)[0]

    def add_many(
        self, op: str, inputs: list[str], n_outputs: int, **attributes: Any
    ) -> list[str]:
        """Add a node of several outputs.

        Parameters
        ----------
        op : str
            Operator.
        inputs : list of str
            Names of its inputs.
        n_outputs : int
            Number of its outputs.
        **attributes : dict
            Its attributes.

        Returns
        -------
        list of str
            Names of the outputs.
        """
        outputs = [self.name(op.lower()) for _ in range(n_outputs)]
        make = self.onnx.helper.make_node
        self.nodes.append(make(op, inputs, outputs, name=self.name(op), **attributes))
        return outputs

    def constant(self, array: Any) -> str:
        """Add an initializer; equal ones are one.

        Parameters
        ----------
        array : array-like
            Its value.

        Returns
        -------
        str
            Its name.
        """
        value = np.ascontiguousarray(array).reshape(np.shape(array))
        key: tuple[Any, ...] = value.dtype.str, value.shape, value.tobytes()
        if value.dtype.kind in "OU":
            key = "O", value.shape, tuple(value.ravel().tolist())
            value = value.astype(object)
        if key not in self._known:
            name = self._known[key] = self.name("constant")
            self.constants.append(self.onnx.numpy_helper.from_array(value, name))
        return self._known[key]

    def type_of(self, dtype: Any) -> int:
        """Look up the number of a type.

        Parameters
        ----------
        dtype : dtype
            Type of an array.

        Returns
        -------
        int
            The number that ONNX has for it.
        """
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def n_rows(self, of: str) -> str:
        """Add what counts the rows of a value.

        Parameters
        ----------
        of : str
            Name of the value.

        Returns
        -------
        str
            Name of the count, an array of one entry.
        """
        if of not in self._n_rows:
            self._n_rows[of] = self.add("Shape", [of], start=0, end=1)
        return self._n_rows[of]

    def repeat(self, row: NDArray[Any], of: str) -> str:
        """Add a value that has the same row for every sample.

        Parameters
        ----------
        row : ndarray of shape (1, ...)
            The row.
        of : str
            Name of a value with a row for every sample.

        Returns
        -------
        str
            Name of the value.
        """
        rest = self.constant(np.array(row.shape[1:], dtype=np.int64))
        shape = self.add("Concat", [self.n_rows(of), rest], axis=0)
        return self.add("Expand", [self.constant(row), shape])

    def load(self, content: bytes) -> Any:
        """Load a model, to run it.

        Parameters
        ----------
        content : bytes
            The model.

        Returns
        -------
        InferenceSession
            The model on one thread of the CPU, in onnxruntime.
        """
        runtime = import_optional(
            "onnxruntime", "export_onnx checks models by onnxruntime", "onnx"
        )
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        return runtime.InferenceSession(content, options, ["CPUExecutionProvider"])
