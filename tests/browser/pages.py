"""Files that the browser opens: one page of real records in every dress."""

import copy
import json
from pathlib import Path

RUN = Path(__file__).with_name("run.json")

HOSTILE = (
    "<script>window.owned = 1</script>",
    "<img src=x onerror='window.owned=2'>",
    '"><svg onload=alert(3)>',
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(4)",
    "\u202egnp.exe",
    "Zz" * 150,
    "</title></style></template><h1>5</h1>",
    "`|</td></tr></table>|`",
)
FOLDER = "folder-of-a-patient"
_NAMES = ("target", "name", "test", "attack", "strength", "source", "error")


def documents(name):
    """Give the runs that a page is made of, the oldest first."""
    latest = json.loads(RUN.read_text("utf-8"))
    if name == "private folder":  # printed, and read again sheet by sheet
        latest["measurements"] = latest["measurements"][::3]
    return [_earlier(latest), _hostile(latest) if name == "hostile" else latest]


def targets_of(name):
    """Give the names of what was audited."""
    return sorted({entry["target"] for entry in documents(name)[-1]["measurements"]})


def _earlier(document):
    """Give the same run at another commit, so that there is a history."""
    earlier = copy.deepcopy(document)
    for entry in earlier["measurements"]:
        entry["commit"] = {"id": "0" * 40, "dirty": True}
    earlier["start_time"] = "2026-01-31T08:00:00Z"
    return earlier


def _hostile(document):
    """Give every name that a stranger could have chosen one that would do harm where it can."""
    hostile = copy.deepcopy(document)
    for number, entry in enumerate(hostile["measurements"]):
        name = HOSTILE[number % len(HOSTILE)]
        for field in _NAMES:
            if entry.get(field):
                entry[field] = (
                    f"{name} {number}" if field != "test" else f"test_a.py::test[{name} {number}]"
                )
        entry["notes"] = [name, *entry["notes"]]
        entry["remarks"] = [name, *entry.get("remarks", [])]
        for part in entry.get("slices", ()):
            part["label"] = f"{name} {part['label']}"
        if "comparison" in entry:
            entry["comparison"]["defence"] += name
    return hostile
