"""Clients of S3 by the people who made it, to compare with."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config


def s3_client(url: str, access_key: str, secret_key: str) -> Any:
    """Return a client that does one thing at a time, and tries it once."""
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=config,
    )
