"""Which classes have a trigger that is too small to be natural (Wang et al., 2019, section IV.B)."""

from torch import Tensor

CONSISTENCY = 1.4826
"""What makes the median absolute deviation of normally distributed numbers their standard deviation."""
THRESHOLD = 2.0
"""The anomaly index above which a class is suspicious: of normally distributed numbers 1 in 20 has a larger one."""


def anomaly_index(norms: Tensor) -> Tensor:
    """Return |norm - median| / (1.4826 · MAD) for each of the classes' norms, in float64.

    MAD is the median absolute deviation. Of an even number the median is the mean of the two in the middle. Where the
    MAD is zero, the index is 0 at the median and infinite elsewhere.
    """
    deviations = (norms.double() - norms.double().quantile(0.5)).abs()
    return (deviations / (CONSISTENCY * deviations.quantile(0.5))).where(deviations > 0, 0)


def too_small(norms: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return which norms are below the median with an anomaly index above the threshold."""
    return (norms.double() < norms.double().quantile(0.5)) & (anomaly_index(norms) > threshold)
