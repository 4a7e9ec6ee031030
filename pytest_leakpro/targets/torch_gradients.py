"""Per-record gradients of torch modules: many records at once, in bounded memory.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, length, take
from pytest_leakpro.targets.gradient_statistics import Norms, statistics
from pytest_leakpro.targets.torch_model import evaluating, tensor_for, without_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Gradients = dict[str, Any]
    Measure = Callable[[Gradients, Any], NDArray[np.float64]]

__all__ = ["measure_gradients", "module_layers", "module_statistics"]

# Numbers in the gradients of the records at hand: 64 MiB in single precision.
_ELEMENTS = 1 << 24
_MOST_RECORDS = 256
# Between many records at once and one by one: rounding, and far below no digits are left.
_TOLERANCE = 0.01
_FAR_BELOW = -60.0


def module_layers(module: Any) -> list[str]:
    """Name the layer of each weight of a module, frozen ones too, in their order."""
    return [name.rpartition(".")[0] for name in _weights(module)]


def _weights(module: Any) -> dict[str, Any]:
    return {name: value for name, value in module.named_parameters() if value.is_floating_point()}


def module_statistics(
    module: Any,
    inputs: Any,
    labels: NDArray[Any],
    output: str,
    batch_size: int | None = None,
) -> NDArray[np.float64]:
    """Give statistics of each record's gradient of the loss by all weights of a module.

    The module is asked in evaluation mode, where it lies, and is as it was afterwards. Many records
    at a time go through `torch.func`; one by one where a layer does not allow that (recurrent ones,
    functions with a backward of their own), or where the first record's figures differ.

    Parameters
    ----------
    module : torch.nn.Module
    inputs : container of n records
    labels : ndarray
        Classes of shape (n,), or targets of shape (n, d).
    output : {"logits", "probabilities", "predictions"}
        What the module returns: the loss is the cross-entropy of the first two, and the mean
        squared error of predictions.
    batch_size : int, optional
        At most how many records at once.

    Returns
    -------
    ndarray of shape (q, n)
        See `gradient_statistics.statistics`.

    Raises
    ------
    LeakproError
        Where the model does not let a gradient through, or raises.
    """
    layers = module_layers(module)

    def measure(gradients: Gradients, residuals: Any) -> NDArray[np.float64]:
        return statistics(_norms(list(gradients.values()), residuals), layers)

    return measure_gradients(module, inputs, labels, output, measure, batch_size)


def measure_gradients(
    module: Any,
    inputs: Any,
    labels: NDArray[Any],
    output: str,
    measure: Measure,
    batch_size: int | None = None,
) -> NDArray[np.float64]:
    """Measure each record's gradient of the loss by all weights of a module.

    Parameters
    ----------
    module, inputs, labels, output, batch_size
        As for `module_statistics`.
    measure : callable
        Takes the gradients of b records by the names of the weights, each of shape (b, ...), and
        the norms of the loss's gradients by the outputs, shape (b,); gives q numbers per record,
        shape (q, b), each of that record alone.

    Returns
    -------
    ndarray of shape (q, n)

    Raises
    ------
    LeakproError
        As for `module_statistics`.
    """
    torch = sys.modules["torch"]
    weights, n = _weights(module), length(inputs)
    size = min(_chunk(sum(value.numel() for value in weights.values())), batch_size or n)
    loss_of = _LOSSES[output]
    whole = None
    parts = []
    with evaluating(module), torch.enable_grad():
        for start in range(0, n, size):
            places = np.arange(start, min(start + size, n))
            batch = tensor_for(module, take(inputs, places)).detach()
            wanted = torch.as_tensor(labels[places], device=batch.device)
            if output == "predictions":
                wanted = wanted.to(next(iter(weights.values())).dtype)
            if whole is None:
                whole = _goes_together(module, weights, batch, wanted, loss_of, measure)
            read = _together if whole else _one_by_one
            parts.append(read(module, weights, batch, wanted, loss_of, measure))
    return np.concatenate(parts, axis=1)


def _chunk(n_weights: int) -> int:
    """Give how many records' gradients are held at once."""
    return max(1, min(_MOST_RECORDS, _ELEMENTS // max(1, n_weights)))


def _goes_together(
    module: Any,
    weights: dict[str, Any],
    batch: Any,
    labels: Any,
    loss_of: Callable[[Any, Any], tuple[Any, Any]],
    measure: Measure,
) -> bool:
    """Tell whether many records at once give what the first gives alone."""
    try:
        first = _together(module, weights, batch, labels, loss_of, measure)[:, :1]
    except Exception:  # whatever a layer raises that torch.func cannot go through
        return False
    alone = _one_by_one(module, weights, batch[:1], labels[:1], loss_of, measure)
    first, alone = np.maximum(first, _FAR_BELOW), np.maximum(alone, _FAR_BELOW)
    return bool(np.allclose(first, alone, rtol=0, atol=_TOLERANCE, equal_nan=True))


def _together(
    module: Any,
    weights: dict[str, Any],
    batch: Any,
    labels: Any,
    loss_of: Callable[[Any, Any], tuple[Any, Any]],
    measure: Measure,
) -> NDArray[np.float64]:
    """Take the gradients of all records of a batch at once."""
    torch = sys.modules["torch"]
    # Copies, as a layer may write into its buffers even when it only evaluates.
    buffers = {name: value.detach().clone() for name, value in module.named_buffers()}
    plain = {name: value.detach() for name, value in weights.items()}

    def loss_on(values: dict[str, Any], record: Any, label: Any) -> Any:
        returned = torch.func.functional_call(module, (values, buffers), (record[None],))
        return loss_of(_outputs(returned), label)

    one = torch.func.grad(loss_on, has_aux=True)
    with without_warnings("There is a performance drop"):
        gradients, residuals = torch.func.vmap(one, in_dims=(None, 0, 0))(plain, batch, labels)
    return measure({name: gradients[name] for name in weights}, residuals)


def _one_by_one(
    module: Any,
    weights: dict[str, Any],
    batch: Any,
    labels: Any,
    loss_of: Callable[[Any, Any], tuple[Any, Any]],
    measure: Measure,
) -> NDArray[np.float64]:
    """Take the gradients of one record after the other."""
    torch = sys.modules["torch"]
    values = list(weights.values())
    found = []
    with _tracked(values):
        for record, label in zip(batch, labels, strict=True):
            try:
                loss, residual = loss_of(_outputs(module(record[None])), label)
                gradients = torch.autograd.grad(loss, values, allow_unused=True)
            except LeakproError:
                raise
            except Exception as exc:
                # Without the error's own message, which may quote a record.
                raise LeakproError(
                    f"the gradient of the model on a record cannot be taken: {type(exc).__name__}; "
                    "its own error stands above: white-box attacks need a model that computes "
                    "outputs from weights without detaching them; else say access='scores'"
                ) from exc
            rows = {
                name: (torch.zeros_like(value) if part is None else part.to_dense())[None]
                for (name, value), part in zip(weights.items(), gradients, strict=True)
            }
            found.append(measure(rows, residual.detach()[None]))
    return np.concatenate(found, axis=1)


@contextmanager
def _tracked(weights: list[Any]) -> Iterator[None]:
    """Let gradients flow into all weights, and put the flags back."""
    torch = sys.modules["torch"]
    flags = [value.requires_grad for value in weights]
    try:
        for value in weights:
            value.requires_grad_(True)
        # On a GPU fast recurrent layers go backwards in training mode only.
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        for value, flag in zip(weights, flags, strict=True):
            value.requires_grad_(flag)


def _outputs(returned: Any) -> Any:
    """Give the outputs on one record, shape (K,)."""
    return getattr(returned, "logits", returned).reshape(-1)


def _on_logits(outputs: Any, label: Any) -> tuple[Any, Any]:
    """Give the cross-entropy of logits, and the size of its gradient by them."""
    torch = sys.modules["torch"]
    if outputs.shape[0] == 1:
        margin = outputs[0] * (2 * label - 1)
        loss = torch.nn.functional.softplus(-margin)
        return loss, torch.sigmoid(-margin).detach()
    loss = torch.logsumexp(outputs, 0) - _of_label(outputs, label)
    return loss, _residual(torch.softmax(outputs, 0).detach(), label)


def _on_probabilities(outputs: Any, label: Any) -> tuple[Any, Any]:
    """Give the cross-entropy of probabilities, and the size of its gradient by their logits."""
    torch = sys.modules["torch"]
    if outputs.shape[0] == 1:
        outputs = torch.cat([1 - outputs, outputs])
    smallest = torch.finfo(outputs.dtype).tiny
    loss = -torch.log(_of_label(outputs, label).clamp_min(smallest))
    return loss, _residual(outputs.detach(), label)


def _on_predictions(outputs: Any, label: Any) -> tuple[Any, Any]:
    """Give the mean squared error, and the size of its gradient by the predictions."""
    torch = sys.modules["torch"]
    if outputs.shape != label.shape:
        raise LeakproError(
            f"the model returned {outputs.shape[0]} values for a record, but the targets have "
            f"{label.shape[0]}: let it return one prediction per target"
        )
    errors = outputs - label
    size = 2 * torch.linalg.vector_norm(errors.detach()) / len(errors)
    return errors.square().mean(), size


_LOSSES: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "logits": _on_logits,
    "probabilities": _on_probabilities,
    "predictions": _on_predictions,
}


def _of_label(values: Any, label: Any) -> Any:
    return values.gather(0, label.reshape(1))[0]


def _residual(probabilities: Any, label: Any) -> Any:
    """Give the norm of p - y; that of the class itself as the sum of the others, without 1 - p."""
    torch = sys.modules["torch"]
    others = torch.where(
        torch.arange(len(probabilities), device=probabilities.device) == label, 0, probabilities
    )
    largest = others.max().clamp_min(torch.finfo(others.dtype).tiny)
    others = others / largest  # so that squares do not vanish
    return largest * torch.sqrt(others.square().sum() + others.sum().square())


def _norms(gradients: list[Any], residuals: Any) -> Norms:
    """Measure gradients of shape (b, ...), one per weight, without squares that vanish."""
    torch = sys.modules["torch"]
    columns = []
    for gradient in gradients:
        sizes = gradient.reshape(len(gradient), -1).abs()  # a copy: two weights may share one
        largest = sizes.amax(dim=1)
        sizes.div_(torch.where(largest > 0, largest, 1)[:, None])
        squares = torch.einsum("nw,nw->n", sizes, sizes)
        columns.append(torch.stack([squares, sizes.sum(1), largest]))
    squares, sums, largest = (
        _log(part).T for part in as_numpy(torch.stack(columns, dim=-1)).astype(np.float64)
    )
    return Norms(squares / 2 + largest, sums + largest, largest, _log(as_numpy(residuals)))


def _log(values: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values.astype(np.float64)))
