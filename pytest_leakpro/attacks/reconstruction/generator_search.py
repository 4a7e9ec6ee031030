"""Inversion with a generator, by the scores that a model gives.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.reconstruction.generator_inversion import GeneratorInversion
from pytest_leakpro.attacks.reconstruction.latent_climb import margin
from pytest_leakpro.attacks.reconstruction.latent_mutation import LatentMutation
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.containers import as_numpy, length, take
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns, put_numbers
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from pytest_leakpro.attacks.reconstruction.latent_prior import LatentPrior
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GeneratorSearch"]


@dataclass(frozen=True)
class GeneratorSearch(GeneratorInversion):
    """Search by mutations what a conditional generator can make for what the model is sure of.

    As `GeneratorInversion`, of any model that gives scores: z is mutated at random, and stays
    where the model is surer of what is made. Nothing is asked about shifted copies.

    Parameters
    ----------
    attempts : int, optional
        How many records to rebuild, at least 10; by default 400.
    steps : int, default 80
        Of each search, at most: the model is asked so often about each start.
    restarts : int, default 1
        From how many starts an attempt is searched for.
    step_size : float, default 0.5
        Of the first mutations, in standard deviations of z.
    plausible, enough
        As for `GeneratorInversion`.

    References
    ----------
    An et al. (2022), MIRROR: model inversion for deep learning network with high fidelity, NDSS:
    a search of latent space without gradients.
    Yuan et al. (2023), Pseudo label-guided model inversion attack via conditional generative
    adversarial network, AAAI: the max-margin loss.
    """

    name: ClassVar[str] = "generator_search"
    access: ClassVar[Access] = Access.SCORES
    rank: ClassVar[int] = 425

    restarts: int = 1
    step_size: float = 0.5

    def _cannot_ask(self, target: Any) -> str | None:
        del target
        return None

    def _search(self, view: MembershipView, prior: LatentPrior) -> LatentMutation:
        """Ask the model about records in the user's container; see `GeneratorInversion`."""
        import torch

        known = view.records("nonmembers")
        columns = numeric_columns(known.inputs)

        def ask(records: Any, labels: Any) -> Any:
            wanted = as_numpy(labels)
            n = len(wanted)
            rows = take(known.inputs, np.arange(n) % length(known.inputs))
            asked = replace(
                known,
                inputs=put_numbers(rows, columns, numbers(records, columns)),
                labels=wanted,
                units=record_units(n),
                y=wanted,
                positions=np.arange(n),
            )
            said = view.ask(asked)
            # Of labels, for whom this attack does not match, there would be none.
            scores = torch.as_tensor(said.log_probabilities, device=labels.device)  # type: ignore[union-attr]
            return margin(scores, labels)

        return LatentMutation(prior, ask, self.steps, self.step_size, self.enough)
