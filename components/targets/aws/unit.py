"""The containers of a machine at AWS, run by one systemd unit that its user data writes. Pure."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The unit, the network in which containers reach each other by name, and the mount point of the data volume.
NAME, NETWORK, DATA = "unmoor", "unmoor", "/srv/unmoor"
#: The data volume's device name. Amazon Linux links it to the NVMe device (EC2 user guide, "Map Amazon EBS volumes to
#: NVMe device names").
DEVICE = "/dev/sdf"
#: Seconds for a container to stop, in which a database archives its last writes.
STOP_S = 90
#: The most bytes of user data (EC2 user guide, "Run commands when you launch an EC2 instance").
LARGEST = 16_384
_DOCKER = "/usr/bin/docker"


@dataclass(frozen=True)
class Part:
    """One container: its command and environment. `public` ports are open to the internet."""

    name: str
    image: str
    command: Sequence[str]
    args: Sequence[str]
    env: Mapping[str, str]
    public: Sequence[int] = ()


@dataclass(frozen=True)
class Containers:
    """All containers of a machine, in the order of their starts.

    `volumes` are the mount points of the data volume's folders, by container. `logs` is the group of CloudWatch Logs
    and its region. `memory` is the limit of a container in MiB, by container.
    """

    site: str
    parts: Sequence[Part]
    volumes: Mapping[str, str]
    logs: tuple[str, str]
    memory: Mapping[str, int] = field(default_factory=dict)


# A volume with a file system is never formatted: only exit code 2, "nothing was found", allows it (blkid(8)).
_MOUNT = (
    f"until [ -b {DEVICE} ]; do sleep 1; done; blkid -p {DEVICE} > /dev/null; "
    f"[ $? -ne 2 ] || mkfs.ext4 -q -L unmoor {DEVICE}; "
    f"mkdir -p {DATA} && {{ mountpoint -q {DATA} || mount {DEVICE} {DATA}; }} && resize2fs {DEVICE}"
)


def unit(of: Containers) -> str:
    """Return the unit that mounts the data and starts every container; a restart of it applies changes."""
    names = [part.name for part in of.parts]
    folders = [f"{DATA}/{name}" for name in of.volumes]
    lines = [
        "[Unit]",
        f"Description=unmoor {of.site}",
        "Requires=docker.service",
        "After=docker.service network-online.target",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "TimeoutStartSec=1800",
        f"TimeoutStopSec={STOP_S + 30}",
        f"ExecStartPre={_line(['/bin/sh', '-c', _MOUNT])}",
        f"ExecStartPre={_line(['/bin/mkdir', '-p', *folders])}",
        f"ExecStartPre=-{_line([_DOCKER, 'network', 'create', NETWORK])}",
        f"ExecStartPre=-{_line([_DOCKER, 'rm', '--force', *names])}",
        *(f"ExecStart={_line(run(of, part))}" for part in of.parts),
        f"ExecStop={_line([_DOCKER, 'stop', '--time', str(STOP_S), *reversed(names)])}",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def run(of: Containers, part: Part) -> list[str]:
    """Return the command that starts one container, which Docker restarts when it ends."""
    group, region = of.logs
    words = [_DOCKER, "run", "--detach", "--restart", "always", "--name", part.name, "--network", NETWORK]
    words += ["--stop-timeout", str(STOP_S), "--security-opt", "no-new-privileges"]
    words += ["--log-driver", "awslogs", "--log-opt", f"awslogs-region={region}", "--log-opt", f"awslogs-group={group}"]
    words += ["--log-opt", f"awslogs-stream={part.name}"]
    if part.name in of.memory:
        words += ["--memory", f"{of.memory[part.name]}m"]
    for port in part.public:
        words += ["--publish", f"{port}:{port}"]
    if part.name in of.volumes:
        words += ["--volume", f"{DATA}/{part.name}:{of.volumes[part.name]}"]
    for name, value in sorted(part.env.items()):
        words += ["--env", f"{name}={value}"]
    # Docker's entrypoint is one word; the words after the image are its arguments.
    words += ["--entrypoint", part.command[0], part.image, *part.command[1:], *part.args]
    return words


def user_data(of: Containers) -> str:
    """Return the user data, compressed and in base64, which writes and starts the unit at each start of the machine.

    A boothook runs early at every start (cloud-init, "User data formats"); the unit then waits for Docker. Equal
    containers give equal bytes.
    """
    path = f"/etc/systemd/system/{NAME}.service"
    script = "\n".join(
        [
            "#cloud-boothook",
            "#!/bin/sh",
            "umask 077",
            f"cat > {path} <<'UNMOOR-UNIT'",
            f"{unit(of)}UNMOOR-UNIT",
            f"systemctl daemon-reload && systemctl enable {NAME} && systemctl restart --no-block {NAME}",
            "",
        ]
    )
    return base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()


def commands(data: str) -> list[list[str]]:
    """Return the commands of a unit's containers, parsed from user data."""
    text = gzip.decompress(base64.b64decode(data)).decode()
    lines = [line.removeprefix("ExecStart=") for line in text.splitlines() if line.startswith("ExecStart=")]
    return [_words(line) for line in lines]


_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%", "$": "$$"}


def _line(words: Sequence[str]) -> str:
    """Return words as a command of a unit, quoted for systemd (systemd.syntax(7), systemd.service(5))."""
    return " ".join(f'"{"".join(_ESCAPED.get(each, each) for each in word)}"' for word in words)


def _words(line: str) -> list[str]:
    """Return the words of a unit's command, as systemd parses it."""
    backs = {"n": "\n", "t": "\t", "r": "\r"}
    found: list[str] = []
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
        word = re.sub(r"\\(.)", lambda escaped: backs.get(escaped[1], escaped[1]), re.sub(r"([%$])\1", r"\1", quoted))
        found.append(word)
    return found
