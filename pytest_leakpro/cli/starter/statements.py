"""The statements of a test that load the records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.layout import WIDTH, from_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.cli.starter.parts import DataPart, ModelPart

__all__ = ["counting_statements", "data_statements", "gives_the_model", "local_names"]


def data_statements(
    data: DataPart,
    loader: str,
    *,
    datasets: bool = False,
    with_model: bool = False,
    also: Sequence[str] = (),
) -> list[str]:
    """Write the statements that load the records and, where they are split, name the two sides.

    Parameters
    ----------
    data : DataPart
        Where they come from.
    loader : str
        What the function is called here; empty where the names are imported.
    datasets : bool
        Whether both sides are to be read by ``pair``.
    with_model : bool
        Whether the function's model is used.
    also : sequence of str
        Names to import with the records.
    """
    if loader:
        targets = data.targets.split(", ")
        if not with_model:
            targets = ["_" if target == "model" else target for target in targets]
        lines = [f"{', '.join(targets)} = {loader}()"]
    else:
        lines = [*from_import(data.source.module, {*data.imported, *also}, late=False), ""]
    if data.pooled:
        return lines
    members, nonmembers = data.members, data.nonmembers
    if not datasets and [members, nonmembers] == data.targets.split(", "):
        return [f"members, nonmembers = {loader}()"]
    if datasets:
        members, nonmembers = f"pair({members})", f"pair({nonmembers})"
    together = f"members, nonmembers = {members}, {nonmembers}"
    if len(together) <= WIDTH - 4:
        return [*lines, together]
    return [*lines, f"members = {members}", f"nonmembers = {nonmembers}"]


def counting_statements(data: DataPart) -> str:
    """Write statements that load the records and name them ``members`` and ``nonmembers``."""
    lines = [f"from {data.source.module} import {data.name} as load"] if data.name else []
    lines += data_statements(data, "load" if data.name else "")
    if data.pooled:
        lines.append(f"members = ({data.members})")
    return "\n".join(lines)


def gives_the_model(model: ModelPart | None, data: DataPart) -> bool:
    """Tell whether the function that loads the records gives the model as well."""
    if data.model is None:
        return False
    return model is None or (model.name == data.name and model.source is data.source)


def local_names(data: DataPart | None) -> set[str]:
    """Give the names that statements in the test, and in its functions, bind."""
    names = {"X", "y", "seed", "model", "members", "nonmembers", "leakpro", "dataset", "loader"}
    if data is not None:
        names |= {*data.targets.split(", "), *data.imported}
    return names
