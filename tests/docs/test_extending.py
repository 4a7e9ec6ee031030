"""The attack that the documentation writes, with its test, as they stand there."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def test_the_attack_and_its_oracle(pytester):
    blocks = re.findall(r'```python title="([^"]+)"\n(.*?)```', PAGE.read_text("utf-8"), re.S)
    assert [name for name, _ in blocks] == ["flatness.py", "test_flatness.py"]
    assert len(blocks[0][1].strip().splitlines()) <= 41
    for name, text in blocks:
        (pytester.path / name).write_text(text, encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
