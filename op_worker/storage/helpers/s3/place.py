"""Where the objects of a storage are on an S3 server. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from attrs import frozen

from op_worker.storage.helpers.web.urls import Endpoint
from op_worker.storage.types import BadStorageError

SCHEMES = ("http", "https")


@frozen
class Place:
    """A bucket of a server, and what all keys of the storage begin with; requests are path style."""

    origin: str
    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, hostname: str, scheme: str, bucket_name: str) -> Place:
        """Read the parameters of a storage; ``hostname`` may carry a scheme, ``bucket_name`` a prefix.

        Raises: BadStorageError.
        """
        if scheme and scheme not in SCHEMES:
            raise BadStorageError(f"scheme is {' or '.join(SCHEMES)}, not {scheme!r}")
        text = hostname if "://" in hostname else f"{scheme or 'https'}://{hostname}"
        if scheme and urlsplit(text).scheme != scheme:
            raise BadStorageError(f"hostname {hostname!r} has another scheme than {scheme}")
        endpoint = Endpoint.parse(text)
        if endpoint.base != "/":
            raise BadStorageError(f"hostname {hostname!r} must be a host and a port, without a path")
        bucket, _, prefix = bucket_name.strip("/").partition("/")
        if not bucket:
            raise BadStorageError("bucketName must name a bucket")
        return cls(endpoint.origin, bucket, f"{prefix}/" if prefix else "")

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS protects what is sent."""
        return self.origin.startswith("https:")

    def url(self, key: str, query: Mapping[str, str] | None = None) -> str:
        """Return the URL of an object of the storage."""
        return self._url(self.prefix + key, query or {})

    def bucket_url(self, query: Mapping[str, str] | None = None) -> str:
        """Return the URL of the bucket."""
        return self._url("", query or {})

    def _url(self, key: str, query: Mapping[str, str]) -> str:
        words = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
        url = f"{self.origin}/{quote(self.bucket, safe='')}"
        return f"{url}{f'/{quote(key)}' if key else ''}{f'?{words}' if words else ''}"
