"""The ResourceProvider protocol, once for every resource: decode, call, encode, and report errors."""

# ruff: noqa: N802, ARG002 the protocol names the methods and their arguments

from __future__ import annotations

import json
import threading
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2, empty_pb2

from ..errors import UnmoorError
from . import schema as schemas
from .resource import Context, Failure, Partial, Resource, State
from .stubs import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc
from .wire import Path, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Functions = Mapping[str, Callable[[dict[str, Any]], tuple[dict[str, Any], list[Failure]]]]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for a table of resources; `cancelled` is set once the engine wants to end.

    Resources use Python's names of properties; where there is a schema, the wire has the schema's.
    """

    def __init__(
        self,
        name: str,
        version: str,
        resources: Mapping[str, Resource],
        functions: Functions,
        configure: Callable[[dict[str, Any]], None] | None,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        self.cancelled = threading.Event()
        self._schema = schema
        described = schema["resources"] if schema else {}
        self._names = {token: schemas.Names.of(described.get(token, {})) for token in resources}
        self._name, self._version = name, version
        self._resources, self._functions, self._configure = resources, functions, configure
        self._engine: engine_pb2_grpc.EngineStub | None = None
        self._running = 0
        self._idle = threading.Condition()

    def drain(self, patience_s: float) -> None:
        """End all calls in progress, and wait at most `patience_s` seconds until they have ended.

        gRPC's own grace period is no use: it forgets a call whose engine is gone, while the work continues.
        """
        self.cancelled.set()
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0, patience_s)

    # -- the plugin itself

    def Handshake(self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext) -> Any:
        """Keep the engine's address for log lines."""
        self._connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Any:
        """Accept PULUMI_DEBUG_PROVIDERS' attachment."""
        self._connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> Any:
        """Return the plugin's version."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext) -> Any:
        """Return the schema for other languages; without a schema only the tokens."""
        schema = self._schema or {
            "name": self._name,
            "resources": {token: {} for token in self._resources},
            "functions": {token: {} for token in self._functions},
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps({**schema, "version": self._version}))

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> Any:
        """Accept the settings as they are if `configure` can read them.

        Otherwise accept none: a project of the plugin's own name passes its whole configuration here, and each change
        of it would be kept in the state and shown as a change of the plugin.
        """
        return provider_pb2.CheckResponse(inputs=request.news if self._configure else None)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> Any:
        """Return no replacement: changed settings never replace a resource."""
        same = request.old_inputs == request.news
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        )

    def Configure(self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext) -> Any:
        """Pass on the settings; nested ones are JSON strings, as the engine sends them."""
        with self._answering(context):
            if self._configure:
                self._configure(decode(request.args)[0])
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> Any:
        """Ask all calls in progress to end."""
        self.cancelled.set()
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> Any:
        """Call a function."""
        with self._answering(context):
            function = self._functions.get(request.tok)
            if function is None:
                raise UnmoorError(f"the {self._name} plugin has no function {request.tok}")
            result, failures = function(decode(request.args)[0])
            return provider_pb2.InvokeResponse(**{"return": encode(result), "failures": _failures(failures)})

    # -- resources

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> Any:
        """Return inputs with defaults and autonames, and every fault at once."""
        with self._answering(context):
            names = self._named(request.urn)
            news, secrets = names.decode(request.news)
            olds = names.decode(request.olds)[0] if request.olds.fields else None
            ctx = self._context(request.urn, seed=request.randomSeed, secrets=secrets)
            inputs, failures = self._resource(ctx).check(news, olds, ctx)
            return provider_pb2.CheckResponse(
                inputs=names.encode(inputs, secrets), failures=_failures(failures, names.path)
            )

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> Any:
        """Return what changes, property by property."""
        with self._answering(context):
            names = self._named(request.urn)
            (news, secrets), old_inputs = names.decode(request.news), names.decode(request.old_inputs)[0]
            ctx = self._context(request.urn, secrets=secrets)
            diff = self._resource(ctx).diff(request.id, old_inputs, names.decode(request.olds)[0], news, ctx)
            changes = {names.path(path): change for path, change in diff.changes.items()}
            given = {names.path(name) for name in (*news, *old_inputs)}
            top = {path: path.split(".")[0].split("[")[0] for path in changes}
            kinds = provider_pb2.PropertyDiff.Kind
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if top else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=sorted(set(top.values())),
                replaces=sorted({top[path] for path, change in changes.items() if change.replaces}),
                deleteBeforeReplace=diff.delete_before_replace,
                hasDetailedDiff=True,
                detailedDiff={
                    path: provider_pb2.PropertyDiff(kind=kinds.Value(change.value), inputDiff=top[path] in given)
                    for path, change in changes.items()
                },
            )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> Any:
        """Create it, or in a preview return its outputs."""
        names = self._named(request.urn)
        inputs, secrets = names.decode(request.properties)
        with self._answering(context, names, secrets):
            ctx = self._context(request.urn, request.preview, request.timeout, secrets=secrets)
            state = self._resource(ctx).create(inputs, ctx)
            return provider_pb2.CreateResponse(id=state.id, properties=_outputs(state, names, secrets))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> Any:
        """Read the resource from the world; an empty id means that it is gone."""
        names = self._named(request.urn)
        inputs, hidden = names.decode(request.inputs)
        outputs, secrets = names.decode(request.properties)
        with self._answering(context, names, secrets | hidden):
            ctx = self._context(request.urn, timeout_s=request.timeout, secrets=secrets | hidden)
            state = self._resource(ctx).read(request.id, inputs, outputs, ctx)
            if state is None:
                return provider_pb2.ReadResponse()
            found = inputs if state.inputs is None else state.inputs
            return provider_pb2.ReadResponse(
                id=state.id,
                properties=_outputs(state, names, secrets | hidden),
                inputs=names.encode(found, hidden),
            )

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> Any:
        """Change it in place, or in a preview return its outputs."""
        names = self._named(request.urn)
        news, secrets = names.decode(request.news)
        with self._answering(context, names, secrets):
            ctx = self._context(request.urn, request.preview, request.timeout, secrets=secrets)
            old_inputs, old_outputs = names.decode(request.old_inputs)[0], names.decode(request.olds)[0]
            state = self._resource(ctx).update(request.id, old_inputs, old_outputs, news, ctx)
            return provider_pb2.UpdateResponse(properties=_outputs(state, names, secrets))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Any:
        """Remove it."""
        with self._answering(context):
            names = self._named(request.urn)
            ctx = self._context(request.urn, timeout_s=request.timeout)
            inputs, outputs = names.decode(request.old_inputs)[0], names.decode(request.properties)[0]
            self._resource(ctx).delete(request.id, inputs, outputs, ctx)
        return empty_pb2.Empty()

    # -- what every call shares

    def _resource(self, ctx: Context) -> Resource:
        if ctx.type not in self._resources:
            known = ", ".join(sorted(self._resources))
            raise UnmoorError(f"the {self._name} plugin has no resource {ctx.type}; choose from {known}")
        return self._resources[ctx.type]

    def _named(self, urn: str) -> schemas.Names:
        return self._names.get(_type(urn), schemas.Names())

    def _context(
        self,
        urn: str,
        preview: bool = False,  # noqa: FBT001, FBT002 the protocol's own flag
        timeout_s: float = 0.0,
        seed: bytes = b"",
        secrets: frozenset[Path] = frozenset(),
    ) -> Context:
        return Context(
            urn=urn,
            name=urn.split("::", 3)[3],
            type=_type(urn),
            preview=preview,
            seed=seed,
            cancelled=self.cancelled,
            timeout_s=timeout_s,
            log=lambda severity, message: self._log(urn, severity, message),
            secret=frozenset(str(path[0]) for path in secrets),
        )

    def _connect(self, address: str) -> None:
        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._engine = engine_pb2_grpc.EngineStub(channel)

    def _log(self, urn: str, severity: str, message: str) -> None:
        if self._engine is not None:
            passing = severity == "status"
            level = engine_pb2.INFO if passing else engine_pb2.LogSeverity.Value(severity.upper())
            with suppress(grpc.RpcError):  # an engine that is gone reads no log, and the work continues
                self._engine.Log(engine_pb2.LogRequest(severity=level, message=message, urn=urn, ephemeral=passing))

    @contextmanager
    def _answering(
        self, context: grpc.ServicerContext, names: schemas.Names | None = None, secrets: frozenset[Path] = frozenset()
    ) -> Iterator[None]:
        with self._idle:
            self._running += 1
        try:
            yield
        except Partial as partial:
            context.abort_with_status(_init_failed(partial, names or schemas.Names(), secrets))
        except UnmoorError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception:  # noqa: BLE001 the engine shows the operator what the plugin cannot handle
            context.abort(grpc.StatusCode.INTERNAL, f"a bug in the {self._name} plugin:\n{traceback.format_exc()}")
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()


def _type(urn: str) -> str:
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


def _failures(failures: list[Failure], named: Callable[[str], str] = str) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=named(each.property), reason=each.reason) for each in failures]


def _outputs(state: State, names: schemas.Names, secrets: frozenset[Path]) -> Any:
    known = {path for path in secrets if path[0] in state.outputs}
    hidden = {*state.secret, *names.secret}
    return names.encode(state.outputs, known | {(name,) for name in hidden if name in state.outputs})


def _init_failed(partial: Partial, names: schemas.Names, secrets: frozenset[Path]) -> Any:
    from google.rpc import status_pb2
    from grpc_status import rpc_status

    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=partial.state.id,
            properties=_outputs(partial.state, names, secrets),
            reasons=partial.reasons,
            inputs=names.encode(partial.state.inputs or {}, secrets),
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(partial), details=[detail])
    return rpc_status.to_status(status)
