"""Records as a session writes them, of every kind of evidence."""

EVIDENCE = {
    "membership_scores": (
        "tpr@1%fpr",
        {"members": 2000, "nonmembers": 2000},
        {
            "kind": "membership_scores",
            "curve": {"kind": "roc", "x": "0 20 2000", "y": "3 60 2000"},
            "histogram": {"edges": "0 0.5 1", "members": "900 1100", "nonmembers": "1000 1000"},
        },
    ),
    "guesses": (
        "linkability",
        {"attempts": 500, "control_attempts": 500},
        {
            "kind": "guesses",
            "successes": {"main": 40, "control": 12, "naive": 11},
            "attempts": {"main": 500, "control": 500, "naive": 500},
            "control_scale": 1.5,
            "control_most": 14,
            "curve": None,
        },
    ),
    "reconstructions": (
        "auc",
        {"batches": 20},
        {"kind": "reconstructions", "curve": {"kind": "quality", "x": "0.1 0.9", "y": "1 20"}},
    ),
    "exposures": (
        "auc",
        {"canaries": 100},
        {"kind": "exposures", "curve": {"kind": "ranks", "x": "1 64 1024", "y": "0 3 100"}},
    ),
    "canary_scores": (
        "epsilon",
        {"included": 490, "excluded": 510},
        {
            "kind": "canary_scores",
            "delta": 1e-5,
            "assumes": "one run, assumes nothing but the tosses",
            "bounds": [
                {
                    "method": "one run, f-DP (Mahloujifar et al. 2024)",
                    "low": 0.4,
                    "assumes": "nothing but the tosses",
                    "decides": True,
                }
            ],
            "curve": None,
        },
    ),
    "counts": (
        "exact_copies",
        {"counted": 1000, "control_counted": 0},
        {"kind": "counts", "successes": {"main": 3}, "attempts": {"main": 1000}, "curve": None},
    ),
}


def record(kind="membership_scores", **changes):
    """A record of a run, complete and valid."""
    metric, sizes, evidence = EVIDENCE[kind]
    complete = {
        "test": "test_a.py::test_a",
        "name": "test_a.py::test_a",
        "target": "forest",
        "named": True,
        "metric": metric,
        "access": "scores",
        "occurrence": 0,
        "location": {"path": "test_a.py", "line": 3},
        "attempt": 1,
        "earlier": [],
        "value": 0.03,
        "low": 0.02,
        "high": 0.045,
        "limit": 0.05,
        "verdict": "PASS",
        "error": None,
        "shown_value": "3.0%",
        "shown_low": "2.0%",
        "shown_high": "4.5%",
        "shown_limit": "5%",
        "shown_verdict": "PASS",
        "alpha": 0.05,
        "seed": 0,
        "seconds": 1.5,
        "attack": "lira",
        "suite": ["lira"],
        "strength": "scores, 16 shadow models",
        "weak_suite": False,
        "pass_chance": 0.98,
        "source": "marker",
        "notes": [],
        "figures": [
            {
                "attack": "lira",
                "weight": 1.0,
                "value": 0.03,
                "low": 0.02,
                "high": 0.045,
                "p_value": 0.9,
            }
        ],
        "sizes": sizes,
        "evidence": evidence,
        "comparable": {"value": 0.03, "low": 0.019, "high": 0.046},
        "change": None,
        "queries": 4000,
        "device": "cpu",
        "configuration": {"attacks": None, "shadow_models": 16},
        "digests": {"recipe": "ab"},
        "libraries": {"numpy": "2.4.6"},
        "scores": None,
        "commit": {"id": "a" * 40, "dirty": False},
    }
    assert set(changes) <= set(complete)
    return {**complete, **changes}


def without_figures(verdict="ERROR", **changes):
    """A record of an audit that scored nothing."""
    empty = dict.fromkeys(("value", "low", "high", "evidence", "comparable"))
    return record(verdict=verdict, shown_verdict=verdict, **empty, **changes)
