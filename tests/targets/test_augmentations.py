"""Augmentations: those of images by default, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pytest_leakpro import Classifier, LeakproError, Recipe, Regressor
from pytest_leakpro.shadow.digest import digest_trainer
from pytest_leakpro.targets.augmentations import MovedPixels, augmented, read_augmentations
from tests.targets.examples import logistic, never, regression_sides, side

IMAGES = np.random.default_rng(0).normal(size=(12, 9, 8))
TABLE = side(20)[0]


def test_images_are_mirrored_and_shifted_by_a_pixel():
    mirrored, up, down, left, right = (f(IMAGES) for f in read_augmentations("default", IMAGES))
    assert np.array_equal(mirrored, IMAGES[:, :, ::-1])
    assert np.array_equal(up, np.concatenate([IMAGES[:, 1:], IMAGES[:, -1:]], axis=1))
    assert np.array_equal(down, np.concatenate([IMAGES[:, :1], IMAGES[:, :-1]], axis=1))
    assert np.array_equal(left, np.concatenate([IMAGES[:, :, 1:], IMAGES[:, :, -1:]], axis=2))
    assert np.array_equal(right, np.concatenate([IMAGES[:, :, :1], IMAGES[:, :, :-1]], axis=2))


@pytest.mark.parametrize(
    ("shape", "height", "width"), [((9, 8), 1, 2), ((3, 9, 8), 2, 3), ((9, 8, 1), 1, 2)]
)
def test_channels_stay_where_they_are(shape, height, width):
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(0).integers(0, 255, (12, *shape)).astype(np.uint8)
    moves = read_augmentations("default", images)
    assert [(f.axis, f.by) for f in moves] == [
        (width, 0),
        (height, -1),
        (height, 1),
        (width, -1),
        (width, 1),
    ]
    for move in moves:
        moved, tensor = move(images), move(torch.as_tensor(images))
        assert moved.dtype == images.dtype
        assert tensor.dtype == torch.uint8
        assert np.array_equal(moved, tensor.numpy())
        torch.from_numpy(moved)  # no negative strides


@pytest.mark.parametrize(
    "inputs",
    [
        TABLE,
        IMAGES[:, :7],
        IMAGES.astype(str),
        np.zeros((12, 9, 9, 9)),
        sparse.csr_matrix(TABLE),
        pd.DataFrame(TABLE),
        list(IMAGES),
    ],
    ids=["table", "too small", "text", "volume", "sparse", "frame", "list"],
)
def test_nothing_else_is_augmented_unless_it_is_said(inputs):
    assert read_augmentations("default", inputs) == ()


def test_none_is_none():
    assert read_augmentations(None, IMAGES) == read_augmentations([], IMAGES) == ()


def draw(X):
    return X + np.random.default_rng().normal(size=X.shape)


def by_place(X):
    return X + np.random.default_rng(0).normal(size=X.shape)


def in_place(X):
    X += 1
    return X


def fails(X):
    raise ZeroDivisionError("3141.59")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("flip", "augmentations is a str: give a list"),
        (np.flip, "give a list of functions"),
        ([3], r"augmentations\[0\] \(int\) is a int: give a function"),
        ([np.negative, lambda X: None], r"augmentations\[1\] \(<lambda>\) returned None"),
        ([lambda X: X[:, :2]], r"records of shape \(2,\) for those of shape \(3,\)"),
        ([lambda X: X[1:]], "11 records for 12"),
        ([lambda X: X > 0], "type b for those of type f"),
        ([lambda X: list(X)], "the same kind of container that it gets, a array"),
        ([draw], "is random, as two calls differ: it must be deterministic"),
        ([by_place], "each copy must follow from its record alone"),
        ([lambda X: X - X.mean(axis=0)], "each copy must follow from its record alone"),
        ([in_place], "changes the records that it gets"),
        ([fails], "raised ZeroDivisionError on 12 records"),
        ([np.negative] * 65, "65 functions: give at most 64"),
    ],
)
def test_what_is_refused(given, said):
    with pytest.raises(LeakproError, match=said) as caught:
        read_augmentations(given, TABLE.copy())
    assert "3141.59" not in str(caught.value)


def test_frames_lists_and_sparse_matrices_are_augmented_by_functions_of_theirs():
    frame = pd.DataFrame({"a": [1.5, None, 2.0] * 5, "b": ["x", "y", "z"] * 5})
    swapped = read_augmentations([lambda X: X.assign(a=-X["a"])], frame)
    assert swapped[0](frame)["a"][0] == -1.5
    with pytest.raises(LeakproError, match="the columns of a DataFrame"):
        read_augmentations([lambda X: X.rename(columns={"a": "c"})], frame)
    texts = ["one", "two", "three"] * 5
    assert read_augmentations([lambda X: [text.upper() for text in X]], texts)
    with pytest.raises(LeakproError, match="random"):
        read_augmentations([lambda X: [text + str(np.random.rand()) for text in X]], texts)  # noqa: NPY002
    assert read_augmentations([lambda X: X * 2], sparse.csr_matrix(TABLE))


def test_a_function_is_checked_whenever_it_is_used():
    with pytest.raises(LeakproError, match=r"augmentations\[2\] returned records of shape"):
        augmented(lambda X: X[:, :1], TABLE, "augmentations[2]")


def test_targets_and_views_have_them_and_no_model_is_asked():
    mirror, members, nonmembers = [np.negative], side(20, 1), side(20, 2)
    target = Classifier(never, members, nonmembers, augmentations=mirror)
    assert target.prepare(0).augmentations == target.augmentations == (np.negative,)
    assert Classifier(never, members, nonmembers).augmentations == ()
    regressor = Regressor(never, *regression_sides(), augmentations=mirror)
    assert regressor.augmentations == (np.negative,)
    recipe = Recipe(lambda X, y, seed: logistic((X, y)), *side(40), augmentations=mirror)
    assert recipe.realise(0).augmentations == (np.negative,)
    images = np.random.default_rng(0).normal(size=(20, 8, 8))
    target = Classifier(never, (images, members[1]), (images + 1, members[1]))
    assert len(target.augmentations) == 5


def test_digests_tell_augmentations_apart():
    shift = 0.5
    digests = [
        digest_trainer(function)
        for function in (
            MovedPixels(1),
            MovedPixels(2),
            MovedPixels(1, 1),
            lambda X: X + shift,
            lambda X: X + 2 * shift,
        )
    ]
    assert len(set(digests)) == 5
    assert digest_trainer(MovedPixels(1)) == digests[0]
