"""The axes of a sweep, and the settings of each value on an axis."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.describe import format_member
from sparring.experiments.config.overrides import set_value
from sparring.experiments.config.sections import Section
from sparring.registry import offer

Bundle = Mapping[str, Any]
"""The settings of one value on an axis: values by key, such as `attack` or `attack.name`."""

Axes = Mapping[str, Mapping[str, Bundle]]
"""The bundles of each axis by their labels, in the file's order."""

ATTACK, DEFENSE, SEED = "attack", "defense", "seed"
"""The two axes of a grid, and the axis of repetitions."""
METRICS = (
    "accuracy",
    "average_accuracy",
    "loss",
    "backdoor_accuracy",
    "average_backdoor_accuracy",
    "backdoor_accuracy_with_target",
    "average_backdoor_accuracy_with_target",
    "backdoor_accuracy_of_all",
    "average_backdoor_accuracy_of_all",
    "conversion_rate",
    "evasion_rate",
    "gradient_norm",
)
COLUMNS = (*METRICS, "rounds", "run")
"""The columns of a frame other than the axes and the seed."""
NO_SLUG = re.compile(r"[^a-z0-9]+")
IN_BRACES = re.compile(r"\{([^{}]*)\}")
TAKEN = (*COLUMNS, "metric", "n", "mean", "std", "low", "high", "interval")
"""The columns of tables other than axes; an axis cannot have one of these names."""


def read_axes(section: Section) -> Axes:
    """Parse the section `axes` of a sweep file: each axis is a list of values, or bundles by name."""
    names = [key.removesuffix(".name") for key in section]
    for first, second in pairwise(sorted(names)):
        if first == second:
            raise ConfigError(f"axes has {first!r} twice; the axis {first}.name is also named {first}")
    for name in names:
        if name in TAKEN:
            raise ConfigError(f"axes has {name!r}, which is a column of tables; choose another name")
    return {name: _read_axis(key, section[key]) for name, key in zip(names, section, strict=True)}


def apply_bundle(document: Section, bundle: Bundle) -> dict[str, Any]:
    """Return the document with a bundle's settings: a section replaces a section, a dotted key sets a value."""
    changed = dict(document)
    for path, value in bundle.items():
        changed = set_value(changed, path, value=value)
    return changed


def fill_labels(value: Any, labels: Mapping[str, str]) -> Any:
    """Return a document in which `{axis}` in texts, such as file names, is replaced by the label on that axis."""
    for text in _texts(value):
        for axis in IN_BRACES.findall(text):
            if axis not in labels:
                raise UnknownName(f"{text!r} names the axis {axis!r}{offer(axis, labels)}")
    return replace_words(value, {axis: make_slug(label) for axis, label in labels.items()})


def refuse_alike(axes: Axes, document: Any) -> None:
    """Reject different labels with equal slugs in texts: two runs would then name the same file."""
    used = {axis for text in _texts(document) for axis in IN_BRACES.findall(text)}
    for axis in used & axes.keys():
        slugs: dict[str, str] = {}
        for label in axes[axis]:
            other = slugs.setdefault(make_slug(label), label)
            if other != label:
                raise ConfigError(
                    f"axes.{axis}: {other!r} and {label!r} are both {make_slug(label)!r} in a text; give the values "
                    "your own names"
                )


def replace_words(value: Any, words: Mapping[str, str]) -> Any:
    """Return a document in which each name in braces is replaced by its word."""
    if isinstance(value, Mapping):
        return {key: replace_words(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [replace_words(each, words) for each in value]
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"{{{name}}}", word)
    return value


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


def make_slug(label: str) -> str:
    """Return a label in lower-case letters, digits and hyphens."""
    return NO_SLUG.sub("-", label.lower()).strip("-")


def join_labels(labels: Mapping[str, str]) -> str:
    """Format a combination of labels; those of data, attacks and defenses appear without the name of their axis."""
    plain = ("data", ATTACK, DEFENSE)
    return ", ".join(label if axis in plain else f"{axis} {label}" for axis, label in labels.items())


def make_label(value: Any) -> str:
    """Return the label of a value on an axis: a catalogue member with its options, anything else in YAML syntax."""
    if isinstance(value, Mapping):
        return (
            format_member(value)
            if "name" in value
            else ", ".join(f"{key}={make_label(each)}" for key, each in value.items())
        )
    if isinstance(value, list):
        return " + ".join(map(make_label, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)


def _read_axis(key: str, values: Any) -> Mapping[str, Bundle]:
    if not values or not isinstance(values, Mapping | list):
        raise ConfigError(f"axes.{key} is {values!r}; it must be a list of values, or a mapping of names to settings")
    if isinstance(values, Mapping):
        return {name: _read_bundle(f"axes.{key}.{name}", settings) for name, settings in values.items()}
    bundles: dict[str, Bundle] = {}
    for value in values:
        if make_label(value) in bundles:
            raise ConfigError(f"axes.{key} has {make_label(value)!r} twice; write it once")
        bundles[make_label(value)] = {key: value}
    return bundles


def _read_bundle(path: str, settings: Any) -> Bundle:
    if not isinstance(settings, Mapping) or not settings:
        raise ConfigError(
            f"{path} is {settings!r}; it must be settings, as in {{attack.name: ipm, attack.malicious: 20}}"
        )
    return settings
