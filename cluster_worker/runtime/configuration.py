"""Configuration of a daemon: TOML files and environment variables into frozen attrs classes.

Sources, later ones win: the defaults of the classes, the file, its overlays (``NAME.d/*.toml``
beside ``NAME.toml``, in name order), the environment (``OP_WORKER__HTTP__PORT=8443``). Unknown keys
are errors, and everything that is wrong is reported together, each with its path.

A configuration class is ``@frozen(kw_only=True)``; each field has ``metadata={"help": "…"}``, and
``"example"`` when its default is ``None``, and ``"reload": True`` when it may change
while the daemon runs. Supported types: ``str``, ``int``, ``float``, ``bool``, enums,
``Literal``, ``X | None``, ``tuple[X, ...]``, ``Mapping[str, X]`` and further configuration classes.
Validators are attrs validators that look at the value only.

``python -m cluster_worker.runtime.configuration PACKAGE.MODULE:CLASS`` prints a class as commented TOML.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from attrs import NOTHING, Attribute, fields, has, resolve_types

from cluster_worker.runtime.configuration_template import commented_toml
from cluster_worker.runtime.configuration_values import OptionError, TextValue, structure_value

C = TypeVar("C")


class ConfigurationError(Exception):
    """The configuration cannot be used. ``problems`` says everything that is wrong, one line each."""

    def __init__(self, problems: Collection[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def load_configuration(cls: type[C], path: str | None, environment: Mapping[str, str], prefix: str) -> C:
    """Read a configuration.

    Args:
        path: the main file; ``None`` means defaults and environment only.
        environment: usually ``os.environ``; variables that do not start with ``<prefix>__`` are ignored.
        prefix: of the environment variables, in upper case, such as ``OP_WORKER``.

    Raises:
        ConfigurationError: with every problem found.
    """
    problems: list[str] = []
    tables: dict[str, Any] = {}
    for file in _files(path):
        _merge(tables, _read(file, problems), str(file), "", problems)
    _merge(tables, _from_environment(environment, prefix, problems), "environment", "", problems)
    config = _structure_class(cls, tables, "", problems)
    if problems:
        raise ConfigurationError(problems)
    assert isinstance(config, cls)
    return config


def _files(path: str | None) -> list[Path]:
    if path is None:
        return []
    main = Path(path)
    overlays = main.with_suffix(".d") if main.suffix == ".toml" else Path(path + ".d")
    return [main, *sorted(overlays.glob("*.toml"))]


def _read(file: Path, problems: list[str]) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        problems.append(f"{file}: {error.strerror or error}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not valid TOML: {error}")
    return {}


def _merge(into: dict[str, Any], new: Mapping[str, Any], source: str, at: str, problems: list[str]) -> None:
    for key, value in new.items():
        present = into.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            _merge(present, value, source, f"{at}{key}.", problems)
        elif isinstance(present, dict) and not isinstance(value, TextValue):
            problems.append(f"{at}{key}: is a section, but {source} gives it a value")
        else:
            into[key] = value


def _from_environment(environment: Mapping[str, str], prefix: str, problems: list[str]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name in sorted(environment):
        if not name.startswith(f"{prefix}__"):
            continue
        *sections, key = name[len(prefix) + 2 :].lower().split("__")
        table = tables
        for section in sections:
            inner = table.setdefault(section, {})
            if not isinstance(inner, dict):
                problems.append(f"{name}: {section} has a value of its own in the environment")
                break
            table = inner
        else:
            table[key] = TextValue(environment[name])
    return tables


def _structure_class(cls: type[Any], table: object, at: str, problems: list[str]) -> object | None:
    """Build ``cls``; on any problem note it and return ``None``."""
    if not isinstance(table, Mapping):
        problems.append(f"{at.rstrip('.')}: expected a section")
        return None
    attributes = {attribute.name: attribute for attribute in fields(resolve_types(cls))}
    before = len(problems)
    problems.extend(
        f"{at}{key}: no such option{_suggestion(key, attributes)}" for key in table if key not in attributes
    )
    values = {
        name: _structure_field(attribute, table[name], f"{at}{name}", problems)
        for name, attribute in attributes.items()
        if name in table
    }
    problems.extend(
        f"{at}{name}: required"
        for name, attribute in attributes.items()
        if name not in table and _is_required(attribute)
    )
    if len(problems) > before:
        return None
    try:
        built: object = cls(**values)
    except (ValueError, TypeError) as error:
        problems.append(f"{at.rstrip('.') or cls.__name__}: {error}")
        return None
    return built


def _structure_field(attribute: Attribute[Any], raw: object, at: str, problems: list[str]) -> object:
    def nested(cls: type[Any], table: object, where: str) -> object:
        return _structure_class(cls, table, f"{where}.", problems)

    before = len(problems)
    try:
        value = structure_value(attribute.type, raw, at, nested)
        if attribute.validator is not None and len(problems) == before:
            attribute.validator(None, attribute, value)
    except OptionError as problem:
        problems.append(f"{problem.path}: {problem.expected}{_shown(problem.value, attribute)}")
    except (ValueError, TypeError) as error:
        problems.append(f"{at}: {'not allowed' if not attribute.repr else error.args[0]}")
    else:
        return value
    return None


def _shown(value: object, attribute: Attribute[Any]) -> str:
    return f", got {value!r}" if attribute.repr else ""


def _is_required(attribute: Attribute[Any]) -> bool:
    return attribute.default is NOTHING


def _suggestion(key: str, known: Collection[str]) -> str:
    close = get_close_matches(key, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def main(arguments: list[str]) -> int:
    """Print the class named ``package.module:Class`` as commented TOML; return the exit code."""
    if len(arguments) != 1 or ":" not in arguments[0]:
        sys.stderr.write("usage: python -m cluster_worker.runtime.configuration PACKAGE.MODULE:CLASS\n")
        return 2
    module, name = arguments[0].split(":", 1)
    cls = getattr(import_module(module), name)
    if not has(cls):
        sys.stderr.write(f"{name} is not a configuration class\n")
        return 2
    sys.stdout.write(commented_toml(cls))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
