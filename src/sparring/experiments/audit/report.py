"""An audit in sentences, and its page: the verdict, the curves behind it, and the command to repeat it."""

from collections.abc import Iterator, Sequence
from shlex import quote
from statistics import fmean
from typing import NamedTuple

from sparring.experiments.analysis.statistics import FEWEST_TO_DECIDE, Reading, interval_named, written
from sparring.experiments.audit.budget import BREAKING_SEEDS, written_budget
from sparring.experiments.audit.recorded_request import BESIDE, Asked
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.result import Audit, Verdict
from sparring.experiments.report.commands import settings
from sparring.experiments.report.html_page import templates
from sparring.experiments.report.panels import panels
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import Band, Picture, Plot, band, line_style, picture
from sparring.experiments.report.threat_model import players, threat_model
from sparring.experiments.sweeps.axes import ATTACK

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


TENTH = 10


class TrainingCurve(NamedTuple):
    """A policy's way: how many episodes, what the first and the last tenth of them returned, and what it came to."""

    label: str
    episodes: int
    first: float | None
    last: float | None
    rehearsed: float
    is_chosen: bool


def audit_page(study: Study, done: Audit, *, request: Asked) -> str:
    """Return the page of an audit, whose runs with fresh seeds are a study, as HTML."""
    (panel,) = panels(study)
    return (
        templates()
        .get_template("audit.html")
        .render(
            study=study,
            title=f"Audit of {request.defense}",
            sentences=sentences(done, request),
            verdict=facts(done),
            legend=_legend(done),
            pictures=_pictures(study, done, request=request),
            breaking=done.verdict.breaking,
            crafted=done.verdict.crafted.attack,
            few=len(request.fresh[:BREAKING_SEEDS]),
            lessons=tuple(_lessons(done)),
            panel=panel,
            panels=[panel],
            threat=threat_model(study),
            players=players(study, ATTACK),
            effort=done.effort,
            budget=written_budget(request.budget),
            seeds=len(request.fresh),
            rounds=request.config.federation.rounds,
            command=command(request),
        )
    )


def command(request: Asked) -> str:
    """Return what to type to repeat an audit, with every setting written out."""
    asked = dict(request.document)
    beside = {key: asked.pop(key) for key in BESIDE}
    own = {"attack": {**next(iter(request.own.values()), {}), "malicious": request.malicious, "start": request.start}}
    plugins = (f"--plugin {quote(module)}" for module in request.plugins)
    effort = f"--seeds {beside['seeds']} --budget {written_budget(request.budget)}"
    return " ".join(["sparring audit", *plugins, *map(quote, settings({**asked, **own})), effort])


def _compared(done: Audit) -> Sequence[str]:
    """Return the labels of the attacks that the verdict is about."""
    return NO_ATTACK, done.verdict.crafted.attack, done.verdict.learned.attack


def _legend(done: Audit) -> tuple[tuple[str, str], ...]:
    return tuple((label, line_style(place)) for place, label in enumerate(_compared(done)))


def _pictures(study: Study, done: Audit, *, request: Asked) -> Iterator[Picture]:
    """Yield the accuracy over rounds, and that over the number of malicious clients."""
    labels = _compared(done)
    runs = {label: study.where({ATTACK: label}).frame["run"] for label in labels}
    rounds = {label: band(study.curves[run] for run in runs[label]) for label in labels}
    yield picture(Plot(f"{request.malicious} of {request.config.federation.clients} clients malicious", rounds), labels)
    tried = {0: done.verdict.clean.mean, **done.verdict.breaking.tried}
    counts = sorted(tried)
    left = [tried[count] for count in counts]
    over = {done.verdict.crafted.attack: Band(counts, left, left, left)}
    yield picture(Plot("More and more malicious clients", over, unit="malicious client"), labels)


def _lessons(done: Audit) -> Iterator[TrainingCurve]:
    for label, (policy, rehearsed) in done.policies.items():
        returns, part = policy.returns, max(1, len(policy.returns) // TENTH)
        first, last = (fmean(some) if some else None for some in (returns[:part], returns[-part:]))
        yield TrainingCurve(label, len(returns), first, last, rehearsed, label == done.verdict.learned.attack)
