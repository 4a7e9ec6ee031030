"""What an attacker can make up with a generator: its latent variables, and the records of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from scipy import special

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_tensor
from pytest_leakpro.targets.torch_model import evaluating

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LatentPrior", "require_finite"]


@dataclass(frozen=True, repr=False, eq=False)
class LatentPrior:
    """A conditional generator, asked near to where it was trained.

    Attributes
    ----------
    generator : torch.nn.Module
        ``(z, labels) -> records``, with `latent_dim`.
    shape : tuple of int
        Of one record of the members.
    plausible : float
        The share of standard normal vectors that are as short as any that is asked about.
    """

    generator: Any
    shape: tuple[int, ...]
    plausible: float

    @property
    def longest(self) -> float:
        """The norm of the longest vector that is asked about."""
        half = self.generator.latent_dim / 2
        return math.sqrt(2 * float(special.gammaincinv(half, self.plausible)))

    def within(self, z: Any) -> Any:
        """Shorten the vectors that are too long, in a tensor of shape (n, latent_dim)."""
        norms = z.norm(dim=1, keepdim=True)
        return z * (self.longest / norms.clamp_min(self.longest))

    def draw(self, n: int, rng: np.random.Generator) -> Any:
        """Draw n vectors, a tensor of shape (n, latent_dim)."""
        return self.within(self.tensor(rng.standard_normal((n, self.generator.latent_dim))))

    def tensor(self, values: NDArray[Any]) -> Any:
        """Bring numbers, or classes, to where the generator computes."""
        torch = sys.modules["torch"]
        like = self._like
        dtype = like.dtype if values.dtype.kind == "f" else torch.long
        return torch.as_tensor(values, dtype=dtype, device=like.device)

    @property
    def _like(self) -> Any:
        torch = sys.modules["torch"]
        weights = chain(self.generator.parameters(), self.generator.buffers())
        return next((entry for entry in weights if entry.is_floating_point()), torch.empty(0))

    @contextmanager
    def asked(self, rng: np.random.Generator) -> Iterator[None]:
        """Hold the generator in evaluation mode; whatever it draws follows from a seed."""
        torch = sys.modules["torch"]
        device = self._like.device
        devices = [device] if device.type == "cuda" else []
        with evaluating(self.generator), torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(rng.integers(2**62)))
            yield

    def records(self, z: Any, labels: Any) -> Any:
        """Make records.

        Parameters
        ----------
        z : tensor of shape (n, latent_dim)
        labels : tensor of int, shape (n,)

        Returns
        -------
        tensor of shape (n, *shape)

        Raises
        ------
        LeakproError
            Where the generator raises, or returns anything but one record per vector.
        """
        try:
            made = self.generator(z, labels)
        except Exception as error:
            raise LeakproError(
                f"generator: it raised {type(error).__name__} on z of shape {tuple(z.shape)} and "
                f"labels of shape {tuple(labels.shape)}, classes in the order of the model's "
                "outputs; its own error stands above"
            ) from error
        if not is_tensor(made):
            raise LeakproError(
                f"generator: it returned a {type(made).__name__}: it must return a tensor of "
                "records"
            )
        expected = (len(z), *self.shape)
        if tuple(made.shape) != expected:
            raise LeakproError(
                f"generator: it returned records of shape {tuple(made.shape)} where members like "
                f"these have shape {expected}: it must return one record per row of z, of the "
                "members' shape"
            )
        return made


def require_finite(values: Any, whose: str) -> None:
    """Check what was made first, or what was said of it.

    Raises
    ------
    LeakproError
    """
    if not bool(values.isfinite().all()):
        raise LeakproError(
            f"{whose} returned NaN or infinite values where z is standard normal: the generator "
            "must make finite records on the scale of the members"
        )
