"""Images as coefficients that are alike in size: a scale on which searches converge.

Neighbouring pixels of an image are nearly equal and its channels nearly proportional, so in the
basis of cosines its power falls with frequency as a power law, by a factor of some thousand over
an image. Divided by the root of that power the coefficients are of one size, and to a search by
gradients, which knows no other scale, the images that it can reach first are the likely ones.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["ImagePrior", "image_prior"]

_FEWEST_IMAGES = 20
_SHARE_OF_RANGE = 0.25
_COLOURS = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0))
_COLOUR_SCALES = (1.6, 0.5, 0.3)  # of natural photographs, brightness first
_EXPONENT = 1.0


@dataclass(frozen=True, repr=False, eq=False)
class ImagePrior:
    """A Gaussian law of images, independent over frequencies and mixtures of channels.

    Attributes
    ----------
    centre : tensor, to be broadcast to (n, c, h, w)
        The mean.
    amplitude : tensor of shape (c, h, w)
        Standard deviation of each coefficient.
    channels : tensor of shape (c, c)
        Orthonormal mixtures of channels, one per column.
    rows, columns : tensor of shape (h, h) and (w, w)
        Cosines, one per row.

    References
    ----------
    Ruderman and Bialek (1994), Statistics of natural images: scaling in the woods, Physical Review
    Letters 73 (power laws). Ahmed, Natarajan and Rao (1974), Discrete cosine transform, IEEE
    Transactions on Computers C-23.
    """

    centre: Any
    amplitude: Any
    channels: Any
    rows: Any
    columns: Any

    def images(self, coefficients: Any) -> Any:
        """Turn coefficients of shape (n, c, h, w), of variance 1, into images of that shape."""
        torch = sys.modules["torch"]
        waves = self.rows.T @ (coefficients * self.amplitude) @ self.columns
        return self.centre + torch.einsum("dc,nchw->ndhw", self.channels, waves)

    def draw(self, n: int, rng: np.random.Generator) -> Any:
        """Draw coefficients of n images."""
        torch = sys.modules["torch"]
        drawn = rng.normal(size=(n, *self.amplitude.shape))
        return torch.as_tensor(drawn, dtype=self.amplitude.dtype, device=self.amplitude.device)


def image_prior(view: UpdateView) -> ImagePrior:
    """Give a law of images such as the client's may be.

    Parameters
    ----------
    view : UpdateView
        Of images; of its update nothing is looked at.

    Returns
    -------
    ImagePrior
        Fitted to the population where there are at least 20 images of it: the mixtures of channels
        by principal components, the power of each by a power law of frequency. Else that of natural
        photographs, about the middle of the bounds or zero.
    """
    torch = sys.modules["torch"]
    channels, height, width = view.shape
    kind = {"dtype": view.dtype, "device": view.device}
    rows, columns = (_cosines(size).to(**kind) for size in (height, width))
    frequency = torch.hypot(
        torch.arange(height, **kind)[:, None] / height, torch.arange(width, **kind)[None] / width
    ) + 0.5 / max(height, width)
    if view.population is not None and len(view.population[0]) >= _FEWEST_IMAGES:
        images = view.population[0].to(**kind)
        centre = images.mean((0, 2, 3))[None, :, None, None]
        flat = (images - centre).transpose(0, 1).reshape(channels, -1)
        mixing = torch.linalg.eigh(flat @ flat.T / flat.shape[1]).eigenvectors.flip(1)
        waves = torch.einsum("dc,ndhw->nchw", mixing, images - centre)
        power = torch.square(rows @ waves @ columns.T).mean(0)
        return ImagePrior(centre, _power_law(power, frequency), mixing, rows, columns)
    centre, spread = torch.zeros((), **kind), 1.0
    if view.bounds is not None:
        low, high = view.bounds
        centre = ((low + high) / 2).to(**kind)
        spread = float((high - low).mean()) * _SHARE_OF_RANGE
    mixing, scales = torch.eye(channels, **kind), torch.ones(channels, **kind)
    if channels == len(_COLOURS):
        mixing = torch.nn.functional.normalize(torch.tensor(_COLOURS, **kind), dim=1).T
        scales = torch.tensor(_COLOUR_SCALES, **kind)
    amplitude = frequency**-_EXPONENT
    amplitude = spread * amplitude / amplitude.square().mean().sqrt()
    return ImagePrior(centre, scales[:, None, None] * amplitude, mixing, rows, columns)


def _cosines(size: int) -> Any:
    """Give an orthonormal basis of cosines, one per row."""
    torch = sys.modules["torch"]
    order = torch.arange(size, dtype=torch.float64)
    waves = torch.cos(math.pi * (order[None] + 0.5) * order[:, None] / size)
    waves[0] /= math.sqrt(2)
    return waves * math.sqrt(2 / size)


def _power_law(power: Any, frequency: Any) -> Any:
    """Fit log power by a line in log frequency, channel by channel, and give its root."""
    torch = sys.modules["torch"]
    total = power.mean()
    if total <= 0:
        return torch.ones_like(power)
    design = torch.stack([torch.ones_like(frequency), frequency.log()], -1).reshape(-1, 2)
    # A channel that is nearly constant must not stop the search where the client's is not.
    logs = power.clamp_min(1e-6 * total).log().reshape(len(power), -1).T
    fitted = design @ torch.linalg.lstsq(design, logs).solution
    return (fitted.T.reshape(power.shape) / 2).exp()
