"""A machine on AWS: EC2 with an address and a data volume of its own, which runs the containers of one unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from .balancer import ANYWHERE, group, open_port
from .container import LOG_DAYS, document
from .unit import DEVICE, Containers, user_data

if TYPE_CHECKING:
    from collections.abc import Callable

#: GiB of the root disk, which holds images of containers.
DISK_GIB = 30
#: The public ports.
_PORTS = (80, 443)


class Machine(pulumi.ComponentResource):
    """A machine whose data outlives it: after a change of image, a new machine gets the same volume.

    `containers` returns the containers for a log group and a region. `ami` is the parameter with the id of the image.
    With `holds_writer` the old machine ends before the new one is made, because only one can have the volume, and no
    writes may be accepted while it moves. `known`: whether the containers are known; in a preview without the key they
    are not, and user data is shown as in the state. A change of the containers restarts the machine. The volume leaves
    a snapshot when it is removed.
    """

    address: pulumi.Output[str]
    identity: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        label: str = "",
        ami: str,
        type_: str,
        subnet: str | None,
        gib: int,
        containers: Callable[[str, str], Containers],
        holds_writer: bool,
        known: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:aws:Machine", name, None, opts)
        self._inside = pulumi.ResourceOptions(parent=self)
        self._asking = pulumi.InvokeOptions(parent=self)
        self._name = name = f"{name}-{label}" if label else name
        place = aws.ec2.get_subnet_output(id=subnet or self._subnet(), opts=self._asking)
        region = aws.get_region_output(opts=self._asking).region
        log = aws.cloudwatch.LogGroup(f"{name}-log", retention_in_days=LOG_DAYS, opts=self._inside)
        visitors = group(
            f"{name}-visitors", place.vpc_id, [open_port(each, cidr=ANYWHERE) for each in _PORTS], self._inside
        )
        machine = aws.ec2.Instance(
            f"{name}-machine",
            ami=aws.ssm.get_parameter_output(name=ami, opts=self._asking).insecure_value,
            instance_type=type_,
            subnet_id=place.id,
            vpc_security_group_ids=[visitors.id],
            iam_instance_profile=self._profile(log),
            user_data_base64=pulumi.Output.all(log.name, region).apply(lambda known: user_data(containers(*known))),
            # New user data only stops and starts the machine.
            user_data_replace_on_change=False,
            # With one hop only the machine itself reaches its credentials, and no container does.
            metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
            root_block_device={"encrypted": True, "volume_type": "gp3", "volume_size": DISK_GIB},
            tags={"Name": name},
            opts=self._with(delete_before_replace=holds_writer, ignore_changes=[] if known else ["user_data_base64"]),
        )
        self._data(gib, place.availability_zone, machine)
        address = aws.ec2.Eip(f"{name}-address", domain="vpc", tags={"Name": name}, opts=self._inside)
        # The address comes after the volume, because the machine serves nothing without its data.
        aws.ec2.EipAssociation(f"{name}-addressed", allocation_id=address.id, instance_id=machine.id, opts=self._inside)
        self.address, self.identity = address.public_ip, address.id
        self.register_outputs({"address": self.address})

    def _with(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(**more))

    def _subnet(self) -> pulumi.Output[str]:
        """Return a public subnet of the default VPC, the same one each time."""
        vpc = aws.ec2.get_vpc_output(default=True, opts=self._asking).id
        filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "default-for-az", "values": ["true"]}]
        found = aws.ec2.get_subnets_output(filters=filters, opts=self._asking).ids
        return pulumi.Output.from_input(found).apply(lambda ids: str(min(ids)))

    def _data(self, gib: int, zone: pulumi.Output[str], machine: aws.ec2.Instance) -> None:
        volume = aws.ebs.Volume(
            f"{self._name}-data",
            availability_zone=zone,
            size=gib,
            type="gp3",
            encrypted=True,
            final_snapshot=True,
            tags={"Name": self._name},
            opts=self._inside,
        )
        aws.ec2.VolumeAttachment(
            f"{self._name}-holds",
            device_name=DEVICE,
            volume_id=volume.id,
            instance_id=machine.id,
            # The machine stops its containers and writes everything before the volume is detached.
            stop_instance_before_detaching=True,
            opts=self._with(delete_before_replace=True),
        )

    def _profile(self, log: aws.cloudwatch.LogGroup) -> pulumi.Output[str]:
        """Return the profile of a machine that may only write its own logs."""
        role = aws.iam.Role(
            f"{self._name}-runs",
            assume_role_policy=document("sts:AssumeRole", principal="ec2.amazonaws.com"),
            opts=self._inside,
        )
        allowed = aws.iam.RolePolicy(
            f"{self._name}-writes-logs",
            role=role.id,
            policy=log.arn.apply(
                lambda arn: document(["logs:CreateLogStream", "logs:PutLogEvents"], resource=f"{arn}:*")
            ),
            opts=self._inside,
        )
        profile = aws.iam.InstanceProfile(
            f"{self._name}-profile",
            role=role.name,
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=[allowed])),
        )
        name: pulumi.Output[str] = profile.name
        return name
