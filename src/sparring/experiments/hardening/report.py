"""The report of a hardening: sentences, the table of defenses, and a page."""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import NamedTuple

from sparring.contracts import RoundPlan
from sparring.experiments.analysis.statistics import Comparison, format_difference, format_summary, name_interval
from sparring.experiments.config.sections import Section
from sparring.experiments.hardening.card import describe_types, list_limits
from sparring.experiments.hardening.curves import LearningCurves, draw_curves, list_names
from sparring.experiments.hardening.plan import HardeningPlan
from sparring.experiments.hardening.request import HardeningRequest
from sparring.experiments.hardening.verdict import CONSTANT, LEARNED, UNTRAINED, HardeningVerdict, is_better
from sparring.experiments.report.commands import list_settings
from sparring.experiments.report.html_page import load_templates
from sparring.experiments.report.svg_curves import line_classes
from sparring.learning.types_in_turn import Over
from sparring.registry import to_section

WORDS: Mapping[str, str] = {
    LEARNED: "the learned policy",
    CONSTANT: "the best constant action",
    UNTRAINED: "the untrained policy",
}
"""The defenses that a hardening makes, in words."""
OVER: Mapping[Over, str] = {"mean": "mean over types", "worst": "worst type of each episode"}
"""What counts over the types, in words."""
KNOWLEDGE: Mapping[str, str] = {
    "root_data": "augmented images of the server's root data",
    "white_box": "the clients' true shards",
}


def name_defense(name: str) -> str:
    """Return a defense in words; a rule has its name."""
    return WORDS.get(name, name)


def describe_hardening(verdict: HardeningVerdict) -> tuple[str, ...]:
    """Interpret the comparison in sentences."""
    learned = LEARNED if is_better(verdict.over_constant) else CONSTANT
    best = f"the best fixed rule, {verdict.best_rule}"
    return (_compare_policy(verdict), _compare(WORDS[learned], best, verdict.over_rule), _recommend(verdict))


def _compare_policy(verdict: HardeningVerdict) -> str:
    """Compare the learned policy with the constant action, which it may be itself."""
    scores = verdict.table.scores
    if scores[LEARNED] == scores[CONSTANT]:
        return f"Learning did not improve on {WORDS[CONSTANT]}: the learned policy does what it does."
    return _compare(WORDS[LEARNED], WORDS[CONSTANT], verdict.over_constant)


def _compare(first: str, second: str, difference: Comparison) -> str:
    """Say whether one defense is better than another, with the interval."""
    found = "is better" if is_better(difference) else "is not shown to be better"
    return f"{first[:1].upper()}{first[1:]} {found} than {second}: the difference is {format_difference(difference)}."


def _recommend(verdict: HardeningVerdict) -> str:
    chosen = verdict.row(verdict.recommended)
    return (
        f"Recommended: {name_defense(chosen.name)}, whose worst type is {chosen.worst_type} ({chosen.worst:.3f}) and "
        f"whose largest regret is {chosen.regret:.3f}."
    )


def list_facts(verdict: HardeningVerdict) -> dict[str, str]:
    """Return the comparison of the most important defenses, by their names."""
    names = (LEARNED, CONSTANT, UNTRAINED, verdict.best_rule)
    rows = {WORDS.get(name, f"{name}, the best fixed rule").removeprefix("the "): verdict.row(name) for name in names}
    facts = {
        name: f"{format_summary(row.overall)}; worst {row.worst:.3f} ({row.worst_type}), regret {row.regret:.3f}"
        for name, row in rows.items()
    }
    counts = [verdict.row(LEARNED).overall.n]
    return facts | {
        "measured": f"accuracy minus backdoor accuracy, {OVER[verdict.table.over]}; {name_interval(counts)} in brackets"
    }


class Made(NamedTuple):
    """What a page is about."""

    request: HardeningRequest
    plan: HardeningPlan
    verdict: HardeningVerdict
    action: Section
    """The rule and the repair of the best constant action, as sections of a configuration."""
    left_out: Mapping[str, str]
    """Why some rules are not in the comparison."""
    curves: Sequence[LearningCurves] = ()
    """How the returns rose in training."""


def constant_sections(request: HardeningRequest, plan: RoundPlan) -> Section:
    """Return the sections of a configuration that a constant action stands for."""
    rule, repair = plan
    sections = {"defense": to_section(rule, [request.catalogues["defenses"]])}
    if repair is None:
        return sections
    return {**sections, "post_training": to_section(repair, [request.catalogues["post-training"]])}


def hardening_page(made: Made) -> str:
    """Return the page of a hardening as HTML."""
    request, verdict = made.request, made.verdict
    config, settings = request.config, request.settings
    title = f"Hardening of {config.model['name']} on {config.data.member['name']} against {request.domain_name}"
    return (
        load_templates()
        .get_template("hardening.html")
        .render(
            title=title,
            sentences=describe_hardening(verdict),
            facts=list_facts(verdict),
            rows=verdict.rows,
            types=list(verdict.table.weights),
            name=name_defense,
            recommended=verdict.recommended,
            made={LEARNED, CONSTANT, UNTRAINED},
            interval=name_interval([verdict.rows[0].overall.n]),
            attackers=describe_types(request),
            world=KNOWLEDGE[settings.knowledge],
            settings=settings,
            rounds=request.rounds,
            compared=request.compared,
            over=OVER[verdict.table.over],
            counts=made.plan.rounds,
            pictures=list(draw_curves(made.curves)),
            legend=[(name, line_classes(index)) for index, name in enumerate(list_names(made.curves))],
            constant=list(list_settings(made.action)),
            left_out=made.left_out,
            limits=list_limits(request),
            command=command_to_repeat_hardening(request),
        )
    )


def command_to_repeat_hardening(request: HardeningRequest) -> str:
    """Return the command that repeats a hardening, with every setting written out."""
    plugins = (f"--plugin {quote(plugin.module)}" for plugin in request.catalogues.plugins)
    document = {key: value for key, value in request.document.items() if key != "effort"}
    effort = f"--rounds {request.effort}" if isinstance(request.effort, int) else f"--budget {request.asked_effort}"
    return " ".join(["sparring harden", *plugins, *map(quote, list_settings(document)), effort])
