"""Choose hyperparameters by the worst of several attacks, on validation examples: never on the reported ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.sections import Section, refuse_unknown
from sparring.experiments.jobs.atomic_files import write_json
from sparring.experiments.sweeps.axes import SEED, Axes, Bundle, make_label
from sparring.registry import offer

NAME = "selection.json"
KEYS = ("tune", "try", "against", "seeds")
TUNABLE = ("defense", "federation", "post_training")
"""The sections that a server controls; the others define its task."""
TRY = "select.try"
"""The additional axis of candidates."""

Context = tuple[tuple[str, str], ...]
"""The scope of one choice: labels on all axes except those of attacks and seeds."""


@dataclass(frozen=True)
class Selection:
    """The tuned values of an axis, the candidates for each, and the attacks to tune against."""

    tune: str
    candidates: Mapping[str, Mapping[str, Bundle]]
    """For each tuned value, the candidate settings by their labels."""
    against: str
    attacks: Sequence[str]
    seeds: Sequence[str]

    def context(self, labels: Mapping[str, str]) -> Context:
        return tuple((axis, value) for axis, value in labels.items() if axis not in (self.against, SEED, TRY))

    def tries(self, labels: Mapping[str, str]) -> bool:
        """Return whether candidates are tried for these labels."""
        is_tuned, is_attacked = labels[self.tune] in self.candidates, labels[self.against] in self.attacks
        return is_tuned and is_attacked and labels.get(SEED) in (None, *self.seeds)


class CandidateRun(NamedTuple):
    """A run of a candidate: its labels, and its accuracy on validation examples if it is complete."""

    labels: Mapping[str, str]
    accuracy: float | None


class CandidateScore(NamedTuple):
    """The score of a candidate: its mean accuracy over seeds under each attack, and the worst of these."""

    settings: Bundle
    accuracy: Mapping[str, float]
    worst: float


class Choice(NamedTuple):
    """The candidate with the best worst-case accuracy; among equal ones, the first."""

    labels: Mapping[str, str]
    chosen: Bundle
    worst: float
    n: int
    """The number of seeds in each mean."""
    trials: tuple[CandidateScore, ...]


def read_selection(section: Section, axes: Axes) -> Selection | None:
    """Parse the section `select` of a sweep file; None if there is none."""
    if not section:
        return None
    refuse_unknown("select", section, known=KEYS)
    for key in KEYS[:-1]:
        if key not in section:
            raise ConfigError(f"select lacks {key!r}; write tune: defense, try: {{...}}, against: {{attack: [...]}}")
    tune = section["tune"]
    if not isinstance(tune, str):
        raise ConfigError(f"select.tune is {tune!r}; it must be the name of an axis")
    _refuse_absent("select.tune", [tune], known=axes)
    against, attacks = _read_attacks(section["against"], axes)
    if against == tune:
        raise ConfigError(f"select.against is {against!r}, which is tuned; name the axis of attacks")
    return Selection(tune, _read_candidates(section["try"], axes[tune]), against, attacks, _read_seeds(section, axes))


def choose(selection: Selection, tried: Iterable[CandidateRun]) -> dict[Context, Choice]:
    """Return the choice for each context of which all runs are complete."""
    runs: dict[Context, list[CandidateRun]] = defaultdict(list)
    for each in tried:
        runs[selection.context(each.labels)].append(each)
    is_complete = {context: all(run.accuracy is not None for run in runs[context]) for context in runs}
    return {context: _make_choice(selection, context, runs=runs[context]) for context in runs if is_complete[context]}


def write_selection(folder: Path, selection: Selection, *, choices: Mapping[Context, Choice]) -> None:
    """Write the candidates and the choices."""
    content = {
        "sparring_selection": 1,
        "tune": selection.tune,
        "against": {selection.against: selection.attacks},
        "seeds": selection.seeds,
        "choices": [
            {**choice._asdict(), "trials": [trial._asdict() for trial in choice.trials]} for choice in choices.values()
        ],
    }
    write_json(folder / NAME, content)


def _make_choice(selection: Selection, context: Context, *, runs: Sequence[CandidateRun]) -> Choice:
    candidates = selection.candidates[dict(context)[selection.tune]]
    trials = tuple(
        _score_candidate(settings, selection.against, runs=[run for run in runs if run.labels[TRY] == name])
        for name, settings in candidates.items()
    )
    best = max(trials, key=lambda trial: trial.worst)
    seeds = {run.labels.get(SEED) for run in runs}
    return Choice(dict(context), best.settings, best.worst, len(seeds), trials)


def _score_candidate(settings: Bundle, against: str, *, runs: Sequence[CandidateRun]) -> CandidateScore:
    accuracies: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        assert run.accuracy is not None
        accuracies[run.labels[against]].append(run.accuracy)
    means = {attack: fmean(values) for attack, values in accuracies.items()}
    return CandidateScore(settings, means, min(means.values()))


def _read_attacks(section: Any, axes: Axes) -> tuple[str, Sequence[str]]:
    if not isinstance(section, Mapping) or len(section) != 1:
        raise ConfigError(f"select.against is {section!r}; it must be an axis and its values, as in {{attack: [ipm]}}")
    ((against, attacks),) = section.items()
    _refuse_absent("select.against", [against], known=axes)
    return against, _read_labels(f"select.against.{against}", attacks, known=axes[against])


def _read_seeds(section: Section, axes: Axes) -> Sequence[str]:
    """Return the seeds for tuning: those given, or all."""
    if "seeds" not in section:
        return list(axes.get(SEED, ()))
    if SEED not in axes:
        raise ConfigError("select.seeds is given; there is no axis seed, add one or leave select.seeds out")
    return _read_labels("select.seeds", section["seeds"], known=axes[SEED])


def _read_labels(path: str, values: Any, *, known: Iterable[str]) -> Sequence[str]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{path} is {values!r}; it must be a list of values of the axis")
    labels = list(map(make_label, values))
    _refuse_absent(path, labels, known=known)
    return labels


def _read_candidates(section: Any, values: Iterable[str]) -> Mapping[str, Mapping[str, Bundle]]:
    if not isinstance(section, Mapping) or not section:
        raise ConfigError(
            f"select.try is {section!r}; it must say what to try, as in {{krum: {{defense.keep: [1, 2]}}}}"
        )
    _refuse_absent("select.try", section, known=values)
    return {value: _make_combinations(f"select.try.{value}", options) for value, options in section.items()}


def _make_combinations(path: str, options: Any) -> Mapping[str, Bundle]:
    """Return every combination of the candidate values."""
    if not isinstance(options, Mapping) or not all(isinstance(values, list) for values in options.values()):
        raise ConfigError(f"{path} is {options!r}; it must be lists of values, as in {{defense.max_norm: [1, 2]}}")
    for key in options:
        if key.partition(".")[0] not in TUNABLE:
            raise ConfigError(f"{path} has {key!r}, which the server does not control; use {', '.join(TUNABLE)}")
    bundles = [dict(zip(options, values, strict=True)) for values in product(*options.values())]
    if len(bundles) < 2:
        raise ConfigError(f"{path} leaves no choice; give a list of at least two values")
    return {make_label(bundle): bundle for bundle in bundles}


def _refuse_absent(path: str, labels: Iterable[str], *, known: Iterable[str]) -> None:
    for each in labels:
        if each not in known:
            raise UnknownName(f"{path} names {each!r}{offer(each, known)}")
