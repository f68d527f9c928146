"""The picture of both players' moves shows what they did."""

from io import BytesIO

import pytest
import torch
from matplotlib.image import imread

from sparring.experiments import apply_overrides, parse_config
from sparring.experiments.config.build_central import build_central, load_central_dataset
from studies.minibatches import DPI, ROWS, SETTINGS, draw, show_stages, train

SMALL = (
    *("data={name: digits, size: 12, train: 100, validation: 50}", "model.hidden=8"),
    *("training.epochs=2", "training.batch=50", "attack.epsilon=1.0", "defense.epsilon=1.0"),
)


@pytest.fixture(scope="module")
def stages():
    config = parse_config(apply_overrides(SETTINGS, SMALL))
    training = build_central(config, load_central_dataset(config))
    state = train(training)
    assert state.round == training.rounds == 4
    return show_stages(training, state)


def test_each_class_has_one_image_at_three_stages(stages):
    assert [tuple(stage.shape) for stage in stages] == [(10, 1, 12, 12)] * 3
    assert len({image.numpy().tobytes() for image in stages.original}) == 10


def test_what_is_added_leads_from_stage_to_stage_within_the_bound(stages):
    rows = stages.rows()
    assert tuple(rows) == ROWS
    torch.testing.assert_close(rows["original"] + rows["perturbation"], rows["perturbed"])
    torch.testing.assert_close(rows["perturbed"] + rows["transformation"], rows["transformed"])
    for name in ("perturbation", "transformation"):
        lengths = rows[name].flatten(1).norm(dim=1)
        assert (lengths <= 1.0001).all()
        assert (lengths > 0.2).all()  # the attacker has its full length after few rounds, too


def test_the_picture_has_a_row_for_each_of_five_images(stages):
    picture = imread(BytesIO(draw(stages)))
    assert picture.shape[:2] == (round(0.75 * 5 * DPI), round(0.75 * 11 * DPI))
    assert (picture[..., 0] > picture[..., 2] + 0.5).any()  # red
    assert (picture[..., 2] > picture[..., 0] + 0.5).any()  # blue
