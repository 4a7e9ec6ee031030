"""``attacks``: which attacks there are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.columns import paragraph, print_lines, text_columns

if TYPE_CHECKING:
    import argparse
    from importlib.metadata import EntryPoint

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.attacks.federated.base_attack import UpdateAttack

__all__ = ["add", "run"]

HEADINGS = ("attack", "targets", "access", "needs", "metrics", "calibrated", "default suite")
WIDEST = (25, 11, None, 14, 10, None, 18)


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "attacks",
        help="which attacks there are",
        description="List the attacks of this package, and those that other packages bring.",
        allow_abbrev=False,
    )
    parser.add_argument("--target", metavar="KIND", help="only those on this kind, as Classifier")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from importlib.metadata import entry_points

    from pytest_leakpro.attacks.registry import ENTRY_POINT_GROUP, builtin_attacks

    attacks = list(builtin_attacks().values())
    if arguments.target is not None:
        attacks = _on_target(attacks, arguments.target)
    lines = text_columns(HEADINGS, [_row(attack) for attack in attacks], widest=WIDEST)
    lines += [
        "",
        *paragraph(
            "Access is the least that the attacker must see. Calibrated attacks compare each "
            "record with what shadow models or a regression expect of it; a PASS without one is "
            "marked as a weak suite."
        ),
    ]
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    if points:
        lines += ["", "Of other packages (not loaded here; they run only where they are named):"]
        rows = [_origin(point) for point in points]
        lines += text_columns(rows[0], rows[1:], widest=(24, 30, 30), indent="  ")
    print_lines(lines)
    return 0


def _on_target(attacks: list[Attack], name: str) -> list[Attack]:
    from pytest_leakpro.gate.errors import LeakproError, nearest_match
    from pytest_leakpro.gate.wording import printable

    known = {kind.__name__ for attack in attacks for kind in attack.targets}
    matching = {kind for kind in known if kind.lower() == name.lower()}
    if not matching:
        raise LeakproError(
            f"no attack has targets of the kind {printable(name, 60)!r}{nearest_match(name, known)}"
        )
    return [attack for attack in attacks if matching & {kind.__name__ for kind in attack.targets}]


def _row(attack: Attack) -> list[str]:
    needs = []
    if attack.needs_shadow:
        needs.append("shadow models")
    if attack.needs_population:
        needs.append("population")
    if attack.needs_also:
        needs.append(attack.needs_also)
    return [
        attack.name,
        ", ".join(kind.__name__ for kind in attack.targets),
        _seen(attack),
        ", ".join(needs) or "-",
        ", ".join(attack.metrics),
        "yes" if attack.calibrated else "no",
        _when_default(attack),
    ]


def _seen(attack: Attack) -> str:
    """Say what the attacker sees."""
    from pytest_leakpro.attacks.content_attack import ContentAttack
    from pytest_leakpro.attacks.federated.base_attack import UpdateAttack

    if attack.access is not None:
        return attack.access.value
    if isinstance(attack, ContentAttack):
        return "artefact"
    return "update" if isinstance(attack, UpdateAttack) else "release"


def _of_updates(attack: UpdateAttack) -> str:
    """Say of which records an attack on updates stands in the default suite, and with what."""
    from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
    from pytest_leakpro.auditing.metric_suites import default_attacks

    def stands(form: str, *, malicious: bool, statistics: bool) -> bool:
        return any(
            attack
            in default_attacks(
                name,
                UpdateAttack,
                lambda one: (
                    form in one.forms
                    and (malicious or not one.needs_malicious)
                    and (statistics or not one.needs_statistics)
                ),
            )
            for name in attack.metrics
        )

    malicious, statistics = attack.needs_malicious, attack.needs_statistics
    forms = [
        form for form in attack.forms if stands(form, malicious=malicious, statistics=statistics)
    ]
    if not forms:
        return "no"
    given = "given behaviour='malicious', " if malicious else ""
    given += "given statistics, " if statistics else ""
    return f"{given}of {', '.join(forms)}"


def _when_default(attack: Attack) -> str:
    """Say when an attack stands in the default suite, told from the suites themselves."""
    from pytest_leakpro.attacks.content_attack import ContentAttack
    from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
    from pytest_leakpro.attacks.synthetic.base_attack import ReleaseAttack
    from pytest_leakpro.auditing.metric_suites import default_attacks
    from pytest_leakpro.cli.suites import default_suite
    from pytest_leakpro.targets.access import Access

    if isinstance(attack, UpdateAttack):
        return _of_updates(attack)
    if isinstance(attack, ContentAttack):
        if not any(
            attack in default_attacks(name, ContentAttack, lambda one: _sees_as_little(one, attack))
            for name in attack.metrics
        ):
            return "no"
        return "for its metrics" + (f", with {attack.default_with}" if attack.default_with else "")
    if isinstance(attack, ReleaseAttack):
        if any(
            attack in default_attacks(name, ReleaseAttack, lambda one: not one.needs_shadow)
            for name in attack.metrics
        ):
            return "for its metrics"
        given = any(
            attack in default_attacks(name, ReleaseAttack, lambda _: True)
            for name in attack.metrics
        )
        return "given generate=" if given else "no"

    def stands(**resources: bool) -> bool:
        labels_only = attack.access is Access.LABEL
        return any(
            attack in default_suite(kind, **resources, labels_only=labels_only)
            for kind in attack.targets
        )

    cases = []
    if stands(shadows=True):
        cases.append("with shadow models")
    if stands(shadows=False):
        cases.append("without shadow models")
    elif stands(shadows=False, population=True):
        cases.append("without shadow models, given a population")
    if attack.default_with:
        cases.append(f"with {attack.default_with}")
    return "; ".join(cases) or "no"


def _sees_as_little(one: Attack, attack: Attack) -> bool:
    """Tell whether one attack can do with what another must see."""
    return one.access is None or attack.access is None or attack.access.covers(one.access)


def _origin(point: EntryPoint) -> list[str]:
    from pytest_leakpro.gate.wording import printable

    home = point.dist
    package = "" if home is None else f"{home.name} {home.version}"
    return [printable(point.name, 60), printable(package, 60), printable(point.value, 120)]
