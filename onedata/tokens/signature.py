"""The HMAC chain of a macaroon: whoever knows a signature can append caveats, nobody can take one away.

``K = HMAC-SHA256("macaroons-key-generator", secret)``, ``S0 = HMAC-SHA256(K, identifier)``, and for each
caveat ``S = HMAC-SHA256(S, caveat)``.
"""

from __future__ import annotations

import hmac
from binascii import unhexlify
from collections.abc import Iterable
from functools import reduce

from pymacaroons.utils import create_initial_signature, hmac_digest

SIGNATURE_B = 32


def root_signature(secret: str, identifier: str) -> bytes:
    """The signature of a token without caveats."""
    return unhexlify(create_initial_signature(secret.encode(), identifier.encode()))


def extended_signature(signature: bytes, caveats: Iterable[str]) -> bytes:
    """The signature after appending caveats to a token with ``signature``."""
    extended: bytes = reduce(hmac_digest, (caveat.encode() for caveat in caveats), signature)
    return extended


def same_signature(one: bytes, other: bytes) -> bool:
    """Equality, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one, other)
