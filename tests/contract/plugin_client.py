"""A plugin driven as the engine drives it: start, handshake, configure, then calls in the engine's order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import status_pb2

from components.provider.stubs import provider_pb2, provider_pb2_grpc
from components.provider.wire import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SEED = bytes(range(32))


@dataclass
class Refused(Exception):  # noqa: N818 it is an answer
    """Check refused: property and reason of every failure."""

    failures: dict[str, str]


@dataclass
class InitFailed(Exception):  # noqa: N818 it is an answer
    """The resource exists and is not ready."""

    id: str
    outputs: dict[str, Any]
    reasons: list[str]


class EngineError(Exception):
    """What the operator would read."""


@dataclass
class Stood:
    """A resource in the engine's state."""

    urn: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Plugin:
    """The engine's side of one running plugin."""

    stub: Any
    process: subprocess.Popen[bytes]
    channel: grpc.Channel
    deadline_s: float = 60.0

    def hang_up(self) -> int:
        """Go as a killed engine goes: connections and pipes close at once. Gives the plugin's exit status."""
        self.channel.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(30)

    def call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request, timeout=self.deadline_s)
        except (grpc.RpcError, ValueError) as error:
            if isinstance(error, ValueError):  # what gRPC raises on a channel that was closed
                raise EngineError(str(error)) from None
            for key, value in error.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    status = status_pb2.Status.FromString(value)
                    detail = provider_pb2.ErrorResourceInitFailed()
                    if status.details and status.details[0].Unpack(detail):
                        reasons = list(detail.reasons)
                        raise InitFailed(detail.id, decode(detail.properties)[0], reasons) from None
            raise EngineError(error.details()) from None

    def configure(self, **settings: Any) -> None:
        news = encode(settings)
        self.call("CheckConfig", provider_pb2.CheckRequest(urn=urn("pulumi:providers:x", "default"), news=news))
        self.call("Configure", provider_pb2.ConfigureRequest(args=news, acceptSecrets=True))

    def check(
        self, token: str, name: str, news: Mapping[str, Any], old: Stood | None = None, seed: bytes = SEED
    ) -> Any:
        request = provider_pb2.CheckRequest(
            urn=urn(token, name), news=encode(news), olds=encode(old.inputs) if old else None, randomSeed=seed
        )
        answer = self.call("Check", request)
        if answer.failures:
            raise Refused({failure.property: failure.reason for failure in answer.failures})
        return decode(answer.inputs)[0]

    def refused(self, token: str, news: Mapping[str, Any], name: str = "it") -> dict[str, str]:
        try:
            self.check(token, name, news)
        except Refused as refused:
            return refused.failures
        return {}

    def preview(self, token: str, name: str, news: Mapping[str, Any]) -> dict[str, Any]:
        inputs = self.check(token, name, news)
        request = provider_pb2.CreateRequest(urn=urn(token, name), properties=encode(inputs), preview=True)
        return decode(self.call("Create", request).properties)[0]

    def create(self, token: str, name: str, news: Mapping[str, Any], timeout: float = 0) -> Stood:
        inputs = self.check(token, name, news)
        request = provider_pb2.CreateRequest(urn=urn(token, name), properties=encode(inputs), timeout=timeout)
        answer = self.call("Create", request)
        return Stood(urn(token, name), answer.id, inputs, decode(answer.properties)[0])

    def diff(self, stood: Stood, news: Mapping[str, Any]) -> dict[str, str]:
        token, name = parts(stood.urn)
        answer = self.raw_diff(stood, self.check(token, name, news, stood))
        kinds = provider_pb2.PropertyDiff.Kind
        return {path: kinds.Name(entry.kind) for path, entry in answer.detailedDiff.items()}

    def raw_diff(self, stood: Stood, inputs: Mapping[str, Any]) -> Any:
        request = provider_pb2.DiffRequest(
            id=stood.id,
            urn=stood.urn,
            olds=encode(stood.outputs),
            news=encode(inputs),
            old_inputs=encode(stood.inputs),
        )
        return self.call("Diff", request)

    def update(self, stood: Stood, news: Mapping[str, Any], *, preview: bool = False) -> Stood:
        token, name = parts(stood.urn)
        inputs = self.check(token, name, news, stood)
        request = provider_pb2.UpdateRequest(
            id=stood.id,
            urn=stood.urn,
            olds=encode(stood.outputs),
            news=encode(inputs),
            old_inputs=encode(stood.inputs),
            preview=preview,
        )
        outputs = decode(self.call("Update", request).properties)[0]
        return Stood(stood.urn, stood.id, inputs, outputs)

    def read(self, stood: Stood) -> Stood | None:
        request = provider_pb2.ReadRequest(
            id=stood.id, urn=stood.urn, properties=encode(stood.outputs), inputs=encode(stood.inputs)
        )
        answer = self.call("Read", request)
        if not answer.id:
            return None
        return Stood(stood.urn, answer.id, decode(answer.inputs)[0], decode(answer.properties)[0])

    def delete(self, stood: Stood) -> None:
        request = provider_pb2.DeleteRequest(
            id=stood.id, urn=stood.urn, properties=encode(stood.outputs), old_inputs=encode(stood.inputs)
        )
        self.call("Delete", request)

    def invoke(self, token: str, **arguments: Any) -> dict[str, Any]:
        answer = self.call("Invoke", provider_pb2.InvokeRequest(tok=token, args=encode(arguments)))
        if answer.failures:
            raise Refused({failure.property: failure.reason for failure in answer.failures})
        return decode(getattr(answer, "return"))[0]

    def schema(self) -> dict[str, Any]:
        return dict(json.loads(self.call("GetSchema", provider_pb2.GetSchemaRequest()).schema))


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::unmoor::{token}::{name}"


def parts(of: str) -> tuple[str, str]:
    _, _, token, name = of.split("::", 3)
    return token, name


@contextmanager
def running(module: str, env: Mapping[str, str] | None = None) -> Iterator[Plugin]:
    """Yield the plugin `python -m module`, shaken hands with; ended as the engine ends it, and it must go quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    )
    with connected(process) as plugin:
        yield plugin


@contextmanager
def connected(process: subprocess.Popen[bytes]) -> Iterator[Plugin]:
    """Yield a plugin that was started with three pipes, shaken hands with; it ends with the block."""
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            if not line:
                raise AssertionError(process.stderr.read().decode())
            options = [("grpc.enable_http_proxy", 0), ("grpc.max_metadata_size", 16 << 20)]
            with grpc.insecure_channel(f"127.0.0.1:{int(line)}", options=options) as channel:
                plugin = Plugin(provider_pb2_grpc.ResourceProviderStub(channel), process, channel)
                request = provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1")
                assert plugin.call("Handshake", request).accept_secrets
                yield plugin
        finally:
            process.kill()
