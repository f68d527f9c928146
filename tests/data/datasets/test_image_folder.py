import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data import ImageFolder
from sparring.errors import ConfigError, DataError


def paint(path: Path, value: int, *, height: int = 12, width: int = 20) -> Path:
    """Save an image of one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(path)
    return path


@pytest.fixture
def photos(tmp_path) -> Path:
    """Write two classes, not in the order of their names, into a folder of no easy name."""
    root = tmp_path / "mes données"
    for name, value in {"train/b/2": 40, "train/b/1": 30, "train/a/in/x": 20, "train/a/10": 10}.items():
        paint(root / f"{name}.png", value)
    for name, value in {"test/b/1": 60, "test/a/1": 50}.items():
        paint(root / f"{name}.png", value, height=30)
    return root


def load(root: Path) -> object:
    return ImageFolder(root=str(root), size=8).load()


def test_classes_and_images_come_in_the_order_of_their_names(photos):
    data = load(photos)
    assert data.train.inputs.shape == (4, 3, 8, 8)
    assert data.train.inputs.dtype == torch.uint8
    assert data.train.inputs.flatten(1).unique(dim=1).flatten().tolist() == [10, 20, 30, 40]
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    assert data.test.inputs[:, 0, 0, 0].tolist() == [50, 60]
    assert data.test.labels.tolist() == [0, 1]
    assert data.classes == 2


def test_mean_and_std_are_those_of_the_training_images(photos):
    data = load(photos)
    assert data.mean == pytest.approx([25 / 255] * 3)
    assert data.std == pytest.approx([np.std([10, 20, 30, 40]) / 255] * 3)


def test_a_folder_val_is_for_testing_if_there_is_no_test(photos):
    (photos / "test").rename(photos / "val")
    assert load(photos).test.inputs[:, 0, 0, 0].tolist() == [50, 60]


def test_classes_may_be_links(photos, tmp_path):
    elsewhere = (photos / "train" / "a").rename(tmp_path / "a")
    (photos / "train" / "a").symlink_to(elsewhere)
    assert load(photos).train.labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("name", [".DS_Store", "train/readme.txt", "train/a/.thumbs/x.png", "train/.git/x"])
def test_hidden_files_and_files_beside_the_classes_are_passed_over(photos, name):
    stray = photos / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("no image")
    assert len(load(photos).train.labels) == 4


def test_an_unreadable_file_is_named(photos):
    (photos / "train" / "b" / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match=r"train/b/notes.txt: cannot be read as an image .*; replace or remove it"):
        load(photos)


def test_a_class_of_one_split_only_is_named(photos):
    paint(photos / "test" / "c" / "1.png", 1)
    with pytest.raises(DataError, match=r"test has the class 'c', .*train has not; give both the same"):
        load(photos)
    (photos / "test" / "c").rename(photos / "train" / "c")
    with pytest.raises(DataError, match=r"train has the class 'c', .*test has not"):
        load(photos)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train", "train is not a folder; root must hold the folders train, and test or val"),
        ("test", "val is not a folder; root must hold the folders train, and test or val"),
    ],
)
def test_a_missing_split_is_named(photos, name, message):
    (photos / name).rename(photos / "elsewhere")
    with pytest.raises(DataError, match=message):
        load(photos)


def test_a_split_without_classes_is_named(photos):
    (photos / "test").rename(photos / "elsewhere")
    (photos / "test").mkdir()
    with pytest.raises(DataError, match="image_folder: .*test has no class; give it a folder of images for each class"):
        load(photos)


def test_a_class_without_images_is_named(photos):
    for split in ("train", "test"):
        (photos / split / "c").mkdir()
    with pytest.raises(DataError, match="image_folder: .*train/c holds no image"):
        load(photos)


def test_one_class_is_too_few(tmp_path):
    for split in ("train", "test"):
        paint(tmp_path / split / "only" / "1.png", 1)
    with pytest.raises(DataError, match="image_folder: classes is 1; it must be at least 2"):
        load(tmp_path)


@pytest.mark.parametrize("size", [7, 1025])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(ConfigError, match=f"image_folder: size is {size}; it must be 8 to 1024"):
        ImageFolder(root="photos", size=size)


def test_class_names_are_numbered_as_people_count(tmp_path):
    names = ["10", "2", "a10", "a9", "a9b", "02"]
    for value, name in enumerate(names):
        for split in ("train", "test"):
            paint(tmp_path / split / name / "1.png", value)
    data = load(tmp_path)
    assert data.class_names == ("02", "2", "10", "a9", "a9b", "a10")
    assert [names[value] for value in data.train.inputs[:, 0, 0, 0]] == list(data.class_names)
    assert data.test.inputs.equal(data.train.inputs)


def test_a_class_name_that_is_no_text_is_written_out(photos):
    for split in ("train", "test"):
        paint(photos / split / os.fsdecode(b"caf\xe9") / "1.png", 1)
    assert load(photos).class_names == ("a", "b", "caf\\xe9")


def test_images_of_more_than_a_byte_keep_their_shades(tmp_path):
    for split, name in product(("train", "test"), "ab"):
        (tmp_path / split / name).mkdir(parents=True)
        Image.fromarray(np.full((9, 9), 514, np.uint16)).save(tmp_path / split / name / "1.png")
    assert load(tmp_path).train.inputs.unique().tolist() == [2]


def test_a_root_below_a_home_that_is_not_there_is_named():
    with pytest.raises(DataError, match="image_folder: ~nobody-of-this-name/photos/train is not a folder"):
        load(Path("~nobody-of-this-name/photos"))
