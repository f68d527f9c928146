"""The evidence for a statement of a claim, in words."""

from collections.abc import Sequence

from sparring.experiments.analysis.claims import Above, AnyOf, Finding, Least, Side
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.analysis.statistics import name_interval
from sparring.experiments.sweeps.axes import join_labels


def describe_finding(finding: Finding) -> str:
    """Describe the comparison, its difference and the verdict; for `AnyOf`, those of the statements that decide."""
    if isinstance(finding.statement, AnyOf):
        return "; or ".join(describe_finding(each) for each in finding.among if each.verdict == finding.verdict)
    comparison, told = finding.comparison, _describe_statement(finding.statement, finding.gap)
    if comparison is None:
        return f"{told}: {finding.verdict}"
    interval, named = "", ""
    if comparison.low is not None:
        interval = f", from {comparison.low:+.3f} to {comparison.high:+.3f}"
        named = f"{name_interval([comparison.n])}, "
    verdict = f"{finding.verdict}{_add_reason(finding)}"
    return f"{told}: difference {comparison.difference:+.3f}{interval} ({named}n = {comparison.n}), {verdict}"


def _add_reason(finding: Finding) -> str:
    """Note that a statement does not hold because there is no difference, rather than the opposite one."""
    is_close = finding.verdict == "does not hold" and finding.reading == "no difference that counts"
    return ": no difference that counts" if is_close else ""


def _describe_statement(statement: Above, gap: float) -> str:
    metric = statement.metric.replace("_", " ")
    threshold = statement.threshold(gap)
    margin = f" by more than {threshold:g}" if threshold else ""
    return f"{metric} of {_describe_side(statement.first)} above {_describe_side(statement.second)}{margin}"


def _describe_side(side: Side) -> str:
    if isinstance(side, Least):
        return _describe_least(side.cells)
    return f"{side:g}" if isinstance(side, float) else f"({join_labels(side)})"


def _describe_least(cells: Sequence[Labels]) -> str:
    """Name several cells by their common labels and their different labels."""
    shared = {axis: label for axis, label in cells[0].items() if all(cell.get(axis) == label for cell in cells)}
    others = ({axis: label for axis, label in cell.items() if axis not in shared} for cell in cells)
    among = f" of ({join_labels(shared)})" if shared else ""
    return f"the minimum{among} over ({'; '.join(map(join_labels, others))})"
