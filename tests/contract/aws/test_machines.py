"""Machines in the sandbox: they read back as registered, and run by their volume, address and user data."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from components.targets.aws import unit
from sandbox.akash.container import Watchdog
from sandbox.fargate import machines
from sandbox.state import State
from tests.contract.plugin_client import EngineError
from tests.pure.test_postgres_kind import AMI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.aws_account import Account
    from tests.contract.plugin_client import Plugin, Stood

ROLE, PROFILE = "aws:iam/role:Role", "aws:iam/instanceProfile:InstanceProfile"
GROUP, MACHINE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/instance:Instance"
VOLUME, HOLDS = "aws:ebs/volume:Volume", "aws:ec2/volumeAttachment:VolumeAttachment"
ADDRESS, ADDRESSED = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
_ALL = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}


def data(text: str) -> str:
    """Return user data with one container that answers nothing."""
    part = unit.Part("web", "docker.io/library/busybox@sha256:1", ["sleep"], ["600"], {"A": text}, public=(80,))
    return unit.user_data(unit.Containers("forum-aws", [part], {"web": "/data"}, ("g", "us-east-1")))


@pytest.fixture
def stood(plugin: Plugin) -> Iterator[dict[str, Stood]]:
    """Yield a machine with its volume and address, and remove them after the tests."""
    vpc = plugin.invoke("aws:ec2/getVpc:getVpc", default=True)["id"]
    filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "default-for-az", "values": ["true"]}]
    subnet = plugin.invoke(
        "aws:ec2/getSubnet:getSubnet", id=min(plugin.invoke("aws:ec2/getSubnets:getSubnets", filters=filters)["ids"])
    )
    ami = plugin.invoke("aws:ssm/getParameter:getParameter", name=AMI)["insecureValue"]
    made: dict[str, Stood] = {}

    def make(token: str, inputs: dict[str, Any]) -> Stood:
        made[token] = plugin.create(token, "forum-aws", inputs)
        return made[token]

    trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    make(PROFILE, {"role": make(ROLE, {"assumeRolePolicy": trust}).id})
    group = make(GROUP, {"description": "x", "vpcId": subnet["vpcId"], "ingress": [], "egress": [_ALL]})
    machine = make(
        MACHINE,
        {
            "ami": ami,
            "instanceType": "t3.medium",
            "subnetId": subnet["id"],
            "vpcSecurityGroupIds": [group.id],
            "iamInstanceProfile": made[PROFILE].id,
            "userDataBase64": data("one"),
            "userDataReplaceOnChange": False,
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "rootBlockDevice": {"encrypted": True, "volumeType": "gp3", "volumeSize": 30},
        },
    )
    zone = subnet["availabilityZone"]
    volume = make(
        VOLUME, {"availabilityZone": zone, "size": 20, "type": "gp3", "encrypted": True, "finalSnapshot": True}
    )
    held = {"deviceName": unit.DEVICE, "volumeId": volume.id, "instanceId": machine.id}
    make(HOLDS, {**held, "stopInstanceBeforeDetaching": True})
    make(ADDRESSED, {"allocationId": make(ADDRESS, {"domain": "vpc"}).id, "instanceId": machine.id})
    yield made
    for one in reversed(made.values()):
        plugin.delete(one)


def test_what_was_registered_reads_back_without_a_difference(plugin: Plugin, stood: dict[str, Stood]) -> None:
    for one in stood.values():
        seen = plugin.read(one)
        assert seen is not None, one
        assert plugin.diff(seen, one.inputs) == {}, one


def test_new_user_data_restarts_the_machine_and_does_not_replace_it(
    plugin: Plugin, aws: Account, stood: dict[str, Stood]
) -> None:
    machine = stood[MACHINE]
    news = {**machine.inputs, "userDataBase64": data("two")}
    assert plugin.diff(machine, news) == {"userDataBase64": "UPDATE"}
    stood[MACHINE] = plugin.update(machine, news)
    ec2 = aws.client("ec2")
    shown = ec2.describe_instance_attribute(InstanceId=machine.id, Attribute="userData")["UserData"]["Value"]
    state = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert (shown, state) == (news["userDataBase64"], "running")


def test_a_volume_is_held_by_one_machine(plugin: Plugin, stood: dict[str, Stood]) -> None:
    with pytest.raises(EngineError, match="VolumeInUse"):
        plugin.create(HOLDS, "again", stood[HOLDS].inputs)


def test_an_address_is_one_of_a_vendors(stood: dict[str, Stood]) -> None:
    assert stood[ADDRESS].outputs["publicIp"].startswith("198.51.100.")


def test_a_volume_leaves_a_snapshot(plugin: Plugin, aws: Account) -> None:
    made = plugin.create(
        VOLUME, "gone", {"availabilityZone": "us-east-1a", "size": 1, "type": "gp3", "finalSnapshot": True}
    )
    plugin.delete(made)
    filters = [{"Name": "volume-id", "Values": [made.id]}]
    assert len(aws.client("ec2").describe_snapshots(Filters=filters)["Snapshots"]) == 1


def test_an_option_of_docker_that_the_sandbox_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="docker run has --privileged"):
        machines.parsed(["docker", "run", "--detach", "--privileged", "yes", "image"])


def test_containers_run_while_a_machine_has_its_volume_and_end_with_it(tmp_path: Path) -> None:
    async def lived() -> list[int]:
        state, watchdog = State(tmp_path), Watchdog()
        state.prepare()
        ours, seen = machines.Machines(state, watchdog), []
        wanted = {"id": "i-1", "runs": True, "data": data("one"), "volume": "", "address": "198.51.100.150"}
        try:
            for change in ({}, {"volume": "vol-1"}, {"runs": False}, {"runs": True}, {"volume": ""}):
                wanted = {**wanted, **change}
                world = {"machines": [wanted], "volumes": ["vol-1"]}
                for _ in range(600):  # until the container ends
                    await ours.follow(world)
                    runs = bool(wanted["runs"] and wanted["volume"])
                    if len(state.routes()) == runs and len(ours._machines) == runs:
                        break
                    await asyncio.sleep(0.05)
                seen.append(len(state.routes()))
            assert (tmp_path / "ec2" / "volumes" / "vol-1" / "web").is_dir()
            await ours.follow({"machines": [], "volumes": []})
            assert not (tmp_path / "ec2" / "volumes" / "vol-1").exists()
        finally:
            ours.end()
            watchdog.close()
        return seen

    assert asyncio.run(lived()) == [0, 1, 0, 1, 0]
