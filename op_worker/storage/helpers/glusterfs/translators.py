"""Options of the translators that a volume passes through in this process. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from op_worker.storage.types import BadStorageError


@frozen
class TranslatorOption:
    """An option of those translators whose names fit a pattern such as ``*-write-behind``."""

    translator: str
    option: str
    value: str


HONEST: Sequence[TranslatorOption] = tuple(
    TranslatorOption(f"*-{name}", "pass-through", "true")
    for name in ("write-behind", "open-behind", "quick-read", "io-cache", "md-cache", "readdir-ahead")
)
"""Set first: what is acknowledged has reached the bricks, and what is read is what they hold now."""


def parse_options(text: str) -> Sequence[TranslatorOption]:
    """Read ``translator.option=value;…``; the last dot before ``=`` parts translator and option.

    Raises: BadStorageError.
    """
    return [_parse(part.strip()) for part in text.split(";") if part.strip()]


def _parse(text: str) -> TranslatorOption:
    name, equals, value = text.partition("=")
    translator, dot, option = name.rpartition(".")
    if not (equals and dot and translator and option and value) or "\0" in text:
        raise BadStorageError(f"xlatorOptions has to be translator.option=value;…, not {text!r}")
    return TranslatorOption(translator, option, value)
