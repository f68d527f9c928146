"""Checks of anything that a configuration can name: it is a frozen dataclass whose fields are its options."""

import json
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from sparring.errors import UnknownName
from sparring.kinds import stated_facts
from sparring.registry import build


def its_settings_are_all_that_it_is(subject: Any) -> Iterator[str]:
    if not is_dataclass(subject) or isinstance(subject, type):
        yield "it is not a dataclass"
    elif replace(subject) != subject or hash(replace(subject)) != hash(subject):
        yield "a copy with the same fields is not equal to it; make it a frozen dataclass"


def its_settings_can_be_written_down(subject: Any) -> Iterator[str]:
    written = json.loads(json.dumps(asdict(subject)))
    if written != json.loads(json.dumps(asdict(replace(subject)))):
        yield "its fields differ when they are written twice"


def an_unknown_option_is_refused(subject: Any) -> Iterator[str]:
    try:
        build("plug-in", {"it": type(subject)}, {"name": "it", "no_such_option": 1})
    except UnknownName:
        return
    yield "the option no_such_option is accepted"


def what_it_states_about_itself_is_one_line_each(subject: Any) -> Iterator[str]:
    for name, fact in stated_facts(type(subject))._asdict().items():
        if len(fact.splitlines()) > 1:
            yield f"{name} has {len(fact.splitlines())} lines; make it one"


SETTINGS_CHECKS = (
    its_settings_are_all_that_it_is,
    its_settings_can_be_written_down,
    an_unknown_option_is_refused,
    what_it_states_about_itself_is_one_line_each,
)
