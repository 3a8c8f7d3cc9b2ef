"""What happens to rows before any method."""

from skda.preprocessing._per_view import PerView
from skda.preprocessing._rows import (
    GraphSmoother,
    RowScaler,
    cosine_graph,
    neighbor_similarities,
    row_preprocessor,
    symmetric_normalization,
)

__all__ = [
    "GraphSmoother",
    "PerView",
    "RowScaler",
    "cosine_graph",
    "neighbor_similarities",
    "row_preprocessor",
    "symmetric_normalization",
]
