"""What is shown of a named token. Pure."""

from __future__ import annotations

from onedata.tokens.token import Token
from oz_worker.records import NamedToken
from oz_worker.views import token_metadata_view


def named_token_view(record: NamedToken) -> dict[str, object]:
    """A named token as seen by its owner, the token itself included."""
    token = Token.deserialize(record.serialized)
    return {
        "id": record.id,
        "name": record.name,
        "subject": record.subject.to_json(),
        "type": token.identifier.type.to_json(),
        "caveats": [caveat.to_json() for caveat in token.caveats],
        "metadata": token_metadata_view(record),
        "revoked": record.revoked,
        "token": record.serialized,
    }
