"""``attacks``: every attack has its row, and the default suites are the real ones."""

import importlib.metadata
import re

import numpy as np
import pytest

from pytest_leakpro import Classifier, Regressor
from pytest_leakpro.attacks.content_attack import ContentAttack
from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, choose_suite
from pytest_leakpro.cli.main import main
from pytest_leakpro.cli.suites import default_suite


def attacks(capsys, *arguments):
    assert main(["attacks", *arguments]) == 0
    return capsys.readouterr().out


def test_every_attack_has_its_row(capsys):
    out = attacks(capsys)
    rows = {line.split()[0]: line for line in out.splitlines() if line[:1].isalpha()}
    for name, attack in builtin_attacks().items():
        needed = ["shadow models"] * attack.needs_shadow + ["population"] * attack.needs_population
        needs = (needed + [attack.needs_also] * bool(attack.needs_also) or ["-"])[0]
        first = needs if len(needs) <= 13 else needs.split()[0]  # longer ones go on below
        kind = "update" if isinstance(attack, UpdateAttack) else "release"
        kind = "artefact" if isinstance(attack, ContentAttack) else kind
        access = kind if attack.access is None else attack.access.value
        metric = attack.metrics[0][:8]  # longer ones go on below
        assert re.search(rf" {access} +{first}.* +{metric}", rows[name])
    assert max(map(len, out.splitlines())) <= 110
    assert re.search(
        r"^lira +Classifier, +scores +shadow models .* yes +with shadow models", out, re.M
    )
    assert re.search(r"^entropy .* no +no$", out, re.M)


def test_attacks_on_releases_stand_in_the_suites_of_their_metrics(capsys):
    out = attacks(capsys, "--target", "SyntheticData")
    assert re.search(r"^singling_out +.* for its metrics$", out, re.M)
    assert re.search(r"^groundhog +.* given generate=$", out, re.M)
    assert re.search(r"^closest_record +.* no$", out, re.M)
    assert "lira" not in out


def test_attacks_on_contents_stand_in_the_suites_of_their_metrics(capsys):
    out = attacks(capsys, "--target", "Classifier")
    assert re.search(r"^csmia +.* for its metrics$", out, re.M)
    assert re.search(r"^lomia +.* for its metrics,", out, re.M)


def test_attacks_on_updates_say_of_which_records(capsys):
    out = attacks(capsys, "--target", "FederatedUpdate")
    assert re.search(r"^first_layer +.* of images, table$", out, re.M)
    assert re.search(r"^imprint +.* given behaviour='m$", out, re.M)
    assert re.search(r"^tag +.* of tokens$", out, re.M)
    assert re.search(r"^dlg +.* no$", out, re.M)


def test_rows_of_one_kind_of_target(capsys):
    out = attacks(capsys, "--target", "regressor")
    assert re.search("^lira ", out, re.M)
    assert not re.search("^rmia ", out, re.M)


def test_a_kind_that_does_not_exist(capsys):
    assert main(["attacks", "--target", "Clasifier\x1b[31m"]) == 2
    err = capsys.readouterr().err
    assert "did you mean 'Classifier'?" in err
    assert "\x1b" not in err


@pytest.mark.parametrize("shadows", [True, False])
@pytest.mark.parametrize("kind", [Classifier, Regressor])
@pytest.mark.parametrize("population", [True, False])
def test_default_suites_are_those_of_an_audit(kind, shadows, population):
    records = np.zeros((100, 2)), np.arange(100) % 2
    given = {"population": records} if population else {}
    target = kind(lambda X: X, records, records, **given)
    chosen = choose_suite(target, None, shadows=shadows)[:LARGEST_DEFAULT_SUITE]
    assert default_suite(kind, shadows=shadows, population=population) == chosen


def test_attacks_of_others_are_named_and_not_loaded(capsys, monkeypatch):
    point = importlib.metadata.EntryPoint(
        "margin\x1b[2J", "no_such_package.attacks:Margin", "pytest_leakpro.attacks"
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    out = attacks(capsys)
    assert "not loaded here" in out
    assert "margin\\x1b[2J" in out
    assert "no_such_package.attacks:Margin" in out
    assert "\x1b" not in out
