"""Convert documents of central trainings to settings and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sparring.errors import UnknownName
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.central_schema import (
    CentralConfig,
    CentralDataSettings,
    CentralEvaluationSettings,
    CentralExecutionSettings,
    CentralThreatSettings,
    TrainingSettings,
)
from sparring.experiments.config.schema import Config, Seed
from sparring.experiments.config.sections import (
    Section,
    fill_defaults,
    member,
    parse_section,
    split_member_options,
    subsection,
)
from sparring.registry import checked, offer

CENTRAL_SECTIONS: Mapping[str, type] = {
    "data": CentralDataSettings,
    "training": TrainingSettings,
    "threat": CentralThreatSettings,
    "evaluation": CentralEvaluationSettings,
    "execution": CentralExecutionSettings,
}
"""The class of each section without a name."""

DATA, MODEL = {"name": "digits"}, {"name": "mlp"}
NONE = {"name": "none"}


def parse_central(document: Section, catalogues: Catalogues) -> CentralConfig:
    """Return the settings that a document describes; unknown keys and names are rejected."""
    known = ["kind", *(field.name for field in fields(CentralConfig) if field.name != "files")]
    for key in document:
        if key not in known:
            is_federated = key in {field.name for field in fields(Config)}
            remedy = "; it belongs to a federation, leave it out" if is_federated else offer(key, known)
            raise UnknownName(f"the configuration has no key {key!r} with kind=central{remedy}")
    families = catalogues.families
    return CentralConfig(
        seed=checked("seed", Seed, document.get("seed", CentralConfig.seed)),
        data=parse_section("data", CentralDataSettings, split_data(document, CentralDataSettings, catalogues)),
        model=fill_defaults("model", catalogues["models"], section=MODEL | member(document, "model")),
        attack=fill_defaults(
            "attack", catalogues["perturbations"], section=NONE | member(document, "attack"), families=families
        ),
        defense=fill_defaults(
            "defense", catalogues["purifications"], section=NONE | member(document, "defense"), families=families
        ),
        **_parse_sections(document),
    )


def read_central(document: Section, files: Mapping[str, str]) -> CentralConfig:
    """Return the settings that `central_document` wrote, without importing the members that they name."""
    own = {field.name for field in fields(CentralDataSettings)} - {"member"}
    data = subsection(document, "data")
    source = {key: value for key, value in data.items() if key not in own}
    beside = {key: value for key, value in data.items() if key in own}
    return CentralConfig(
        seed=document.get("seed", CentralConfig.seed),
        data=parse_section("data", CentralDataSettings, {**beside, "member": source}),
        model=member(document, "model"),
        attack=member(document, "attack"),
        defense=member(document, "defense"),
        files=files,
        **_parse_sections(document),
    )


def central_document(config: CentralConfig) -> dict[str, Any]:
    """Return the document of all settings; `parse_central` converts it into an equal configuration."""
    document = asdict(config)
    del document["files"]
    own = {key: value for key, value in document["data"].items() if key != "member"}
    if own["only"] is None:
        del own["only"]  # runs from before this key keep their digests
    return {"kind": CentralConfig.kind, **document, "data": {**document["data"]["member"], **own}}


def _parse_sections(document: Section) -> dict[str, Any]:
    """Return the settings of the sections that name no member."""
    plain = {key: settings for key, settings in CENTRAL_SECTIONS.items() if key != "data"}
    return {key: parse_section(key, settings, subsection(document, key)) for key, settings in plain.items()}


def split_data(document: Section, settings: type, catalogues: Catalogues) -> dict[str, Any]:
    """Return the section `data` with the data set as its `member`, apart from the keys of `settings`."""
    beside = [field.name for field in fields(settings) if field.name != "member"]
    section, datasets = DATA | member(document, "data"), catalogues["datasets"]
    source, own = split_member_options("data", datasets, section=section, beside=beside)
    return {**own, "member": fill_defaults("data", datasets, section=source)}
