"""Every way in which a token can fail, and the error that is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from onedata.errors import OnedataError
from onedata.ids import TokenId
from onedata.privileges import CLUSTER_MEMBER
from onedata.tokens.caveats import Caveat, ConsumerCaveat, ServiceCaveat, TimeCaveat
from onedata.tokens.identifier import NAMED, Persistence, TokenIdentifier
from onedata.tokens.subjects import Service, ServiceKind, Subject, SubjectKind
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken, IdentityToken, InviteToken, InviteType, TokenType
from onedata.tokens.verify import RequestContext
from oz_worker.records import NamedToken
from oz_worker.verification import OWN, Parties, TokenVerifier
from tests.unit.oz_worker.zone_records import SECRET, group, provider, state_of, subject, user

NOW_S = 1000.0
CONTEXT = RequestContext(now_s=NOW_S)
KRK = Subject(SubjectKind.ONEPROVIDER, "krk")
OPW_KRK = Service(ServiceKind.OP_WORKER, "krk")


def named(token_id: str, owner: Subject, *, revoked: bool = False) -> NamedToken:
    return NamedToken(
        id=token_id, created_s=1, name=token_id, subject=owner, secret=SECRET, serialized="", revoked=revoked
    )


STATE = state_of(
    user("anna"),
    user("blocked", blocked=True),
    group("g", users={"anna": frozenset()}),
    provider("krk", users={"anna": CLUSTER_MEMBER}),
    provider("par"),
    named("good", subject("anna")),
    named("revoked", subject("anna"), revoked=True),
    named("orphan", subject("gone")),
    named("of-blocked", subject("blocked")),
    named("of-krk", KRK),
)
VERIFIER = TokenVerifier(STATE)


def token(
    token_id: str = "good",
    owner: Subject = subject("anna"),  # noqa: B008 - a frozen value
    *,
    kind: TokenType = AccessToken(),  # noqa: B008 - a frozen value
    generation: int | None = None,
    secret: str = SECRET,
    caveats: Sequence[Caveat] = (),
) -> str:
    persistence = NAMED if generation is None else Persistence(generation)
    identifier = TokenIdentifier(persistence, owner, kind, TokenId(token_id))
    return Token.mint("onezone.test", identifier, secret, caveats).serialize()


def error_of(text: str, context: RequestContext = CONTEXT) -> str:
    with pytest.raises(OnedataError) as caught:
        VERIFIER.access(text, context)
    return caught.value.id


def test_good_tokens_tell_subject_and_time_left() -> None:
    verified = VERIFIER.access(token(caveats=[TimeCaveat(1060)]), CONTEXT)
    assert verified.subject == subject("anna") and verified.ttl_s(NOW_S) == 60
    temporary = VERIFIER.access(token("random", generation=2), CONTEXT)
    assert temporary.record is None and temporary.ttl_s(NOW_S) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rubbish", "badToken"),
        (token("unknown"), "tokenInvalid"),
        (token(secret="6" * 64), "tokenInvalid"),
        (token("t", generation=3), "tokenInvalid"),
        (token("t", generation=2, secret="6" * 64), "tokenInvalid"),
        (token("t", generation=1), "tokenRevoked"),
        (token("t", subject("gone"), generation=1), "tokenSubjectInvalid"),
        (token("revoked"), "tokenRevoked"),
        (token("orphan", subject("gone")), "tokenSubjectInvalid"),
        (token("good", subject("bob")), "tokenSubjectInvalid"),
        (token("of-blocked", subject("blocked")), "userBlocked"),
        (token(kind=AccessToken("session")), "tokenSessionInvalid"),
        (token(kind=IdentityToken()), "notAnAccessToken"),
        (token(caveats=[TimeCaveat(999)]), "tokenCaveatUnverified"),
    ],
)
def test_each_fault_has_its_error(text: str, error: str) -> None:
    assert error_of(text) == error


def test_old_tokens_without_a_subject_are_looked_up() -> None:
    identifier = TokenIdentifier.parse("good")
    text = Token.mint("onezone.test", identifier, SECRET).serialize()
    assert VERIFIER.access(text, CONTEXT).subject == subject("anna")


@pytest.mark.parametrize(
    ("owner", "token_id", "service", "allowed"),
    [
        (subject("anna"), "good", OPW_KRK, True),
        (subject("anna"), "good", Service(ServiceKind.OP_PANEL, "krk"), True),
        (subject("anna"), "good", Service(ServiceKind.OP_PANEL, "par"), False),
        (subject("anna"), "good", Service(ServiceKind.OZ_PANEL, "onezone"), False),
        (KRK, "of-krk", OPW_KRK, True),
        (KRK, "of-krk", Service(ServiceKind.OP_WORKER, "par"), False),
        (KRK, "of-krk", Service(ServiceKind.OZ_WORKER, "onezone"), True),
    ],
)
def test_services_see_only_tokens_meant_for_them(
    owner: Subject, token_id: str, service: Service, allowed: bool
) -> None:
    context = RequestContext(now_s=NOW_S, service=service)
    if allowed:
        assert VERIFIER.access(token(token_id, owner), context).subject == owner
    else:
        assert error_of(token(token_id, owner), context) == "tokenServiceForbidden"


def test_consumer_is_known_with_all_groups() -> None:
    narrow = token(caveats=[ConsumerCaveat((Subject(SubjectKind.GROUP, "g"),))])
    assert error_of(narrow) == "tokenCaveatUnverified"
    context = VERIFIER.context_for(subject("anna"), CONTEXT)
    assert VERIFIER.access(narrow, context).subject == subject("anna")
    assert VERIFIER.reach(narrow, OWN, CONTEXT).subject == subject("anna")
    with pytest.raises(OnedataError):
        VERIFIER.reach(narrow, None, CONTEXT)


def test_invitations_must_be_of_the_expected_kind() -> None:
    text = token(kind=InviteToken(InviteType.USER_JOIN_SPACE, "s"))
    assert VERIFIER.invite(text, None, CONTEXT).subject == subject("anna")
    assert VERIFIER.invite(text, InviteType.USER_JOIN_SPACE, CONTEXT).subject == subject("anna")
    for kind, wrong in ((InviteType.SUPPORT_SPACE, text), (None, token())):
        with pytest.raises(OnedataError) as caught:
            VERIFIER.invite(wrong, kind, CONTEXT)
        assert caught.value.id == "notAnInviteToken"


def test_service_stands_behind_tokens_of_providers_only() -> None:
    parties = Parties(VERIFIER)
    root = token("of-krk", KRK)
    assert parties.service_of(root, CONTEXT) == OPW_KRK
    assert parties.service_of("opp-" + root, CONTEXT) == Service(ServiceKind.OP_PANEL, "krk")
    with pytest.raises(OnedataError):
        parties.service_of(token(), CONTEXT)
    assert parties.subject_of(token(kind=IdentityToken()), CONTEXT) == subject("anna")


def test_unusable_service_caveats_are_refused_when_issuing() -> None:
    panel = ServiceCaveat((Service(ServiceKind.OP_PANEL, "par"),))
    with pytest.raises(OnedataError) as caught:
        VERIFIER.demand_usable(subject("anna"), [panel])
    assert caught.value.id == "tokenServiceForbidden"
    VERIFIER.demand_usable(subject("anna"), [ServiceCaveat((Service(ServiceKind.OP_PANEL, "*"),))])
