"""An audit in words, for the terminal and for the page."""

from sparring.experiments.analysis.statistics import FEWEST_TO_DECIDE, Reading, interval_named, written
from sparring.experiments.audit.asked import Asked
from sparring.experiments.audit.outcome import Audit
from sparring.experiments.audit.verdict import Verdict

GAPS: dict[Reading, str] = {
    "more": "The learned attack takes more: hand-crafted attacks flatter this rule.",
    "less": "The learned attack takes less than the worst hand-crafted one.",
    "no difference that counts": "There is no difference that counts between the learned attack and the worst "
    "hand-crafted one: the whole interval of the gap lies within ±{gap:g}.",
    "undecided": "Whether the learned attack takes more is undecided: the interval of the gap reaches beyond {gap:g}, "
    "the smallest gap that counts, and does not lie wholly beyond it.",
}
NO_MORE = "The learned attack takes no more than the worst hand-crafted one, and maybe less."


def facts(done: Audit) -> dict[str, str]:
    """Return the verdict, term by term."""
    verdict = done.verdict
    return {
        "clean": written(verdict.clean),
        "worst by hand": f"{written(verdict.crafted.summary)} ({verdict.crafted.attack})",
        "learned": f"{written(verdict.learned.summary)} ({verdict.learned.attack} of {len(done.policies)})",
        "gap": gap(verdict),
        "intervals": f"{interval_named([verdict.clean.n, verdict.difference.n])} in brackets; a gap counts beyond "
        f"{verdict.gap.gap:g}",
    }


def gap(verdict: Verdict) -> str:
    """Say how much more the hand-made attack leaves than the learned one."""
    n, difference, low, high, *_ = verdict.difference
    interval = "" if low is None else f" [{low:+.3f}, {high:+.3f}]"
    return f"{difference:+.3f}{interval}, n = {n}"


def sentences(done: Audit, request: Asked) -> tuple[str, ...]:
    """Say what the audit means."""
    verdict, clients = done.verdict, request.config.federation.clients
    shares = [each.mean for each in (verdict.clean, verdict.crafted.summary, verdict.learned.summary)]
    clean, crafted, learned = (f"{share:.0%}" for share in shares)
    return (
        f"With {request.malicious} of {clients} clients malicious, {request.defense} is taken from {clean} to "
        f"{crafted} by the worst hand-crafted attack ({verdict.crafted.attack}), and to {learned} by the learned one.",
        _decision(verdict),
        halving(verdict, clients),
    )


def _decision(verdict: Verdict) -> str:
    """Say whether the learned attack takes more."""
    n = verdict.difference.n
    if n < FEWEST_TO_DECIDE:
        needed = f"that needs {FEWEST_TO_DECIDE} seeds, and there are {n}"
        return f"Whether the learned attack takes more is undecided: {needed}."
    if verdict.gap.reading == "undecided" and verdict.gap.verdict == "does not hold":
        return NO_MORE
    return GAPS[verdict.gap.reading].format(gap=verdict.gap.gap)


def halving(verdict: Verdict, clients: int) -> str:
    """Say how many malicious clients halve the accuracy."""
    breaking, attack = verdict.breaking, verdict.crafted.attack
    is_confirmed = breaking.learned <= verdict.clean.mean / 2
    also = "halves it with as many, too" if is_confirmed else "does not halve it with as many"
    learned = f"the learned attack {also} ({breaking.learned:.0%} is left)"
    if breaking.clients is not None:
        return f"To halve the accuracy, {attack} needs {breaking.clients} of {clients} clients; {learned}."
    return f"Not even with {breaking.confirmed_at} of {clients} clients does {attack} halve the accuracy; {learned}."
