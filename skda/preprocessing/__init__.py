"""What happens to rows before any method."""

from skda.preprocessing._common_scale import shared_preprocessor
from skda.preprocessing._cosine_graph import (
    cosine_graph,
    neighbor_similarities,
    symmetric_normalization,
)
from skda.preprocessing._domain_scaler import DomainScaler
from skda.preprocessing._linear_optimal_transport import LinearOptimalTransport
from skda.preprocessing._normal_scores import NormalScoreTransformer
from skda.preprocessing._per_view import PerView
from skda.preprocessing._row_preprocessor import row_preprocessor
from skda.preprocessing._rows import GraphSmoother, RowScaler
from skda.preprocessing._self_tuned_graph import self_tuned_graph

__all__ = [
    "DomainScaler",
    "GraphSmoother",
    "LinearOptimalTransport",
    "NormalScoreTransformer",
    "PerView",
    "RowScaler",
    "cosine_graph",
    "neighbor_similarities",
    "row_preprocessor",
    "self_tuned_graph",
    "shared_preprocessor",
    "symmetric_normalization",
]
