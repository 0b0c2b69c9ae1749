"""Signatures of requests, version 4.

The time in them is that of the machine, which the signer asks for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cluster_worker.runtime.pool import Blocking
from op_worker.storage.types import BadStorageError

UNSIGNED = "UNSIGNED-PAYLOAD"
_NOTHING = hashlib.sha256().hexdigest()
_SMALL_B = 64 * 1024
"""Up to this size a hash takes less time than handing the bytes to a thread."""


class Signer:
    """Signs requests with somebody's keys.

    Bodies are hashed into the signature where nothing else protects them on their way, large ones by a
    thread.

    Args:
        is_encrypted: whether requests go over TLS.

    Raises: BadStorageError when the library is missing.
    """

    def __init__(
        self, access_key: str, secret_key: str, region: str, blocking: Blocking, *, is_encrypted: bool
    ) -> None:
        try:
            from botocore.auth import S3SigV4Auth
            from botocore.awsrequest import AWSRequest
            from botocore.credentials import Credentials
        except ImportError as error:
            raise BadStorageError(
                "storages of type s3 need botocore; install this package with its extra s3"
            ) from error
        self._auth: Any = _with_payload_from_context(S3SigV4Auth)(
            Credentials(access_key, secret_key), "s3", region
        )
        self._request = AWSRequest
        self._blocking, self._is_encrypted = blocking, is_encrypted

    async def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Mapping[str, str]:
        """Return the headers to send, with the signature among them."""
        request = self._request(method=method, url=url, headers=dict(headers))
        request.context["payload"] = await self._payload(body)
        self._auth.add_auth(request)
        return dict(request.headers.items())

    async def _payload(self, body: bytes | None) -> str:
        if not body:
            return _NOTHING
        if self._is_encrypted:
            return UNSIGNED
        return _hash(body) if len(body) <= _SMALL_B else await self._blocking.run(_hash, body)


def _with_payload_from_context(base: Any) -> Any:
    """Return the signer's class with the hash of the body taken from the request, where it was computed."""

    class WithPayload(base):  # type: ignore[misc]  # the library has no types
        def payload(self, request: Any) -> str:
            digest: str = request.context["payload"]
            return digest

    return WithPayload


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
