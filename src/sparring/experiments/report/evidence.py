"""What a statement of a claim was found to come to, in words."""

from collections.abc import Sequence

from sparring.experiments.claims import Above, AnyOf, Finding, Least, Side
from sparring.experiments.sweeps.axes import called_together
from sparring.experiments.tables import Labels


def evidence(finding: Finding) -> str:
    """Say what is compared, by how much it differs, and what that means; of several statements, those that decide."""
    if isinstance(finding.statement, AnyOf):
        return "; or ".join(evidence(each) for each in finding.among if each.verdict == finding.verdict)
    comparison, told = finding.comparison, _told(finding.statement)
    if comparison is None:
        return f"{told}: {finding.verdict}"
    interval = "" if comparison.low is None else f", from {comparison.low:+.3f} to {comparison.high:+.3f}"
    return f"{told}: difference {comparison.difference:+.3f}{interval} (n = {comparison.n}), {finding.verdict}"


def _told(statement: Above) -> str:
    metric = statement.metric.replace("_", " ")
    margin = f" by more than {statement.margin:g}" if statement.margin else ""
    return f"{metric} of {_side(statement.first)} above {_side(statement.second)}{margin}"


def _side(side: Side) -> str:
    if isinstance(side, Least):
        return _least(side.cells)
    return f"{side:g}" if isinstance(side, float) else f"({called_together(side)})"


def _least(cells: Sequence[Labels]) -> str:
    """Name several cells by what they have in common, and what they have not."""
    shared = {axis: label for axis, label in cells[0].items() if all(cell.get(axis) == label for cell in cells)}
    others = ({axis: label for axis, label in cell.items() if axis not in shared} for cell in cells)
    among = f" of ({called_together(shared)})" if shared else ""
    return f"the least{among} over ({'; '.join(map(called_together, others))})"
