"""Graph Sync: the messages between a zone and its providers, over a WebSocket; no I/O here."""

from __future__ import annotations

from onedata.graphsync.codec import MalformedRequest as MalformedRequest
from onedata.graphsync.codec import decode as decode
from onedata.graphsync.codec import encode as encode
from onedata.graphsync.messages import PROTOCOL_VERSION as PROTOCOL_VERSION
from onedata.graphsync.messages import AuthHint as AuthHint
from onedata.graphsync.messages import AuthOverride as AuthOverride
from onedata.graphsync.messages import Batch as Batch
from onedata.graphsync.messages import ClientAuth as ClientAuth
from onedata.graphsync.messages import DataFormat as DataFormat
from onedata.graphsync.messages import ErrorPush as ErrorPush
from onedata.graphsync.messages import ErrorResponse as ErrorResponse
from onedata.graphsync.messages import GraphPush as GraphPush
from onedata.graphsync.messages import GraphRequest as GraphRequest
from onedata.graphsync.messages import GraphResponse as GraphResponse
from onedata.graphsync.messages import HandshakeRequest as HandshakeRequest
from onedata.graphsync.messages import HandshakeResponse as HandshakeResponse
from onedata.graphsync.messages import HintContext as HintContext
from onedata.graphsync.messages import Message as Message
from onedata.graphsync.messages import NosubPush as NosubPush
from onedata.graphsync.messages import PublicAuth as PublicAuth
from onedata.graphsync.messages import Push as Push
from onedata.graphsync.messages import Request as Request
from onedata.graphsync.messages import Response as Response
from onedata.graphsync.messages import RpcRequest as RpcRequest
from onedata.graphsync.messages import RpcResponse as RpcResponse
from onedata.graphsync.messages import Subtype as Subtype
from onedata.graphsync.messages import TokenAuth as TokenAuth
from onedata.graphsync.messages import UnsubRequest as UnsubRequest
from onedata.graphsync.messages import UnsubResponse as UnsubResponse
from onedata.graphsync.messages import UpdateType as UpdateType
from onedata.gri import Gri as Gri
from onedata.gri import GriPattern as GriPattern
from onedata.gri import Scope as Scope
from onedata.tokens.party_caveats import Operation as Operation
