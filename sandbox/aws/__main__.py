"""Runs the AWS of the sandbox and the other vendor's S3: `python -m sandbox.aws`, until SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import os
import signal
import threading


def main() -> None:
    """Serve both doors, create what the DAO owns before any stack, publish the ports, and wait."""
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    from werkzeug.serving import make_server

    from sandbox.state import here

    from .account import Account
    from .handler import Handler

    state = here()
    state.prepare()
    account = Account(state)
    account.furnish()
    for name, door in {"aws": account.aws, "storj": account.storj}.items():
        server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.publish_port(name, server.server_port)
    stop.wait()
    os._exit(0)  # nothing is stored, so nothing is cleaned up


if __name__ == "__main__":
    main()
