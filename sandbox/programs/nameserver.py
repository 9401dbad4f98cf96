"""The program of the image of a name server, with the sandbox's ports and folder for the container's own."""

from __future__ import annotations

import os

from components.dns.powerdns.nameserver import main

if __name__ == "__main__":
    # The path of a socket must be short, so the program runs in the folder.
    os.chdir(os.environ["VOLUME_ZONE"])
    main(
        [
            *("--folder", "."),
            *("--address", "127.0.0.1"),
            *("--port", os.environ["PORT_53"]),
            *("--health-port", os.environ["PORT_8053"]),
            *("--user", ""),
        ]
    )
