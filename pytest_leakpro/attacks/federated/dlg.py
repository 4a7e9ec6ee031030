"""Deep leakage from gradients: the first gradient inversion.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.attacks.federated.inversion import ImageSearch, bounded, labels_of
from pytest_leakpro.attacks.federated.misfit import Misfit
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.searches import quasi_newton
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    import numpy as np

    from pytest_leakpro.attacks.federated.watch import Watch
    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["DeepLeakage"]


@dataclass(frozen=True)
class DeepLeakage(ImageSearch):
    """Search by L-BFGS for pixels, and if asked for labels, of the same gradient.

    Parameters
    ----------
    steps, restarts, seconds
        As for `ImageSearch`.
    labels : {"guessed", "joint"}, default "guessed"
        Whether labels are read off the last layer first, or searched for with the pixels, as
        probabilities, for which the client's loss must take such.

    References
    ----------
    Zhu, Liu and Han (2019), Deep leakage from gradients, NeurIPS, algorithm 1 (joint). Zhao, Mopuri
    and Bilen (2020), iDLG: improved deep leakage from gradients (labels first).
    """

    labels: Literal["guessed", "joint"] = "guessed"

    name: ClassVar[str] = "dlg"
    default: ClassVar[bool] = False  # spectral_inversion finds more of the same objective
    rank: ClassVar[int] = 306

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels not in ("guessed", "joint"):
            raise LeakproError(f"labels of the attack {self.name!r}: give 'guessed' or 'joint'")

    def search(self, view: UpdateView, rng: np.random.Generator, watch: Watch) -> Rebuilt:
        """Search from every start; see `ImageSearch.search`."""
        torch = sys.modules["torch"]
        joint = self.labels == "joint" and view.labels is None and view.n_classes is not None
        known = None if joint else labels_of(view, rng)
        misfit = Misfit(view, "squared")

        def drawn(*shape: int) -> Any:
            values = rng.normal(size=shape)
            return torch.as_tensor(values, dtype=view.dtype, device=view.device)

        def objective(images: Any, logits: Any | None = None) -> Any:
            return misfit(images, known if logits is None else logits.softmax(1))

        best = None
        for _ in range(self.restarts):
            start: tuple[Any, ...] = (bounded(view, drawn(view.n_records, *view.shape)),)
            if joint:
                assert view.n_classes is not None
                start = (*start, drawn(view.n_records, view.n_classes))
            found = quasi_newton(objective, start, steps=self.steps, watch=watch)
            if best is None or found.value < best.value:
                best = found
            if watch.cut:
                break
        assert best is not None
        labels = best.point[1].argmax(1) if joint else known
        return Rebuilt(bounded(view, best.point[0]), labels, cut=watch.cut)
