"""Small zones for tests."""

from __future__ import annotations

from typing import Any

from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.records import Group, Provider, Record, Space, TemporarySecret, User, key_of
from oz_worker.state import ZoneState

SECRET = "5" * 64


def user(user_id: str, **changes: Any) -> User:
    return User(
        **{
            "id": user_id,
            "created_s": 1,
            "temporary": TemporarySecret(2, SECRET),
            "username": user_id,
            **changes,
        }
    )


def group(group_id: str, **changes: Any) -> Group:
    return Group(**{"id": group_id, "created_s": 1, "name": group_id, **changes})


def space(space_id: str, **changes: Any) -> Space:
    return Space(**{"id": space_id, "created_s": 1, "name": space_id, **changes})


def provider(provider_id: str, **changes: Any) -> Provider:
    values = {
        "id": provider_id,
        "created_s": 1,
        "name": provider_id,
        "domain": f"{provider_id}.test",
        "admin_email": "a@b.c",
        "root_token_id": "root",
        "temporary": TemporarySecret(1, SECRET),
    }
    return Provider(**{**values, **changes})


def state_of(*records: Record) -> ZoneState:
    state = ZoneState()
    for record in records:
        state.apply(key_of(record), 1, record)
    return state


def subject(user_id: str) -> Subject:
    return Subject(SubjectKind.USER, user_id)
