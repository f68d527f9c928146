"""The page of an audit: the verdict, the curves behind it, and how to come to it again."""

from collections.abc import Iterator, Sequence
from shlex import quote
from statistics import fmean
from typing import NamedTuple

from sparring.experiments.audit.asked import BESIDE, Asked
from sparring.experiments.audit.effort import BREAKING_SEEDS, written_budget
from sparring.experiments.audit.outcome import Audit
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.told import facts, sentences
from sparring.experiments.report.commands import settings
from sparring.experiments.report.html_page import templates
from sparring.experiments.report.panels import panels
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import Band, Picture, Plot, band, line_style, picture
from sparring.experiments.report.threat_model import players, threat_model
from sparring.experiments.sweeps.axes import ATTACK

TENTH = 10


class Lesson(NamedTuple):
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


def _lessons(done: Audit) -> Iterator[Lesson]:
    for label, (policy, rehearsed) in done.policies.items():
        returns, part = policy.returns, max(1, len(policy.returns) // TENTH)
        first, last = (fmean(some) if some else None for some in (returns[:part], returns[-part:]))
        yield Lesson(label, len(returns), first, last, rehearsed, label == done.verdict.learned.attack)
