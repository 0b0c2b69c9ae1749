"""URLs, options of the embedded server, and the command line of ``serve``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from cluster_worker.persistence.address import (
    BadRedisUrl,
    ClusterAddress,
    RedisAddress,
    SentinelAddress,
    StoreAddress,
    parse_address,
)
from cluster_worker.persistence.config import Durability, RedisConfig
from cluster_worker.persistence.embedded import TcpListen, restart_delay_s, server_settings
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.serve import listen_address, protected
from cluster_worker.persistence.setup import make_engine


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://host", RedisAddress(host="host")),
        (
            "redis://:p%40ss@10.0.0.1:7000/2",
            RedisAddress(host="10.0.0.1", port=7000, password="p@ss", database=2),
        ),
        (
            "rediss://me:word@[::1]:1/",
            RedisAddress(host="::1", port=1, tls=True, username="me", password="word"),
        ),
        ("unix:///run/redis.sock", RedisAddress(path="/run/redis.sock")),
        (
            "unix://:word@/run/a%20b.sock?db=3",
            RedisAddress(path="/run/a b.sock", password="word", database=3),
        ),
        (
            "redis+sentinel://a,[::1]:7,c:8/m%2F1/2",
            SentinelAddress(
                sentinels=(
                    RedisAddress(host="a", port=26379),
                    RedisAddress(host="::1", port=7),
                    RedisAddress(host="c", port=8),
                ),
                service="m/1",
                login=RedisAddress(database=2),
            ),
        ),
        (
            "rediss+sentinel://me:p%40s@a/m1",
            SentinelAddress(
                sentinels=(RedisAddress(host="a", port=26379, tls=True),),
                service="m1",
                login=RedisAddress(tls=True, username="me", password="p@s"),
            ),
        ),
        (
            "redis+cluster://:word@a,b:7000",
            ClusterAddress(
                nodes=(
                    RedisAddress(host="a", password="word"),
                    RedisAddress(host="b", port=7000, password="word"),
                )
            ),
        ),
        ("rediss+cluster://a", ClusterAddress(nodes=(RedisAddress(host="a", tls=True),))),
    ],
)
def test_url_gives_the_address_it_names(url: str, address: StoreAddress) -> None:
    assert parse_address(url) == address
    assert RedisConfig(url=url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://host",
        "redis://",
        "redis://h:x/0",
        "redis://h:99999",
        "redis://h/word",
        "unix://run/redis.sock",
        "redis://a,b",
        "redis+sentinel://a",
        "redis+sentinel://a,/m1",
        "redis+sentinel://a:x/m1",
        "redis+sentinel://a/m1/x",
        "redis+cluster://",
        "redis+cluster://a,b:0x1",
        "redis+cluster://a,b/0",
    ],
)
def test_url_that_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(BadRedisUrl):
        RedisConfig(url=url)


def test_password_is_in_no_representation_and_no_error() -> None:
    config = RedisConfig(url="redis://:s3cret@host")
    assert "s3cret" not in f"{config!r} {config.address!r} {config.address}"
    with pytest.raises(BadRedisUrl) as caught:
        RedisConfig(url="redis://:s3cret@host:x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis+sentinel://u:s3cret@h/m1", "redis+cluster://u:s3cret@h,i"])
def test_password_for_several_servers_is_in_no_representation(url: str) -> None:
    config = RedisConfig(url=url, sentinel_password="other")
    assert not {"s3cret", "other"} & set(f"{config!r} {config.address!r} {config.address}".split("'"))


def test_requests_to_servers_that_fail_over_wait_for_that_unless_told_otherwise() -> None:
    one, several = parse_address("redis://h"), parse_address("redis+cluster://h")
    assert RedisConfig().patience_with(one) == 1.5
    assert RedisConfig().patience_with(several) == 10.0
    assert RedisConfig(patience_s=3.0).patience_with(several) == 3.0


@pytest.mark.parametrize("url", [None, "memory:"])
def test_store_without_replicas_cannot_have_them_acknowledge(url: str | None) -> None:
    with pytest.raises(ValueError, match="replicas"):
        RedisConfig(url=url, replicas_acknowledge=1)


def test_durations_that_make_no_sense_are_refused() -> None:
    for options in (
        {"replicas_acknowledge": -1},
        {"acknowledge_timeout_s": 0},
        {"patience_s": -1},
        {"reply_timeout_s": 0},
        {"ping_interval_s": 0},
        {"durability": "most"},
    ):
        with pytest.raises(ValueError):
            RedisConfig(**options)


def test_power_durability_syncs_always_and_process_never_waits() -> None:
    power = server_settings(Durability.POWER, "s", None)
    process = server_settings(Durability.PROCESS, "s", None)
    assert power[power.index("--appendfsync") + 1] == "always"
    assert process[process.index("--appendfsync") + 1] == "no"
    assert process[process.index("--port") + 1] == "0"


def test_server_listens_on_tcp_only_when_asked() -> None:
    settings = server_settings(Durability.PROCESS, "s", TcpListen("127.1.2.3", 6379))
    assert settings[settings.index("--port") + 1] == "6379"
    assert settings[settings.index("--bind") + 1] == "127.1.2.3"


def test_restarts_come_soon_and_slow_down_to_five_seconds() -> None:
    assert restart_delay_s(0) < 1.0
    assert restart_delay_s(1000) == 5.0


def test_serve_takes_an_address_and_a_port() -> None:
    assert listen_address("127.0.0.9:6379") == TcpListen("127.0.0.9", 6379)
    for text in ("127.0.0.1", "localhost:1", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:65536"):
        with pytest.raises(ArgumentTypeError):
            listen_address(text)


def test_serve_without_a_password_listens_on_loopback_addresses_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    everywhere = TcpListen("0.0.0.0", 6379)
    assert protected(None, None) is None
    assert protected(TcpListen("127.0.0.9", 6379), None) == TcpListen("127.0.0.9", 6379)
    assert protected(everywhere, str(secret)) == TcpListen("0.0.0.0", 6379, "hush")
    with pytest.raises(SystemExit):
        protected(everywhere, None)


def test_engine_is_chosen_by_the_url() -> None:
    clock = Clock()
    assert isinstance(make_engine(clock, RedisConfig(url="memory:"), "unused")[1], MemoryEngine)
    for url in ("unix:///run/redis.sock", "redis+sentinel://h/m1", "redis+cluster://h", None):
        assert isinstance(make_engine(clock, RedisConfig(url=url), "unused")[1], RedisEngine)
    assert clock.getDelayedCalls() == []
