"""The model at the end of a run, `model.safetensors`: its parameters, and the description of its network."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError

from sparring.contracts import Model
from sparring.data import Dataset
from sparring.errors import UnknownFolder
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import write
from sparring.models import ModuleNetwork, network
from sparring.models.tensor_file import read_tensors, tensor_bytes
from sparring.registry import build
from sparring.validation import check_kind

NAME, KIND = "model.safetensors", "network"
CONSTANT = "constant:"
"""The prefix of the names of tensors that are not trained."""


class ModelFacts(NamedTuple):
    """The properties of the data that a network depends on."""

    shape: tuple[int, ...]
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def save_model(folder: Path, model: Model, *, section: Section, dataset: Dataset) -> None:
    """Write the parameters of a model and the tensors of its network that are not trained."""
    facts = ModelFacts(dataset.shape, dataset.classes, dataset.mean, dataset.std)
    network = model.network
    constants = network.constants if isinstance(network, ModuleNetwork) else {}
    held = {f"{CONSTANT}{name}": tensor for name, tensor in constants.items()}
    described, tensors = {"model": section, "data": facts}, {"parameters": model.parameters, **held}
    write(folder / NAME, tensor_bytes(KIND, described=described, tensors=tensors))


def load_model(folder: str | Path, catalogues: Catalogues = CATALOGUES) -> Model:
    """Return the final model of a run from its folder; neither the data nor a configuration is needed."""
    check_kind("load_model: folder", folder, kind=str | Path, remedy="give the folder of a run, such as outcome.folder")
    path = Path(folder) if Path(folder).is_file() else Path(folder) / NAME
    try:
        described, tensors = read_tensors(path, KIND)
        parameters = tensors.pop("parameters")
    except (OSError, SafetensorError, TypeError, KeyError, ValueError):
        raise UnknownFolder(f"{path} holds no model of a run; give the folder of a run that is complete") from None
    shape, classes, mean, std = described["data"]
    facts = ModelFacts(tuple(shape), classes, tuple(mean), tuple(std))
    fitted = network(build("model", catalogues["models"], described["model"]), facts)
    constants = {name.removeprefix(CONSTANT): tensor for name, tensor in tensors.items()}
    return Model(replace(fitted, constants=constants), parameters)
