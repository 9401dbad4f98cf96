"""Console's refusals: one error object, and the chain's words translated to Console's."""

from __future__ import annotations

from typing import Any

from aiohttp import web

#: What the chain's text contains -> status and words of Console, in Console's order.
CHAIN = (
    ("insufficient funds", 400, "Insufficient funds"),
    ("deposit too low", 400, "Deposit too low"),
    ("deployment closed", 400, "Deployment closed"),
    ("deployment not found", 404, "Deployment not found"),
    ("invalid: deployment hash", 400, "Invalid deployment hash"),
    ("deployment exists", 400, "Deployment with provided dseq and owner already exists"),
    (
        "bid not open",
        400,
        "Cannot create lease: The selected bid is no longer open. Please refresh and select an available bid.",
    ),
    (
        "order not open",
        400,
        (
            "Cannot create lease: The associated order has already been matched or closed. "
            "Re-create the deployment to generate a new order and try again."
        ),
    ),
    (
        "insufficient balance",
        402,
        "Not enough balance to cover the deployment deposit. Add credits or turn on auto recharge to continue.",
    ),
)
NAMES = {
    400: ("BadRequestError", "bad_request"),
    401: ("UnauthorizedError", "unauthorized"),
    402: ("PaymentRequiredError", "unknown_error"),
    403: ("ForbiddenError", "forbidden"),
    404: ("NotFoundError", "not_found"),
    405: ("MethodNotAllowedError", "unknown_error"),
    409: ("ConflictError", "conflict"),
    422: ("UnprocessableEntityError", "unknown_error"),  # console `hono-error-handler.service.ts` at d84c9e93
    503: ("ServiceUnavailableError", "service_unavailable"),
}


class ConsoleError(Exception):
    """A refusal with its HTTP status; `name` and `data` only where they differ from the status's own."""

    def __init__(self, status: int, message: str, *, name: str = "", data: Any = None) -> None:
        self.status, self.message, self.name, self.data = status, message, name, data
        super().__init__(message)

    def response(self) -> web.Response:
        """Return the error object."""
        name, code = NAMES.get(self.status, ("InternalServerError", "internal_server_error"))
        kind = "server_error" if self.status >= 500 else "client_error"
        body = {"error": self.name or name, "message": self.message, "code": code, "type": kind}
        if self.data is not None:
            body["data"] = self.data
        return web.json_response(body, status=self.status)


class ValidationError(ConsoleError):
    """A request that does not have the shape that the API demands."""

    def __init__(self, *faults: tuple[tuple[str | int, ...], str]) -> None:
        data = [{"code": "invalid_type", "path": list(path), "message": message} for path, message in faults]
        super().__init__(400, "Validation error", data=data)

    def response(self) -> web.Response:
        """Return the error object of the validator."""
        body = {
            "error": "BadRequestError",
            "message": "Validation error",
            "code": "validation_error",
            "type": "validation_error",
            "data": self.data,
        }
        return web.json_response(body, status=400)


def of_chain(text: str, doing: str = "") -> ConsoleError:
    """Return the chain's refusal in Console's words; `doing` begins it, as in `Failed to create lease`."""
    for clue, status, message in CHAIN:
        if clue in text.lower():
            lead = f"{doing}: " if doing and status == 400 else ""
            return ConsoleError(status, lead + message)
    return ConsoleError(500, "Internal server error")
