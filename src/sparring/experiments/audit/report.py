"""The report of an audit, in sentences and as a page: verdict, curves, and the command to repeat it."""

from collections.abc import Iterator, Sequence
from shlex import quote
from statistics import fmean
from typing import NamedTuple

from sparring.experiments.analysis.statistics import FEWEST_TO_DECIDE, format_difference, format_summary, name_interval
from sparring.experiments.audit.budget import BREAKING_SEEDS, format_budget
from sparring.experiments.audit.goal_words import WORDS
from sparring.experiments.audit.goals import BACKDOOR, GOALS, TEAM
from sparring.experiments.audit.recorded_request import BESIDE, BESIDE_BACKDOOR, Asked
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.result import Audit, AuditCell, AuditVerdict
from sparring.experiments.report.commands import list_settings
from sparring.experiments.report.html_page import load_templates
from sparring.experiments.report.panels import make_panels
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import Band, Picture, Plot, draw_picture, line_classes, make_band
from sparring.experiments.report.threat_model import describe_players, describe_threat_model
from sparring.experiments.sweeps.axes import ATTACK

NOT_WEAKER = (
    "The learned attack is not weaker than the worst hand-crafted one by more than {gap:g}; whether it is stronger is "
    "undecided, and more --seeds may decide it."
)
NOT_STRONGER = (
    "The learned attack is not stronger than the worst hand-crafted one by more than {gap:g}; it may be weaker, which "
    "more --seeds may decide."
)
REFERENCES = (
    "Reference rules without an attack, under the worst hand-crafted attack ({crafted}) and under the learned one, as "
    "means over {n} seeds. The learned attack was trained against {rule}: one that is trained against another rule may "
    "{stronger} there."
)


def list_facts(done: Audit) -> dict[str, str]:
    """Return the verdict by the names of its parts."""
    verdict = done.verdict
    return {
        "clean": format_summary(verdict.clean),
        "hand-crafted": f"{format_cell_of(verdict.crafted)} ({verdict.crafted.attack})",
        "learned": f"{format_cell_of(verdict.learned)} ({verdict.learned.attack} of {len(done.policies)})",
        "gap": format_gap(verdict),
        "intervals": f"{name_interval([verdict.clean.n, verdict.difference.n])} in brackets; a gap counts beyond "
        f"{verdict.gap.gap:g}",
    }


def format_cell_of(cell: AuditCell) -> str:
    """Format the metric of an attack, with the means of its parts if it has some."""
    parts = ", ".join(f"{name.replace('_', ' ')} {part.mean:.3f}" for name, part in cell.parts.items())
    return f"{format_summary(cell.summary)}{f' = half of {parts}' if parts else ''}"


def format_gap(verdict: AuditVerdict) -> str:
    """Format how much stronger the learned attack is than the worst hand-crafted one, in the metric of the goal."""
    return format_difference(verdict.difference)


def describe_audit(done: Audit, request: Asked) -> tuple[str, ...]:
    """Interpret the audit in sentences."""
    verdict, clients = done.verdict, request.config.federation.clients
    if verdict.goal == BACKDOOR.name:
        return (_describe_backdoor(verdict, request), _decide(verdict), describe_halving(verdict, clients))
    shares = [each.mean for each in (verdict.clean, verdict.crafted.summary, verdict.learned.summary)]
    clean, crafted, learned = (f"{share:.0%}" for share in shares)
    return (
        f"With {request.malicious} of {clients} clients malicious, the accuracy of {request.defense} drops from "
        f"{clean} to {crafted} under the worst hand-crafted attack ({verdict.crafted.attack}), and to {learned} "
        "under the learned one.",
        _decide(verdict),
        describe_halving(verdict, clients),
    )


def _describe_backdoor(verdict: AuditVerdict, request: Asked) -> str:
    """Say how often triggered images are misclassified, beside the accuracy."""
    crafted, learned = (
        f"{cell.parts['backdoor_accuracy'].mean:.0%} (accuracy {cell.parts['accuracy'].mean:.0%})"
        for cell in (verdict.crafted, verdict.learned)
    )
    return (
        f"With {request.malicious} of {request.config.federation.clients} clients malicious, {request.defense} has a "
        f"backdoor accuracy of {crafted} under the worst hand-crafted attack ({verdict.crafted.attack}), and of "
        f"{learned} under the learned one; its accuracy without an attack is {verdict.clean.mean:.0%}."
    )


def _decide(verdict: AuditVerdict) -> str:
    """Say whether the learned attack is stronger."""
    (n, _, low, high, *_), gap, words = verdict.difference, verdict.gap.gap, WORDS[verdict.goal]
    if n < FEWEST_TO_DECIDE:
        needed = f"that needs {FEWEST_TO_DECIDE} seeds, and there are {n}"
        return f"It is undecided whether the learned attack {words.stronger}: {needed}."
    said = words.gaps[verdict.gap.reading]
    if verdict.gap.reading == "undecided" and low is not None and high is not None:
        said = NOT_WEAKER if low >= -gap else NOT_STRONGER if high <= gap else said
    return said.format(gap=gap, crafted=verdict.crafted.attack)


def describe_references(verdict: AuditVerdict) -> str:
    """Say what the table of the reference rules shows."""
    audited = verdict.references[0]
    n = max(summary.n for row in verdict.references for summary in row[1:] if summary is not None)
    return REFERENCES.format(
        n=n, rule=audited.rule, crafted=verdict.crafted.attack, stronger=WORDS[verdict.goal].elsewhere
    )


def describe_halving(verdict: AuditVerdict, clients: int) -> str:
    """Say how many malicious clients halve the accuracy, or reach a backdoor accuracy of half."""
    breaking, attack, words = verdict.breaking, verdict.crafted.attack, WORDS[verdict.goal]
    is_confirmed = GOALS[verdict.goal].breaks(breaking.learned, clean=verdict.clean.mean)
    also = f"also {words.also}" if is_confirmed else f"does not {words.not_also}"
    learned = f"the learned attack {also} with this number ({words.broken} {breaking.learned:.0%})"
    if breaking.clients is not None:
        return f"{attack} needs {breaking.clients} of {clients} clients to {words.breaks}; {learned}."
    return f"{attack} does not {words.breaks} even with {breaking.confirmed_at} of {clients} clients; {learned}."


TENTH = 10


class TrainingCurve(NamedTuple):
    """The training of a policy: the mean returns of its first and last tenth, its steps, and its error at the end."""

    label: str
    first: float | None
    last: float | None
    steps: int
    harm: float
    is_chosen: bool


def audit_page(study: Study, done: Audit, *, request: Asked) -> str:
    """Return the page of an audit as HTML; `study` holds its runs with fresh seeds."""
    (panel,) = make_panels(study)
    return (
        load_templates()
        .get_template("audit.html")
        .render(
            study=study,
            title=f"Audit of {request.defense}",
            sentences=describe_audit(done, request),
            verdict=list_facts(done),
            legend=_legend(done),
            compared=_compared_labels(done),
            pictures=tuple(_pictures(study, done, request=request)),
            ranking=done.verdict.ranking,
            references=done.verdict.references,
            references_described=describe_references(done.verdict) if done.verdict.references else "",
            breaking=done.verdict.breaking,
            crafted=done.verdict.crafted.attack,
            words=WORDS[done.verdict.goal],
            few=len(request.fresh[:BREAKING_SEEDS]),
            trainings=tuple(_summarize_trainings(done)),
            panel=panel,
            panels=[panel],
            threat=describe_threat_model(study),
            players=describe_players(study, ATTACK),
            effort=done.effort,
            budget=format_budget(request.budget),
            seeds=len(request.fresh),
            rounds=request.config.federation.rounds,
            command=command_to_repeat_audit(request),
        )
    )


def command_to_repeat_audit(request: Asked) -> str:
    """Return the command that repeats an audit, with every setting written out."""
    asked = dict(request.document)
    beside = {key: asked.pop(key, None) for key in (*BESIDE, *BESIDE_BACKDOOR)}
    attack = {**(request.backdoor or {}), **next(iter(request.own.values()), {})}
    own = {"attack": {**attack, "malicious": request.malicious, "start": request.start}}
    plugins = (f"--plugin {quote(module)}" for module in request.plugins)
    effort = f"--seeds {beside['seeds']} --budget {format_budget(request.budget)}"
    if request.goal is BACKDOOR:
        effort = f"--goal {request.goal.name} {effort}"
    if request.goal is TEAM:
        effort = f"--team {request.malicious} {effort}"
    return " ".join(["sparring audit", *plugins, *map(quote, list_settings({**asked, **own})), effort])


def _compared_labels(done: Audit) -> Sequence[str]:
    """Return the labels of the attacks in the verdict."""
    return NO_ATTACK, done.verdict.crafted.attack, done.verdict.learned.attack


def _legend(done: Audit) -> tuple[tuple[str, str], ...]:
    return tuple((label, line_classes(index)) for index, label in enumerate(_compared_labels(done)))


def _pictures(study: Study, done: Audit, *, request: Asked) -> Iterator[Picture]:
    """Yield the accuracy over rounds, and over the number of malicious clients; of a backdoor, only the former."""
    labels = _compared_labels(done)
    runs = {label: study.where({ATTACK: label}).frame["run"] for label in labels}
    rounds = {label: make_band(study.curves[run] for run in runs[label]) for label in labels}
    yield draw_picture(
        Plot(f"{request.malicious} of {request.config.federation.clients} clients malicious", rounds), labels
    )
    if done.verdict.goal == BACKDOOR.name:
        return
    tried = {0: done.verdict.clean.mean, **done.verdict.breaking.tried}
    counts = sorted(tried)
    left = [tried[count] for count in counts]
    over = {done.verdict.crafted.attack: Band(counts, left, left, left)}
    yield draw_picture(Plot("Increasing number of malicious clients", over, unit="malicious client"), labels)


def _summarize_trainings(done: Audit) -> Iterator[TrainingCurve]:
    for label, policy in done.policies.items():
        part = max(1, len(policy.returns) // TENTH)
        first, last = (fmean(some) if some else None for some in (policy.returns[:part], policy.returns[-part:]))
        yield TrainingCurve(label, first, last, policy.steps, policy.harm, label == done.verdict.learned.attack)
