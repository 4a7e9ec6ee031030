"""Records as a session collects them."""

TEXTS = (
    "test",
    "name",
    "target",
    "metric",
    "access",
    "shown_value",
    "shown_low",
    "shown_high",
    "shown_limit",
    "shown_verdict",
    "attack",
    "strength",
    "source",
)


def record(**changes):
    """A record of a PASS, with some fields replaced."""
    test = "tests/test_privacy.py::test_churn_may_be_shared"
    fields = {
        "test": test,
        "name": test,
        "target": "churn-v3",
        "named": True,
        "metric": "tpr@0.1%fpr",
        "access": "scores",
        "occurrence": 0,
        "location": {"path": "tests/test_privacy.py", "line": 12},
        "attempt": 1,
        "earlier": [],
        "value": 0.0021,
        "low": 0.0004,
        "high": 0.0071,
        "limit": 0.01,
        "verdict": "PASS",
        "error": None,
        "shown_value": "0.21%",
        "shown_low": "0.040%",
        "shown_high": "0.71%",
        "shown_limit": "1%",
        "shown_verdict": "PASS",
        "alpha": 0.05,
        "seed": 0,
        "seconds": 5.94,
        "attack": "rmia",
        "suite": ["rmia", "lira"],
        "strength": "scores, 16 shadow models",
        "weak_suite": False,
        "pass_chance": 0.9713,
        "source": "marker, tests/test_privacy.py:12",
        "notes": [],
        "figures": [],
        "sizes": {"members": 3937, "nonmembers": 3937},
        "evidence": None,
        "comparable": None,
        "change": None,
        "queries": None,
        "device": None,
        "configuration": {},
        "digests": {},
        "libraries": {},
        "scores": None,
        "commit": None,
    }
    assert changes.keys() <= fields.keys()
    return {**fields, **changes}


def change(outcome="no regression", shown="baseline 0.20%: +0.010pp, no significant increase"):
    """What changed since a baseline."""
    return {
        "outcome": outcome,
        "baseline": 0.002,
        "difference": 0.0001,
        "at_least": None,
        "max_increase": 0.0,
        "source": "",
        "method": "independent samples",
        "notes": [],
        "detectable": None,
        "shown": shown,
    }


def passing(**changes):
    return record(**{"change": change(), **changes})


def failing(**changes):
    forest = "tests/test_privacy.py::test_deep_forest_may_be_shared"
    fields = {
        "test": forest,
        "name": forest,
        "target": "deep forest",
        "location": {"path": "tests/test_privacy.py", "line": 31},
        "metric": "tpr@1%fpr",
        "value": 0.358,
        "low": 0.291,
        "high": 0.396,
        "limit": 0.05,
        "verdict": "FAIL",
        "shown_value": "36%",
        "shown_low": "29%",
        "shown_high": "40%",
        "shown_limit": "5%",
        "shown_verdict": "FAIL",
        "attack": "lira",
        "strength": "scores, 32 shadow models",
        "seconds": 16.4,
        "source": "marker, tests/test_privacy.py:31",
        "pass_chance": 0.999,
        "change": change("no baseline", "no baseline"),
    }
    return record(**{**fields, **changes})


def regressed(**changes):
    shown = "baseline 0.521: +0.030, at least +0.011: REGRESSION (no increase is allowed)"
    fields = {
        "metric": "auc",
        "value": 0.551,
        "low": 0.531,
        "high": 0.569,
        "limit": 0.6,
        "shown_value": "0.551",
        "shown_low": "0.531",
        "shown_high": "0.570",
        "shown_limit": "0.6",
        "change": change("regression", shown),
    }
    return record(**{**fields, **changes})


def undecided(**changes):
    network = "tests/test_privacy.py::test_network_may_be_shared"
    fields = {
        "test": network,
        "name": network,
        "target": "network",
        "location": {"path": "tests/test_privacy.py", "line": 47},
        "metric": "tpr@1%fpr",
        "value": 0.029,
        "low": 0.019,
        "high": 0.052,
        "limit": 0.05,
        "verdict": "INCONCLUSIVE",
        "shown_value": "2.9%",
        "shown_low": "1.9%",
        "shown_high": "5.2%",
        "shown_limit": "5%",
        "shown_verdict": "INCONCLUSIVE",
        "attempt": 2,
        "earlier": ["INCONCLUSIVE"],
        "source": "marker, tests/test_privacy.py:47",
        "notes": ["output read as logits (told from the values; say output= to be explicit)"],
        "change": change("no baseline", "no baseline"),
    }
    return record(**{**fields, **changes})


def weak(**changes):
    fields = {
        "target": "vendor model",
        "shown_verdict": "PASS (weak suite)",
        "weak_suite": True,
        "attack": "loss",
        "strength": "scores, no shadow models",
    }
    return record(**{**fields, **changes})


def broken(**changes):
    fields = {
        "target": "survival",
        "value": None,
        "low": None,
        "high": None,
        "verdict": "ERROR",
        "error": "LeakproError: members and non-members have other columns",
        "shown_value": "-",
        "shown_low": "-",
        "shown_high": "-",
        "shown_verdict": "ERROR",
        "attack": "",
        "strength": "error",
        "sizes": {},
        "pass_chance": None,
        "seconds": 0.0,
    }
    return record(**{**fields, **changes})


def measured(**changes):
    fields = {"limit": None, "verdict": None, "shown_limit": "-", "shown_verdict": "-"}
    return record(**{**fields, "pass_chance": None, "source": "", **changes})


# What docs/continuous-integration.md shows.
SAMPLE = (passing(), regressed(), undecided(), failing())
EVERY_KIND = (*SAMPLE, weak(), broken(), measured(), record(attempt=3, earlier=["FAIL", "FAIL"]))

HOSTILE = (
    "",
    " ",
    "<script>alert(1)</script>",
    "</pre></details><img src=x onerror=alert(1)>",
    "a | b || \\| \\\\| c",
    "`code` ``more`` ```",
    "ends in a backslash \\",
    "[link](https://example.com) ![image](https://example.com/x.png)",
    "https://example.com www.example.com someone@example.com",
    "@octocat #123 GH-123 !45 octo/repo#1 %milestone ~label $1",
    "0123456789abcdef0123456789abcdef01234567",
    "**bold** _it_ ~~gone~~ # heading\n- item\n\n    code",
    "$`x`$ $$y$$ :tada: [^1] <!-- -->",
    "new\nline\r\nand\u2028more\x85\x0b",
    "\n::error::injected",
    "\r\n::set-output name=x::y\n##[error]injected",
    "::add-mask::a::stop-commands::b",
    "%0A::error::injected",
    "title,file=/etc/passwd,line=1",
    "\x1b[31mred\x1b[0m \x07",
    "\u202eright to left\u2066",
    "\ud800 lone \udfff",
    "\x00",
    "&lt;b&gt; &#60; &amp;",
    "emoji 🏥 and e\u0301\u0301",
    "x" * 10_000,
    "|" * 10_000,
    "`" * 10_000,
    "\U0001f3e5" * 10_000,
)


def hostile(text, base=None):
    """A record with this text in every field that can hold one."""
    base = base or failing()
    return {
        **base,
        **dict.fromkeys(TEXTS, text),
        "error": None if base["error"] is None else text,
        "earlier": [text, text],
        "notes": [text] * 30,
        "location": {"path": text, "line": 7},
        "sizes": {text: 5},
        "change": {**change("regression", text), "notes": [text], "source": text},
    }
