"""What does not survive on a target: one table, printed by `plan` and `review`. Rows that would break are refused."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from ...errors import Fault
from ...web.caddy.upstream import BODY_BYTES, REQUEST_S
from .options import ServiceOptions, Update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AWS, AKASH = "aws", "akash"
#: GiB of a container's own disk, for files outside its volume.
DISK_GIB = 1
#: Private networks: RFC 1918, RFC 6598, and link-local, which has the metadata service of machines (RFC 3927).
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"))
)
#: An address is no part of a word, such as a version; it may follow the letter of an option (`-h10.0.0.1`).
_ADDRESS = re.compile(r"(?i)(?<![\w.-])(?:-[a-z])?([0-9]{1,3}(?:[.][0-9]{1,3}){3})(?![\w.]|-[a-z])")
#: A name whose last label no public name ends in; a dot after it may end the name.
_INSIDE = re.compile(r"(?i)(?<=[a-z0-9])[.](?:internal|local|svc|lan)(?![a-z0-9-]|[.][a-z0-9-])")
#: Variables with which an AWS SDK assumes a role of the machine, or of a file on it.
_OF_A_ROLE = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_PROFILE")


class Loss(NamedTuple):
    """What is lost, on which targets, the options that cause it (paths), the sentence, and whether it is refused."""

    name: str
    targets: tuple[str, ...]
    at: Callable[[ServiceOptions], list[str]]
    sentence: str
    refused: bool = False


def _always(_options: ServiceOptions) -> list[str]:
    return [""]


def _if(holds: Callable[[ServiceOptions], object]) -> Callable[[ServiceOptions], list[str]]:
    return lambda options: [""] if holds(options) else []


def _texts(options: ServiceOptions) -> Iterator[tuple[str, str]]:
    yield from ((f"env.{name}", value) for name, value in options.env.items())
    for where in ("command", "args"):
        yield from ((f"{where}[{index}]", word) for index, word in enumerate(getattr(options, where)))


def _private_places(options: ServiceOptions) -> list[str]:
    return [
        path for path, text in _texts(options) if _INSIDE.search(text) or any(map(_private, _ADDRESS.findall(text)))
    ]


def _private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _PRIVATE)


def _roles(options: ServiceOptions) -> list[str]:
    return [f"env.{name}" for name in _OF_A_ROLE if name in options.env]


def _kept(options: ServiceOptions) -> bool:
    return options.volume is not None and options.volume.persistent


def _of_ecr(options: ServiceOptions) -> list[str]:
    return ["image"] if re.match(r"[0-9]+[.]dkr[.]ecr[.]", options.image) else []


#: On Akash: the provider's `cluster/kube/builder` (network policy, workload, services). On AWS: the ECS developer guide
#: ("Fargate task storage", "Task networking") and the ELB user guide.
TABLE = (
    Loss(
        "probes",
        (AKASH,),
        _always,
        "a container that ends is started again, and one that hangs is not; /healthz then answers 503, and visitors "
        "are led to the other site if there is one",
    ),
    Loss(
        "ports", (AKASH,), _always, "visitors reach ports 80 and 443 by TCP; UDP, and so HTTP/3, does not come through"
    ),
    Loss(
        "limits",
        (AKASH, AWS),
        _always,
        f"a request has {BODY_BYTES // 10**6} MB of body at most, and {REQUEST_S} s to arrive",
    ),
    Loss(
        "outgoing address",
        (AKASH,),
        _always,
        "its connections leave from an address of the Akash provider, which is another for each lease: no list of "
        "allowed addresses can name it",
    ),
    Loss(
        "header names",
        (AWS,),
        _always,
        "a request's headers whose names have anything but letters, digits and hyphens do not come through",
    ),
    Loss("IPv6", (AKASH, AWS), _always, "it is reached by IPv4 alone, and reaches IPv4 alone"),
    Loss(
        "secrets on AWS",
        (AWS,),
        _if(lambda options: options.secrets),
        "Secrets Manager keeps its secrets, and who may read them there or change the account's roles can read them",
    ),
    Loss(
        "secrets on Akash",
        (AKASH,),
        _if(lambda options: options.secrets),
        "its secrets lie in clear in the memory of its containers and on the web server's volume, and cross the "
        "machine's network in clear: the Akash provider can read them. Use credentials that are scoped and end soon, "
        "never keys of funds, names or accounts",
    ),
    Loss(
        "secrets without a command",
        (AKASH,),
        lambda options: ["command"] if options.secrets and not options.command else [],
        "has to be given with `secrets`: what gets them starts the application, and nothing here knows what the image "
        "would start. `docker image inspect` shows its Entrypoint and Cmd",
        refused=True,
    ),
    Loss(
        "secrets without a shell",
        (AKASH,),
        lambda options: ["shell"] if options.secrets and not options.shell else [],
        "the application gets its secrets by sh, and wget or curl, on Akash; use an image that has them, or leave the "
        "workload out of the stack file, because every workload has to run there",
        refused=True,
    ),
    Loss("readers", (AKASH,), _always, "the Akash provider can read its variables, memory, disk and TLS keys"),
    Loss(
        "private network",
        (AKASH,),
        _private_places,
        "names a place in a private network, and an Akash lease reaches the public internet alone; give the place a "
        "public name with TLS, or leave the workload out of the stack file, because every workload has to run there",
        refused=True,
    ),
    Loss(
        "instance role",
        (AKASH,),
        _roles,
        "takes credentials from a role of a machine at AWS, and an Akash provider's machine has none; use an image "
        "that needs no AWS credentials",
        refused=True,
    ),
    Loss(
        "volume",
        (AKASH,),
        _if(_kept),
        "its volume ends with the lease, no other site has what is on it, and it is in no backup: keep there only "
        "what can be made again",
    ),
    Loss(
        "volume of a task",
        (AWS,),
        _if(_kept),
        "its volume ends with the task, so that each restart begins with an empty one",
    ),
    Loss(
        "private image",
        (AKASH, AWS),
        _of_ecr,
        "is in a private registry of AWS, whose password no site is given; push it to a public registry",
        refused=True,
    ),
    Loss(
        "outgoing address of a task",
        (AWS,),
        _if(lambda options: not options.aws.private_subnets),
        "its connections leave from an address of the task, which is another for each task; in `private_subnets` they "
        "leave from that of their NAT gateway",
    ),
    Loss(
        "load balancer",
        (AWS,),
        _if(lambda options: options.aws.balancer),
        "its load balancer is not made here and is in no line of the bill: its own price, its security groups, its "
        "time-outs and the order of its rules stay as they are",
    ),
    Loss(
        "volume at a release",
        (AKASH,),
        _if(lambda options: _kept(options) and options.update is Update.BESIDE),
        "each release begins with an empty volume; `update: in-place` keeps it",
    ),
    Loss(
        "certificates",
        (AKASH,),
        _if(lambda options: options.update is Update.BESIDE),
        "each release asks for a new certificate for each of its two names, and Let's Encrypt issues five a week for a "
        "name; a sixth release waits, and the old one goes on. `update: in-place` asks for none",
    ),
    Loss(
        "updates",
        (AKASH,),
        _if(lambda options: options.update is Update.IN_PLACE),
        "a release ends the old container before the new one starts: visitors get no answer meanwhile, and go on "
        "getting none if the new one does not start",
    ),
    Loss(
        "replicas",
        (AKASH,),
        _if(lambda options: options.replicas > 1),
        "all replicas run at one Akash provider, behind one address",
    ),
    Loss(
        "singleton",
        (AKASH, AWS),
        _if(lambda options: options.singleton and not options.signs),
        "its standby is cold: after an outage it stands still until you make the other side active and run `pulumi up`",
    ),
    Loss(
        "two at a flip",
        (AKASH, AWS),
        _if(lambda options: options.singleton or options.signs),
        "while a flip or a change that needs a new machine is under way, two run until the old one is closed, and the "
        "application has to tolerate that",
    ),
)


def sentences(options: ServiceOptions, target: str) -> list[str]:
    """Return what does not survive on a target, one sentence each."""
    return [row.sentence for row in TABLE if target in row.targets and not row.refused and row.at(options)]


def faults(options: ServiceOptions, target: str) -> list[Fault]:
    """Return what would not work on a target, by path in the options."""
    return [
        Fault(path, row.sentence) for row in TABLE if target in row.targets and row.refused for path in row.at(options)
    ]
