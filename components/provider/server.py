"""Serve resources to the Pulumi engine: print a port, then answer until the engine hangs up.

How a plugin ends (engine v3.259.0, host.go and plugin.go): the engine calls Cancel, then sends SIGINT to the process
group and waits five seconds. A killed engine sends nothing, but the pipe that it holds as our stdin closes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc

from .resource import Change, Context, Diff, Failure, Partial, Resource, State
from .servicer import Servicer
from .stubs import provider_pb2_grpc
from .wire import UNKNOWN, Unknown, holds_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "UNKNOWN",
    "Change",
    "Context",
    "Diff",
    "Failure",
    "Partial",
    "Resource",
    "State",
    "Unknown",
    "holds_unknown",
    "serve",
]

#: The engine makes at most 4 x processors calls at once, but commands and leases occupy their thread for minutes.
_THREADS = 64
#: Seconds in which calls in progress may tidy up once the engine is gone.
_PATIENCE_S = 5.0
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]


def serve(
    name: str,
    version: str,
    resources: Mapping[str, Resource],
    functions: Mapping[str, Callable[[dict[str, Any]], tuple[dict[str, Any], list[Failure]]]] | None = None,
    configure: Callable[[dict[str, Any]], None] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> None:
    """Serve the resources and functions by token; `configure` gets the provider's settings first.

    `schema` is the package's schema without a version; with it, properties have its names on the wire.
    """
    servicer = Servicer(name, version, resources, functions or {}, configure, schema)
    hung_up = threading.Event()

    def interrupted(_number: int, _frame: object) -> None:
        if (
            servicer.cancelled.is_set()
        ):  # An interrupt before Cancel is a stray Ctrl-C: calls in progress must end first.
            hung_up.set()

    def ended(_number: int, _frame: object) -> None:
        hung_up.set()

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, ended)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_THREADS), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 the protocol: the first line on stdout is the port
    threading.Thread(target=_watch_engine, args=(hung_up,), daemon=True).start()
    hung_up.wait()
    servicer.drain(_PATIENCE_S)
    sys.stderr.flush()
    os._exit(0)  # a thread that hangs in a dead call must not keep the process alive


def _watch_engine(hung_up: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    hung_up.set()
