"""Pictures of records and reconstructions are kept when that is asked for, and only then."""

import stat

import numpy as np
import pytest

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store import pictures

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("torch")


@pytest.fixture
def updates(pytester):
    pytester.makepyfile(
        test_it="""
        import numpy as np, torch
        from torch import nn
        from pytest_leakpro import FederatedUpdate

        def test_it(leakpro):
            torch.manual_seed(0)
            model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
            batch = torch.rand(2, 1, 8, 8), torch.tensor([0, 2])
            target = FederatedUpdate.from_gradient(model, batch, bounds=(0, 1), name="clinic")
            budget = "reconstruction[psnr>=30] <= 5%"
            leakpro.measure(target, budget, attacks=["first_layer"])
            np.save("records.npy", batch[0].numpy())
        """
    )
    return pytester


def sheets(repo):
    return sorted((repo.path / ".leakpro").glob("reconstructions/*.png"))


def test_nothing_is_written_unasked(updates):
    result = updates.runpytest("--leakpro")
    result.assert_outcomes(passed=1)
    assert not (updates.path / ".leakpro" / "reconstructions").exists()


@pytest.mark.parametrize("way", ["flag", "ini"])
def test_records_stand_above_what_was_rebuilt_of_them(updates, way):
    if way == "ini":
        updates.makeini("[pytest]\nleakpro_save_reconstructions = true\n")
    flags = ["--leakpro-save-reconstructions"] if way == "flag" else []
    result = updates.runpytest("--leakpro", *flags)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*note: records beside what first_layer rebuilt*.leakpro/reconstructions/*: personal data"]
    )
    (sheet,) = sheets(updates)
    assert stat.S_IMODE(sheet.parent.stat().st_mode) == 0o700
    shown = np.asarray(Image.open(sheet))
    records = np.load(updates.path / "records.npy")
    # Two frames of 8 + 2 * 2 pixels side by side, eight times as large.
    assert shown.shape == (2 * 12 * 8, 2 * 12 * 8, 3)
    pixel = shown[2 * 8 + 4, 2 * 8 + 4, 0] / 255
    low, high = records.min(), records.max()
    assert pixel == pytest.approx((records[0, 0, 0, 0] - low) / (high - low), abs=0.01)


def test_the_run_s_record_shows_no_pixel(updates):
    updates.runpytest("--leakpro", "--leakpro-save-reconstructions")
    run = next((updates.path / ".leakpro" / "runs").glob("*.json")).read_text()
    value = f"{np.load(updates.path / 'records.npy')[0, 0, 0, 0]:.5f}"
    assert value not in run


def test_without_pillow_it_is_said_before_anything_is_attacked(monkeypatch):
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(LeakproError, match=r"pip install 'pytest-leakpro\[federated\]'"):
        pictures.require_pictures()


@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (2, 16, 16, 3), (2, 16, 16), (2, 1, 16, 16)])
def test_every_layout_of_images_can_be_kept(tmp_path, shape):
    records = np.random.default_rng(0).random(shape)
    name = pictures.save_pictures(tmp_path, records, records, (0, 1), {"batch": 0})
    assert np.asarray(Image.open(tmp_path / name)).shape == (2 * 20 * 4, 2 * 20 * 4, 3)
