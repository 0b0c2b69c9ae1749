"""The ``[dns]`` section of the manager's configuration."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from attrs import Attribute, field, frozen
from attrs.validators import ge, le


def _published(_: object, attribute: Attribute[tuple[str, ...]], texts: tuple[str, ...]) -> None:
    for text in texts:
        node, equals, address = text.partition("=")
        try:
            if not (node and equals):
                raise ValueError(f"{text!r} is not NODE=ADDRESS")
            ip_address(address)
        except ValueError as error:
            raise ValueError(f"{attribute.name}: {error}") from None


def _name(text: str) -> str:
    return text.strip(".").lower()


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(_name(text) for text in texts)


@frozen(kw_only=True)
class DnsSection:
    """A name server for one domain, which gives clients the addresses of the nodes that want them."""

    domain: str = field(
        default="",
        converter=_name,
        metadata={
            "help": "The domain, such as data.example.org; nothing is answered without one. See"
            " docs/load-spreading.md.",
        },
    )
    address: str = field(default="127.0.0.1", metadata={"help": "Address to listen on, UDP and TCP."})
    port: int = field(
        default=53,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port to listen on; the world asks 53, which needs the right to bind it."},
    )
    name_servers: tuple[str, ...] = field(
        default=(),
        converter=_names,
        metadata={
            "help": "Host names of the managers, as the parent domain delegates to them, the primary first;"
            " not below the domain itself.",
        },
    )
    ttl_s: int = field(
        default=5,
        validator=[ge(0), le(3600)],
        metadata={"help": "Seconds for which resolvers may keep an answer."},
    )
    addresses: tuple[str, ...] = field(
        default=(),
        validator=_published,
        metadata={
            "help": "NODE=ADDRESS where clients reach a node, several for several addresses; without one, the"
            " address at which other nodes reach it, unless that is a host name.",
        },
    )

    def __attrs_post_init__(self) -> None:
        if self.domain and not self.name_servers:
            raise ValueError("a domain needs name_servers")
        for name in self.name_servers:
            if f".{name}".endswith(f".{self.domain}"):
                raise ValueError(f"name_servers: {name} is below the domain, where only nodes are known")

    @property
    def published(self) -> dict[str, tuple[str, ...]]:
        """Node → where clients reach it, of those nodes for whom it is said."""
        found: dict[str, tuple[str, ...]] = {}
        for text in self.addresses:
            node, _, address = text.partition("=")
            found[node] = (*found.get(node, ()), address)
        return found
