"""The three examples of services on one stack, with visitors who never stop."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import yaml

from sandbox.aws import inventory as aws
from sandbox.client import NotReached, Resolver, get
from sandbox.drive import Pulumi
from sandbox.net.tls import Authority
from sandbox.state import REPOSITORY, State
from tests.engine import docs_stack
from tests.engine.conftest import ALIAS_TTL_S

if TYPE_CHECKING:
    from pathlib import Path

HOST = "api.dao.example"
#: The examples' files, and what is put in place of the images' digests. Any digest will do: the sandbox looks at names.
EXAMPLES = ("service", "explorer", "bot")
DIGEST = "4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"
#: What the examples get in addition: local folders, releases that show which they are, and a bot with less patience.
MORE: dict[str, dict[str, Any]] = {
    "api": {"env": {"CACHE": "cache", "GREETING": "one"}},
    "bot": {"env": {"EVERY_S": "0.2"}},
}
#: The longest that a release may take, in seconds.
GRACE_S = 90


#: The project's own registry: aliases are kept for this sandbox's TTL, and its DNS is half a second behind.
REGISTRY = f"""
from components.dns.route53 import Route53
from components.project import builtin
REGISTRY = builtin().with_(authorities=[Route53(alias_ttl={ALIAS_TTL_S + 1})])
"""


class Service(docs_stack.Docs):
    """The stack `service`. `workload` is the API; a mode is that of all three."""

    @property
    def workload(self) -> dict[str, Any]:
        """What stands in the stack file of the workload."""
        found: dict[str, Any] = self.settings["unmoor:workloads"]["api"]
        return found

    @property
    def hosts(self) -> list[str]:
        """The public name of each service."""
        return [each["host"] for each in self.settings["unmoor:workloads"].values()]

    def write(self, **workload: Any) -> None:
        """Set lines of every workload (None takes one out) and write the stack file."""
        for each in self.settings["unmoor:workloads"].values():
            each.update({name: value for name, value in workload.items() if value is not None})
            for name in [name for name, value in workload.items() if value is None]:
                each.pop(name, None)
        super().write()

    def ask(self, path: str = "/", address: str | None = None, host: str = HOST) -> dict[str, Any]:
        """Return what a service answers a visitor who validates, at an address or where DNS leads."""
        page = get(f"https://{host}{path}", self.state, address=address)
        assert page.status == 200, page.body
        found: dict[str, Any] = json.loads(page.body)
        return found

    def site_address(self, site: str) -> str:
        """Return where a site's own name leads."""
        return Resolver(self.state).addresses(f"{site}.dao.example")[0]


def make(folder: Path, state: State, environment: dict[str, str], examples: tuple[str, ...] = EXAMPLES) -> Service:
    """Make a project and a stack in a folder, with examples and no stores."""
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]
    settings["unmoor:ttl"] = docs_stack.TTL
    settings["unmoor:workloads"] = {name: found for each in examples for name, found in _example(each).items()}
    variables = {**environment, docs_stack.PROBE_VARIABLE: docs_stack.PROBE_S}
    if explorer := settings["unmoor:workloads"].get("explorer"):
        explorer["options"]["aws"] = {"balancer": shared_balancer(state)}
    runner = Pulumi(state, variables, "service", folder / "Pulumi.service.yaml", docs_stack.project(folder, REGISTRY))
    made = Service(runner, state, folder, settings)
    made.write()
    runner.init()
    return made


def shared_balancer(state: State) -> str:
    """Make a load balancer as another team would, with listeners that lead nowhere; return its ARN."""
    elb, ec2 = aws.client("elbv2"), aws.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
    group = ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc["VpcId"])["GroupId"]
    nets = sorted(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"])[:2]
    made = elb.create_load_balancer(Name="theirs", Subnets=nets, SecurityGroups=[group])["LoadBalancers"][0]
    certificate, key = Authority(state).certificate(["theirs.example"])
    kept = aws.client("acm").import_certificate(Certificate=certificate.encode(), PrivateKey=key.encode())
    closed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    for port, more in {
        80: {"Protocol": "HTTP"},
        443: {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": kept["CertificateArn"]}]},
    }.items():
        elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Port=port, DefaultActions=closed, **more)
    return str(made["LoadBalancerArn"])


def _example(name: str) -> dict[str, Any]:
    """Return the workload of an example's file, centralized, with an image that is there."""
    text = (REPOSITORY / "stacks" / f"{name}.example.yaml").read_text().replace("0" * 64, DIGEST)
    found: dict[str, Any] = yaml.safe_load(text)["config"]["unmoor:workloads"]
    for workload, each in found.items():
        options = each["options"]
        each["mode"] = "centralized"
        each["options"] = {**options, **MORE.get(workload, {}), "health": {**options["health"], "grace_s": GRACE_S}}
    return found


def digest(value: str) -> str:
    """Return what the API shows of a secret."""
    return hashlib.sha256(value.encode()).hexdigest()


class Visitor:
    """Asks a public name again and again, as browsers do, and notes what went wrong.

    It validates HTTPS, and keeps answers of DNS for their TTL.
    """

    #: Seconds between two requests.
    PAUSE_S = 0.1

    def __init__(self, service: Service, host: str = HOST) -> None:
        self._service, self._host, self._resolver = service, host, Resolver(service.state)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self.asked = 0
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _visit(self) -> None:
        while not self._over.is_set():
            self.asked += 1
            try:
                self._service.ask("/again", self._resolver.addresses(self._host)[0], self._host)
            except (NotReached, AssertionError, ValueError) as why:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {str(why)[:200]}")
            self._over.wait(self.PAUSE_S)
