"""What the image of a name server runs, its ports and its volume being those that stand for the container's."""

from __future__ import annotations

import os

from components.dns.powerdns.nameserver import main

if __name__ == "__main__":
    # Sockets have short names: the folder is where the program works.
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
