"""Error and statistics of tensors, in float64, block by block: a tensor of any size needs the memory of one block."""

from app.metrics.error_sums import ErrorFigures, ErrorSums
from app.metrics.statistics import Histogram, Statistics, StatisticsPass, histogram_pass

__all__ = ["ErrorFigures", "ErrorSums", "Histogram", "Statistics", "StatisticsPass", "histogram_pass"]
