"""The `wget` of every container: the options of busybox that scripts use, `-q -O FILE -T SECONDS URL`.

It behaves alike on every machine, whether the host has a wget or not. It obeys the proxy and CA variables, follows
redirects, verifies TLS, and ends with 1 and busybox's words when a server refuses.
"""

from __future__ import annotations

import getopt
import shutil
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

USAGE = "usage: wget [-q] [-O FILE] [-T SECONDS] URL..."


def fetch(url: str, target: str, timeout: float) -> str:
    """Write the content of a URL into a file (`-` is the output); return "" or what went wrong."""
    if "://" not in url:
        url = f"http://{url}"
    name = target or urllib.parse.urlsplit(url).path.rpartition("/")[2] or "index.html"
    try:
        # What a container may fetch is decided by its script; the schemes of busybox are these two.
        if not url.startswith(("http://", "https://")):
            return f"not an http or ftp url: {url}"
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 it is a wget
            if name == "-":
                shutil.copyfileobj(answer, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with Path(name).open("wb") as file:
                    shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as wrong:
        return f"server returned error: HTTP/1.1 {wrong.code} {wrong.reason}"
    except (TimeoutError, socket.timeout):  # noqa: UP041 the two are one only from 3.10 on; busybox has one word
        return "download timed out"
    except (urllib.error.URLError, OSError) as wrong:
        reason = getattr(wrong, "reason", wrong)
        return "download timed out" if isinstance(reason, TimeoutError) else f"can't fetch {url}: {reason}"
    return ""


def main(arguments: list[str]) -> int:
    """Run as busybox's wget would."""
    try:
        options, urls = getopt.gnu_getopt(arguments, "qO:T:t:")  # busybox takes -t and ignores it
    except getopt.GetoptError as wrong:
        print(f"wget: {wrong}\n{USAGE}", file=sys.stderr)  # noqa: T201 it is a program
        return 1
    given = dict(options)
    if not urls:
        print(USAGE, file=sys.stderr)  # noqa: T201 it is a program
        return 1
    for url in urls:
        if fault := fetch(url, given.get("-O", ""), float(given.get("-T", 900))):
            print(f"wget: {fault}", file=sys.stderr)  # noqa: T201 it is a program
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
