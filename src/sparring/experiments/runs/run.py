"""Execute a run in its folder, and resume one that was stopped."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sparring.arrays import move_tensors
from sparring.contracts import Model
from sparring.data import Dataset
from sparring.errors import ConfigError, Interrupted, RunError
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.config.file_contents import file_contents
from sparring.experiments.config.memory import translate_exhaustion
from sparring.experiments.config.parse import digest, first_difference
from sparring.experiments.config.plugins import plugins_of
from sparring.experiments.jobs.atomic_files import read_json, write_json
from sparring.experiments.jobs.observer import NOBODY, Observer
from sparring.experiments.jobs.save_pace import SELDOM, CheckpointInterval
from sparring.experiments.runs.checkpoint import (
    NOTES,
    Checkpoint,
    Checkpointer,
    drop_newest,
    latest_checkpoint,
)
from sparring.experiments.runs.cost import Stopwatch, adaptation_share, measure_speed
from sparring.experiments.runs.journal import Journal, read_records
from sparring.experiments.runs.manifest import (
    has_manifest,
    list_versions,
    read_manifest,
    read_old_manifest,
    write_manifest,
)
from sparring.experiments.runs.run_folder import (
    RECORDS,
    RESULT,
    TIMING,
    Existing,
    admit,
    clear,
    command_to_resume,
    lock_folder,
)
from sparring.experiments.runs.saved_model import save_model
from sparring.experiments.runs.training import (
    Training,
    TrainingState,
    build_training,
    report_preparation,
    run_kind,
)
from sparring.training.backends.threaded import torch_threads
from sparring.validation import check_device, check_kind


class Outcome(NamedTuple):
    """The outcome of a run: its folder, its results, and the speed of its training."""

    folder: Path
    result: dict[str, Any]
    rounds_per_second: float | None


@dataclass(frozen=True, eq=False)
class RunJob:
    """The fixed parts of a run in progress."""

    folder: Path
    config: AnyConfig
    dataset: Dataset
    training: Training
    observer: Observer
    cadence: CheckpointInterval
    plugins: Mapping[str, str]


def run(
    config: AnyConfig,
    folder: str | Path,
    *,
    existing: Existing = "refuse",
    observer: Observer = NOBODY,
    cadence: CheckpointInterval = SELDOM,
    catalogues: Catalogues = CATALOGUES,
) -> Outcome:
    """Execute a run from the start; with `existing="resume"`, resume the same run in the folder if there is one."""
    check_kind("run: config", config, kind=AnyConfig, remedy='make one from a document: parse_config({"data": {...}})')
    check_kind("run: folder", folder, kind=str | Path, remedy="give the path of a folder")
    folder = Path(folder)
    server = run_kind(config).validate(config, catalogues)
    admit(folder, existing)
    if existing == "resume" and has_manifest(folder):
        _refuse_another(config, folder, catalogues=catalogues)
        return resume(folder, observer=observer, cadence=cadence, catalogues=catalogues)
    with translate_exhaustion(), torch_threads(config.execution.threads):
        dataset = run_kind(config).load(config, catalogues)
        training = build_training(config, dataset, catalogues=catalogues, server=server)
        job = RunJob(folder, config, dataset, training, observer, cadence, plugins_of(config, catalogues))
        with lock_folder(folder):
            admit(folder, existing)
            clear(folder)
            write_manifest(folder, config, class_names=dataset.class_names, catalogues=catalogues)
            state, stopwatch = _run_rounds(job, None)
            return _finish(job, state, stopwatch=stopwatch)


def find_outcome(config: AnyConfig, folder: str | Path) -> Outcome | None:
    """Return the outcome of a complete run in a folder; None if it is another run or not complete."""
    folder = Path(folder)
    outcome = _read_outcome(folder) if has_manifest(folder) else None
    if outcome is None:
        return None
    known = read_old_manifest(folder).config
    is_this = digest(known) == digest(config) or first_difference(config, known) is None
    return outcome if is_this else None


def resume(
    folder: str | Path,
    *,
    observer: Observer = NOBODY,
    cadence: CheckpointInterval = SELDOM,
    catalogues: Catalogues = CATALOGUES,
) -> Outcome:
    """Resume a run that was stopped, with bit-identical results; for a complete run, return its outcome."""
    folder = Path(folder)
    about = read_manifest(folder, catalogues)
    config = about.config
    plugins = plugins_of(config, catalogues)
    outcome = _read_outcome(folder)
    if outcome is not None:
        return outcome
    check_device("execution.device", config.execution.device)
    if (about.versions, about.plugins) != (list_versions(), plugins):
        observer.notice(f"{folder} was started with other versions; results may differ in their last bits")
    with translate_exhaustion(), torch_threads(config.execution.threads), lock_folder(folder):
        _refuse_changed(config, folder, catalogues=catalogues)
        dataset = run_kind(config).load(config, catalogues)
        training = build_training(config, dataset, catalogues=catalogues)
        job = RunJob(folder, config, dataset, training, observer, cadence, plugins)
        start = _find_checkpoint(job)
        state, stopwatch = _run_rounds(job, start)
        return _finish(job, state, stopwatch=stopwatch)


def _read_outcome(folder: Path) -> Outcome | None:
    """Return the outcome of a complete run, else None."""
    result, timing = read_json(folder / RESULT), read_json(folder / TIMING)
    return None if result is None or timing is None else Outcome(folder, result, timing["rounds_per_second"])


def _refuse_another(config: AnyConfig, folder: Path, *, catalogues: Catalogues) -> None:
    difference = first_difference(config, read_manifest(folder, catalogues).config)
    if difference is not None:
        key, mine, theirs = difference
        raise ConfigError(f"{key} is {mine!r}; {folder} was started with {theirs!r}, choose another folder")


def _refuse_changed(config: AnyConfig, folder: Path, *, catalogues: Catalogues) -> None:
    """Reject resuming a run if the contents of a named file have changed since its start."""
    now = file_contents(config, catalogues) if config.files else {}
    for file, known in config.files.items():
        if now.get(file) != known:
            raise RunError(
                f"{file} has changed since {folder} was started; restore it, or run it again with --overwrite"
            )


def _find_checkpoint(job: RunJob) -> Checkpoint | None:
    """Return the checkpoint to resume from, with a notice if it is not the latest one."""
    folder, observer, codec = job.folder, job.observer, job.training.facts.codec
    start = latest_checkpoint(folder, codec, run=digest(job.config), records=folder / RECORDS)
    if start is None and any((folder / name).exists() for name in NOTES):
        observer.notice(f"no checkpoint in {folder} is intact; the run starts from the beginning")
    if start is not None and start.is_fallback:
        observer.notice(f"the latest checkpoint in {folder} is damaged; resuming from round {start.state.round}")
        drop_newest(folder)
    return start


def _run_rounds(job: RunJob, start: Checkpoint | None) -> tuple[TrainingState, Stopwatch]:
    """Execute the remaining rounds, and return the final state and the measured time."""
    facts, stopwatch = job.training.facts, Stopwatch()
    stopwatch.adapter = facts.adapter
    job.observer.expect(facts.rounds)
    size, begun = 0, None
    if start is not None:
        size, begun = start.records.size, move_tensors(start.state, facts.device)
    state: TrainingState | None = begun
    with closing(Journal(job.folder / RECORDS, size)) as journal, _explain_early_stop(job):
        if begun is None:
            report_preparation(facts, job.observer.stage)
        saver = Checkpointer(job.folder, journal, run=digest(job.config), cadence=job.cadence)
        for state, record in job.training.simulate(begun):
            stopwatch.stop(record)
            journal.append(record)
            job.observer.record(record)
            _save_or_stop(job, state, saver=saver)
            stopwatch.start()
    assert state is not None
    return state, stopwatch


@contextmanager
def _explain_early_stop(job: RunJob) -> Iterator[None]:
    """Say how to start again when a run is stopped at once, without waiting for the end of a round."""
    try:
        yield
    except KeyboardInterrupt:
        command = command_to_resume(job.folder, job.plugins)
        raise Interrupted(f"stopped at once; resume from the latest checkpoint with: {command}") from None


def _save_or_stop(job: RunJob, state: TrainingState, *, saver: Checkpointer) -> None:
    """Save a checkpoint if it is due, and stop if the observer requests it."""
    facts = job.training.facts
    is_last = state.round == facts.rounds
    is_stopped = not is_last and job.observer.wants_stop()
    if is_last or is_stopped or saver.is_due():
        saver.save(facts.codec.pack(state))
    if is_stopped:
        raise Interrupted(
            f"stopped after round {state.round}; resume with: {command_to_resume(job.folder, job.plugins)}"
        )


def _finish(job: RunJob, state: TrainingState, *, stopwatch: Stopwatch) -> Outcome:
    """Write the files of a complete run; the result comes last, since it marks the run as complete."""
    facts = job.training.facts
    model = Model(facts.network, state.parameters)
    save_model(job.folder, model, section=job.config.model, dataset=job.dataset)
    rate = measure_speed(stopwatch, job.training, state=state)
    share = adaptation_share(stopwatch)
    adapted = {} if share is None else {"adaptation_share": share}
    write_json(job.folder / TIMING, {"rounds_per_second": rate, **adapted})
    evaluated = [record for record in read_records(job.folder / RECORDS, facts.record) if record.accuracy is not None]
    last, played = evaluated[-1], evaluated[1:]
    result = {
        "accuracy": last.accuracy,
        "average_accuracy": sum(record.accuracy for record in played) / len(played),
        "loss": last.loss,
        "class_accuracy": list(last.class_accuracy or ()),
        **job.training.summarize(evaluated, model),
        "rounds": last.round,
        "digest": digest(job.config),
    }
    write_json(job.folder / RESULT, result)
    return Outcome(job.folder, result, rate)
