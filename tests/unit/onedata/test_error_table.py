"""The page docs/errors.md is exactly what the classes say; run this file to print it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import NOTHING

from onedata.errors import OnedataError
from onedata.errors.base import camel_case, detail_attributes
from onedata.errors.catalogue import CATALOGUE

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"

HEAD = """# REST errors

Every error reply of the REST interfaces has the content type `application/json` and this body:

```json
{"error": {"id": "posix", "description": "Operation failed with POSIX error: enoent.", "details": {"errno": "enoent"}}}
```

- `id` is stable and meant for programs, `description` is for people and may change.
- `details` is left out when an error has none; a detail marked `?` may be missing.
- `reason` of `posix` is sent to a request with `Prefer: reason`: the fact that a refusal rests on, for those
  who may know it ([permissions.md](permissions.md)). Published clients compare the details as a whole, so it
  is never sent unasked.
- A detail marked `(error)` is another error in the same three-key form, without the outer `error`.
- *Retry* says whether the same request may succeed a little later: `yes`, `no`, or for which details.
- In a reply 401 the reason is inside: `unauthorized` with `details.authError`.
- `errorOnNodes` is answered with the status of the error it holds.
- An error of another system that is not in this table is passed on unchanged with status 500.
- Errors of HTTP itself (405, 406, 413, 415, 416, an unknown path) may have no body.

The table is made from the classes in `onedata/errors`; a test keeps it equal to them.

| Id | HTTP | Details | Retry |
| --- | --- | --- | --- |
"""  # noqa: E501

SPECIAL_RETRY = {"posix": "eagain, ebusy"}
SPECIAL_STATUS = {"errorOnNodes": "as `error`"}


def _details(error: type[OnedataError]) -> Iterator[str]:
    for attribute in detail_attributes(error):
        optional = "" if attribute.default is NOTHING else "?"
        nested = " (error)" if attribute.metadata.get("nested") else ""
        yield f"`{camel_case(attribute.name)}`{optional}{nested}"


def _row(error: type[OnedataError]) -> str:
    status = SPECIAL_STATUS.get(error.id, str(error.http_status))
    retry = SPECIAL_RETRY.get(error.id, "yes" if error.retryable else "no")
    return f"| `{error.id}` | {status} | {', '.join(_details(error)) or '-'} | {retry} |\n"


def page() -> str:
    """The whole text of docs/errors.md."""
    return HEAD + "".join(map(_row, CATALOGUE.values()))


def test_page_of_errors_is_exactly_what_the_classes_say() -> None:
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    print(page(), end="")
