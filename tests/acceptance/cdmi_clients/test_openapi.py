"""The OpenAPI description of CDMI is valid, and requests made from it by Schemathesis break nothing.

``CDMI_SCHEMATHESIS_EXAMPLES`` is how many are made for each operation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate

from tests.support.environments import Raised

DESCRIPTION = Path(__file__).resolve().parents[3] / "docs" / "openapi" / "cdmi.yaml"
EXAMPLES = int(os.environ.get("CDMI_SCHEMATHESIS_EXAMPLES", "8"))
WITHOUT_A_BODY = {405, 406, 416}
FROM_THE_FRAME = {400, 414, 431}
"""What is answered with an empty body to what is not HTTP, or too long."""
KINDS = ("object", "container", "queue", "domain")


@schemathesis.serializer("multipart/mixed", *(f"application/cdmi-{kind}" for kind in KINDS))
def as_json(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Return the body of a request; what is no JSON goes as it is."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, default=str).encode()


schema = schemathesis.openapi.from_path(DESCRIPTION)


@pytest.fixture(scope="module")
def session(environment: Raised) -> Iterator[requests.Session]:
    """One session, so that connections are kept; some of what the requests are about is there."""
    made = environment.session(environment.token())
    base = f"https://{environment.address('krk')}/cdmi/second"
    made.put(f"{base}/0/", timeout=10)
    made.put(f"{base}/1", data=b"x", timeout=10)
    yield made
    made.close()


def test_the_description_is_valid_openapi() -> None:
    validate(schema.raw_schema)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_made_from_the_description_break_nothing(
    case: Any, environment: Raised, session: requests.Session
) -> None:
    if case.path_parameters and "space" in case.path_parameters:
        case.path_parameters["space"] = "second"  # or everything would be refused for its space
    answer = case.call(
        base_url=f"https://{environment.address('krk')}/cdmi",
        session=session,
        headers={"X-Auth-Token": str(session.headers["X-Auth-Token"])},
        verify=environment.ca_cert,
        timeout=10,
        allow_redirects=False,
    )
    status = answer.status_code
    assert status < 500, (status, answer.text)
    if status < 400 or status in WITHOUT_A_BODY or case.method == "HEAD":
        return
    if status in FROM_THE_FRAME and not answer.content:
        return
    assert answer.content, (status, case.method, answer.request.url, dict(answer.headers))
    error = answer.json()["error"]
    assert error["id"] and error["description"], answer.text
