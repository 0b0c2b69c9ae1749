"""What Prometheus demands of the text that it reads, checked as its own linter does."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

_NAME = re.compile(r"onedata_[a-z0-9]+(_[a-z0-9]+)*")
_BASE_UNITS = ("_milliseconds", "_minutes", "_hours", "_kilobytes", "_megabytes", "_bits")


def families_of(text: str) -> dict[str, str]:
    """Return name (of counters with ``_total``) → type of every family, after checking the text.

    Each family is told once, with a meaning and a type; its samples are together and not repeated.
    """
    found: dict[str, str] = {}
    assert text.endswith("\n")
    helped = re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE)
    typed = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    names = [name for name, _ in typed]
    assert [name for name, _ in helped] == names, "a family without meaning or type"
    assert len(set(names)) == len(names), "a family told twice"
    for name, kind in typed:
        assert _NAME.fullmatch(name), name
        assert (kind == "counter") == name.endswith("_total"), name
        assert not any(unit in name for unit in _BASE_UNITS), name
        found[name] = kind
    samples: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"{key} is told twice"
            samples.add(key)
            assert all(value for value in sample.labels.values()) or family.name == "onedata_build_info", key
    return found
