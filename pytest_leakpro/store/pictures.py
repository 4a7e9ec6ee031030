"""Pictures of records beside what was rebuilt of them, kept only when asked for: they show data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import io
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.atomic import write_bytes
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["require_pictures", "save_pictures"]

_SMALLEST = 64  # pixels, to which smaller pictures are enlarged
_GAP = 2


def require_pictures() -> None:
    """Check that pictures can be written.

    Raises
    ------
    LeakproError
        Where Pillow is missing.
    """
    if find_spec("PIL") is None:
        raise LeakproError(
            "pictures of reconstructions are written by Pillow: "
            "pip install 'pytest-leakpro[federated]', or leave out --leakpro-save-reconstructions"
        )


def save_pictures(
    private: Path,
    records: NDArray[Any],
    guesses: NDArray[Any],
    span: tuple[float, float],
    about: Mapping[str, Any],
) -> str:
    """Keep a sheet of pictures in the folder ``.leakpro``; give the path of the file within it.

    Parameters
    ----------
    private : Path
        The folder ``.leakpro``.
    records, guesses : ndarray of shape (n, c, h, w), (n, h, w, c) or (n, h, w)
        Records in the upper row, what was rebuilt of each below it.
    span : pair of float
        The values that are black and white.
    about : mapping of str to str or int
        Which audit and batch they are of. The next run of the same audit writes the same file.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    from PIL import Image

    rows = [
        np.concatenate([_framed(entry, span) for entry in side], 1) for side in (records, guesses)
    ]
    sheet = np.concatenate(rows)
    picture = Image.fromarray(sheet)
    times = max(1, _SMALLEST // min(_pixels(records[0]).shape[:2]))
    if times > 1:
        size = sheet.shape[1] * times, sheet.shape[0] * times
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    identity = json.dumps(dict(about), sort_keys=True)
    name = f"reconstructions/{hashlib.sha256(identity.encode()).hexdigest()[:16]}.png"
    make_private(private, private / "reconstructions")
    write_bytes(private / name, buffer.getvalue())
    return name


def _pixels(image: NDArray[Any]) -> NDArray[Any]:
    """Bring an image to shape (h, w, 3)."""
    if image.ndim == 2:
        image = image[..., None]
    elif image.shape[0] in (1, 3) and image.shape[-1] not in (1, 3):
        image = np.moveaxis(image, 0, -1)
    return np.repeat(image[..., :1], 3, -1) if image.shape[-1] != 3 else image


def _framed(image: NDArray[Any], span: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = span
    scaled = np.clip((_pixels(image).astype(float) - low) / ((high - low) or 1.0), 0, 1)
    edges = ((_GAP, _GAP), (_GAP, _GAP), (0, 0))
    return np.pad(np.rint(255 * scaled).astype(np.uint8), edges, constant_values=255)
