"""Published serialised tokens, byte for byte."""

from __future__ import annotations

import pytest

from onedata.ids import TokenId
from onedata.tokens import (
    NAMED,
    AccessToken,
    Caveat,
    IdentityToken,
    InviteToken,
    InviteType,
    Persistence,
    Subject,
    Token,
    TokenIdentifier,
    TokenType,
    parse_caveat,
)

USER = Subject("user", "uid")

TEXTS = (
    "time < 8374891234",
    "ip = 172.98.11.23/32",
    "asn = 322",
    "geo.country = PL|FR",
    "geo.region = Asia|EU",
    "authorization = none",
    "service = ozw-onezone",
    "consumer = usr-user-id|grp-group-id",
    "interface = graphsync",
    "api = all/all/*.*.*:*",
    "data.readonly",
    "data.path = L3NwYWNlMS9maWxlMS50eHQ=|L3NwYWNlMi9kaXIvZmlsZTIudHh0",
    "data.objectid = 00000000000CDBDA677569642331323323616263",
)


def _caveats(*texts: str) -> list[Caveat]:
    return [parse_caveat(text) for text in texts]


def _token(
    persistence: Persistence, subject: Subject, token_type: TokenType, secret: str, *texts: str, last: str
) -> Token:
    identifier = TokenIdentifier(
        persistence, subject, token_type, TokenId(f"1234567890example-id1234567890{last}")
    )
    return Token.mint("domain.example.com", identifier, secret, _caveats(*texts))


VECTORS: list[tuple[Token, str]] = [
    (
        Token.mint(
            "onezone.example.com",
            TokenIdentifier(NAMED, Subject("user", "u1"), AccessToken(), TokenId("t1")),
            "0123456789abcdef" * 4,
            _caveats("time < 2000000000", "interface = rest"),
        ),
        "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDAyM2lkZW500aWZpZXIgMi9ubWQvdXNyLXUxL2FjdC900MQowMDFhY2lk"
        "IHRpbWUgPCAyMDAwMDAwMDAwCjAwMTljaWQgaW500ZXJmYWNlID00gcmVzdAowMDJmc2lnbmF00dXJlILAmrTtiM3ck02lWeTw66Mj78Z"
        "gfVgyIfeS1HHlaR9Lp3Cg",
    ),
    (
        _token(Persistence(7), USER, AccessToken("sessId"), "verySecretSecret1", *TEXTS, last="a"),
        "MDAyMGxvY2F00aW9uIGRvbWFpbi5leGFtcGxlLmNvbQowMDRhaWRlbnRpZmllciAyL3RtcC003L3Vzci11aWQvYWN00OnNlc3NJZC8xMjM"
        "00NTY3ODkwZXhhbXBsZS1pZDEyMzQ1Njc4OTBhCjAwMWFjaWQgdGltZSA8IDgzNzQ4OTEyMzQKMDAxZGNpZCBpcCA9IDE3Mi45OC4xMS4y"
        "My8zMgowMDEyY2lkIGFzbiA9IDMyMgowMDFjY2lkIGdlby5jb3VudHJ5ID00gUEx8RlIKMDAxZGNpZCBnZW8ucmVnaW9uID00gQXNpYXxF"
        "VQowMDFkY2lkIGF1dGhvcml6YXRpb24gPSBub25lCjAwMWVjaWQgc2VydmljZSA9IG96dy1vbmV6b25lCjAwMmNjaWQgY29uc3VtZXIgPS"
        "B1c3ItdXNlci1pZHxncnAtZ3JvdXAtaWQKMDAxZWNpZCBpbnRlcmZhY2UgPSBncmFwaHN5bmMKMDAxZWNpZCBhcGkgPSBhbGwvYWxsLyou"
        "Ki4qOioKMDAxNmNpZCBkYXRhLnJlYWRvbmx5CjAwNGFjaWQgZGF00YS5wYXRoID00gTDNOd1lXTmxNUzltYVd4bE1TNTBlSFE9fEwzTndZ"
        "V005sTWk5a2FYSXZabWxzWlRJdWRIaDAKMDA00MWNpZCBkYXRhLm9iamVjdGlkID00gMDAwMDAwMDAwMDBDREJEQTY3NzU2OTY00MjMzMT"
        "MyMzMyMzYxNjI2MwowMDJmc2lnbmF00dXJlIFzjctImjdheinIatewEE6qZxluQoX63kTHYBEbChVksCg",
    ),
    (
        _token(NAMED, USER, AccessToken("sessId"), "verySecretSecret2", *reversed(TEXTS), last="b"),
        "MDAyMGxvY2F00aW9uIGRvbWFpbi5leGFtcGxlLmNvbQowMDQ4aWRlbnRpZmllciAyL25tZC91c3ItdWlkL2FjdDpzZXNzSWQvMTIzNDU2N"
        "zg5MGV4YW1wbGUtaWQxMjM00NTY3ODkwYgowMDQxY2lkIGRhdGEub2JqZWN00aWQgPSAwMDAwMDAwMDAwMENEQkRBNjc3NTY5NjQyMzMxM"
        "zIzMzIzNjE2MjYzCjAwNGFjaWQgZGF00YS5wYXRoID00gTDNOd1lXTmxNUzltYVd4bE1TNTBlSFE9fEwzTndZV005sTWk5a2FYSXZabWxz"
        "WlRJdWRIaDAKMDAxNmNpZCBkYXRhLnJlYWRvbmx5CjAwMWVjaWQgYXBpID00gYWxsL2FsbC8qLiouKjoqCjAwMWVjaWQgaW500ZXJmYWNl"
        "ID00gZ3JhcGhzeW5jCjAwMmNjaWQgY29uc3VtZXIgPSB1c3ItdXNlci1pZHxncnAtZ3JvdXAtaWQKMDAxZWNpZCBzZXJ2aWNlID00gb3p3"
        "LW9uZXpvbmUKMDAxZGNpZCBhdXRob3JpemF00aW9uID00gbm9uZQowMDFkY2lkIGdlby5yZWdpb24gPSBBc2lhfEVVCjAwMWNjaWQgZ2Vv"
        "LmNvdW500cnkgPSBQTHxGUgowMDEyY2lkIGFzbiA9IDMyMgowMDFkY2lkIGlwID00gMTcyLjk4LjExLjIzLzMyCjAwMWFjaWQgdGltZSA8"
        "IDgzNzQ4OTEyMzQKMDAyZnNpZ25hdHVyZSA9cNaxGcs8TowTZAcrhE8aKlGRXqbMppFY74ciZtV9pwo",
    ),
    (
        _token(
            NAMED,
            Subject("oneprovider", "pid"),
            IdentityToken(),
            "verySecretSecret3",
            "geo.region = Africa",
            "interface = rest",
            "time < 8374891234",
            "geo.country = DE|PT",
            "asn = 322",
            "consumer = usr-user-id|grp-group-id",
            "ip = 172.98.11.23/32",
            last="c",
        ),
        "MDAyMGxvY2F00aW9uIGRvbWFpbi5leGFtcGxlLmNvbQowMDQxaWRlbnRpZmllciAyL25tZC9wcnYtcGlkL2lkbi8xMjM00NTY3ODkwZXhh"
        "bXBsZS1pZDEyMzQ1Njc4OTBjCjAwMWNjaWQgZ2VvLnJlZ2lvbiA9IEFmcmljYQowMDE5Y2lkIGludGVyZmFjZSA9IHJlc3QKMDAxYWNpZC"
        "B00aW1lIDwgODM3NDg5MTIzNAowMDFjY2lkIGdlby5jb3VudHJ5ID00gREV8UFQKMDAxMmNpZCBhc24gPSAzMjIKMDAyY2NpZCBjb25zdW"
        "1lciA9IHVzci11c2VyLWlkfGdycC1ncm91cC1pZAowMDFkY2lkIGlwID00gMTcyLjk4LjExLjIzLzMyCjAwMmZzaWduYXR1cmUgeHgOy1l"
        "x96LmS1DmJ8VFizT6WrsALQizK1p00PQnJnYUK",
    ),
    (
        _token(
            Persistence(49),
            USER,
            InviteToken(InviteType.USER_JOIN_SPACE, "spaceId"),
            "verySecretSecret4",
            "geo.country = DE|PT",
            "geo.region = Africa",
            "consumer = grp-group-id|usr-user-id",
            "time < 8374891234",
            "ip = 11.101.11.234/32",
            "asn = 112",
            last="d",
        ),
        "MDAyMGxvY2F00aW9uIGRvbWFpbi5leGFtcGxlLmNvbQowMDRkaWRlbnRpZmllciAyL3RtcC0000OS91c3ItdWlkL3VqczpzcGFjZUlkOi8"
        "xMjM00NTY3ODkwZXhhbXBsZS1pZDEyMzQ1Njc4OTBkCjAwMWNjaWQgZ2VvLmNvdW500cnkgPSBERXxQVAowMDFjY2lkIGdlby5yZWdpb24"
        "gPSBBZnJpY2EKMDAyY2NpZCBjb25zdW1lciA9IGdycC1ncm91cC1pZHx1c3ItdXNlci1pZAowMDFhY2lkIHRpbWUgPCA4Mzc00ODkxMjM0"
        "0CjAwMWVjaWQgaXAgPSAxMS4xMDEuMTEuMjM00LzMyCjAwMTJjaWQgYXNuID00gMTEyCjAwMmZzaWduYXR1cmUgn3ofRtRE02FAEF1zeQB"
        "01t5IYpXXZO102SQSyMwvqx76ysK",
    ),
]

_HEAD = "MDAyMGxvY2F00aW9uIGRvbWFpbi5leGFtcGxlLmNvbQowMD"

INVITES = [
    (
        InviteToken("userJoinGroup", "GroupId"),
        "U4aWRlbnRpZmllciAyL25tZC91c3ItaW52aXRhdGlvbi1zZW5kZXIvdWpnOkdyb3VwSWQ6LzEyMzQ1Njc4OTBleGFtcGxlLWlkMTIzNDU2"
        "Nzg5MGUKMDAyZnNpZ25hdHVyZSCH7MlKe97K7K5UHEpTU01nUb8AN77DBp7Ys20100nJBOAdwo",
    ),
    (
        InviteToken("supportSpace", "SpaceId", "ge"),
        "VhaWRlbnRpZmllciAyL25tZC91c3ItaW52aXRhdGlvbi1zZW5kZXIvc3NwOlNwYWNlSWQ6Z2UvMTIzNDU2Nzg5MGV4YW1wbGUtaWQxMjM0"
        "0NTY3ODkwZQowMDJmc2lnbmF00dXJlIICA3AFgFAXHLKDfXavXhDw00YeJioSh5rLbBeomcltfVCg",
    ),
    (
        InviteToken("registerOneprovider", "AdminUserId"),
        "VjaWRlbnRpZmllciAyL25tZC91c3ItaW52aXRhdGlvbi1zZW5kZXIvcm9wOkFkbWluVXNlcklkOi8xMjM00NTY3ODkwZXhhbXBsZS1pZDE"
        "yMzQ1Njc4OTBlCjAwMmZzaWduYXR1cmUgeqAZjO01V9inEh02PXkeRIj2256WD71TxRyBXLrlLqG4sK",
    ),
    (
        InviteToken("groupJoinCluster", "ClusterId"),
        "VhaWRlbnRpZmllciAyL25tZC91c3ItaW52aXRhdGlvbi1zZW5kZXIvZ2pjOkNsdXN00ZXJJZDovMTIzNDU2Nzg5MGV4YW1wbGUtaWQxMjM"
        "00NTY3ODkwZQowMDJmc2lnbmF00dXJlIAN21J3T5t7r1va7OJzZ014Q01X8AYRC2woa1nOkjirUIUCg",
    ),
    (
        InviteToken("spaceJoinHarvester", "HarvesterId"),
        "VjaWRlbnRpZmllciAyL25tZC91c3ItaW52aXRhdGlvbi1zZW5kZXIvc2poOkhhcnZlc3RlcklkOi8xMjM00NTY3ODkwZXhhbXBsZS1pZDE"
        "yMzQ1Njc4OTBlCjAwMmZzaWduYXR1cmUgiaLOh53TLU5C8SwA5uZgGtVzD02ZeZknOz1Xjz4qaL2kK",
    ),
]

ALL_VECTORS = VECTORS + [
    (
        _token(NAMED, Subject("user", "invitation-sender"), invite, "verySecretSecret5", last="e"),
        _HEAD + rest,
    )
    for invite, rest in INVITES
]


@pytest.mark.parametrize(("token", "serialized"), ALL_VECTORS)
def test_published_token_is_serialised_byte_for_byte(token: Token, serialized: str) -> None:
    assert token.serialize() == serialized


@pytest.mark.parametrize(("token", "serialized"), ALL_VECTORS)
def test_published_token_is_read_back_whole(token: Token, serialized: str) -> None:
    assert Token.deserialize(serialized) == token
