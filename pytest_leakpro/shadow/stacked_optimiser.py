"""One step of torch's own optimisers for many models at once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.targets.torch_training import fused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["StackedOptimiser"]


class StackedOptimiser:
    """SGD, Adam or AdamW on weights of shape (K, ...).

    All of them work weight by weight, so that one step on a stack is one step on each model. Where
    only some models take a step, because the others have had all their records in an epoch, the
    others and their moments stay as they are.

    Parameters
    ----------
    trainer : TorchTrainer
        The recipe.
    weights : dict of str to Tensor
        Changed in place; each of shape (K, ...).
    """

    def __init__(self, trainer: TorchTrainer, weights: dict[str, Any]) -> None:
        import torch

        self._trainer = trainer
        self._weights = weights
        self._n_models = len(next(iter(weights.values())))
        self._fused = fused(trainer.device)
        self._adaptive = trainer.optimizer != "sgd"
        n_moments = 2 if self._adaptive else int(trainer.momentum > 0)
        self._moments = {
            name: [torch.zeros_like(value) for _ in range(n_moments)]
            for name, value in weights.items()
        }
        # Counted as torch does; on the device where its fused kernels look for them.
        at = next(iter(weights.values())).device if self._fused else "cpu"
        self._steps = torch.zeros(self._n_models, device=at)
        self._each = {name: torch.zeros((), device=at) for name in weights}
        self._in_step = True
        self.rate = trainer.rate(0)

    def step(self, gradients: dict[str, Any], members: Sequence[int] | None) -> None:
        """Update some models.

        Parameters
        ----------
        gradients : dict of str to Tensor
            Of shape (k, ...), for the k members; weights without one stay as they are.
        members : sequence of int or None
            Which of the K models take the step; None for all.
        """
        names = list(gradients)
        if members is None and self._in_step:
            weights = [self._weights[name] for name in names]
            moments = [self._moments[name] for name in names]
            found = [_laid_out_as(self._weights[name], gradients[name]) for name in names]
            self._update(weights, found, moments, [self._each[name] for name in names])
            self._steps += 1
            return
        # From here on models may have taken different numbers of steps.
        self._in_step = False
        rows = range(self._n_models) if members is None else members
        weights, found, moments, steps = [], [], [], []
        for name in names:
            for place, row in enumerate(rows):
                weights.append(self._weights[name][row])
                found.append(_laid_out_as(weights[-1], gradients[name][place]))
                moments.append([moment[row] for moment in self._moments[name]])
                steps.append(self._steps[row].clone())
        self._update(weights, found, moments, steps)
        self._steps[list(rows)] += 1

    def _update(
        self, weights: list[Any], gradients: list[Any], moments: list[Any], steps: list[Any]
    ) -> None:
        import torch
        from torch.optim.adam import adam
        from torch.optim.adamw import adamw
        from torch.optim.sgd import sgd

        trainer = self._trainer
        decay = trainer.weight_decay or 0.0
        # Torch's optimisers, without their objects, which keep one count of steps per tensor.
        foreach = None if self._fused else False
        with torch.no_grad():
            if not self._adaptive:
                sgd(
                    weights,
                    gradients,
                    [each[0] if each else None for each in moments],
                    fused=self._fused,
                    foreach=foreach,
                    weight_decay=decay,
                    momentum=trainer.momentum,
                    lr=self.rate,
                    dampening=0.0,
                    nesterov=False,
                    maximize=False,
                )
                return
            update = adam if trainer.optimizer == "adam" else adamw
            update(
                weights,
                gradients,
                [first for first, _ in moments],
                [second for _, second in moments],
                [],
                steps,
                fused=self._fused,
                foreach=foreach,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.rate,
                weight_decay=decay,
                eps=1e-8,
                maximize=False,
            )


def _laid_out_as(weight: Any, gradient: Any) -> Any:
    """Give a gradient the strides of its weight: one fused pass goes through memory in order."""
    import torch

    if gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight).copy_(gradient)
