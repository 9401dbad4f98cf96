"""The rights that a machine on AWS needs, by the requests of pulumi_aws for each of its types.

The source is terraform-provider-aws: the resources' create, read, update and delete functions.
"""

from __future__ import annotations

from ...needs import Grant
from .container_rights import LOG_WRITES, ROLE_READS, ROLE_WRITES

_READS = ("ec2:Describe*", "logs:DescribeLogGroups", "logs:ListTagsForResource")
#: Writes to resources that get their ids only when they are made, so that no policy can name them before.
_WRITES = (
    "ec2:AllocateAddress",
    "ec2:AssociateAddress",
    "ec2:AttachVolume",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DetachVolume",
    "ec2:DisassociateAddress",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyInstanceMetadataOptions",
    "ec2:ModifyVolume",
    "ec2:ReleaseAddress",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RunInstances",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
)
_PROFILE_WRITES = (
    *("iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile"),
    *("iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:UntagInstanceProfile"),
)


def grants(name: str) -> tuple[Grant, ...]:
    """Return the rights for the machine of one site. All names begin with the site's.

    They allow to make snapshots, but not to delete any.
    """
    label = "".join(part.capitalize() for part in name.split("-"))
    roles, profiles = (f"arn:aws:iam::*:role/{name}-runs-*",), (f"arn:aws:iam::*:instance-profile/{name}-profile-*",)
    return (
        Grant("ReadMachines", _READS),
        Grant("ReadImages", ("ssm:GetParameter",), ("arn:aws:ssm:*::parameter/aws/service/ecs/optimized-ami/*",)),
        Grant("WriteMachines", _WRITES, writes=True),
        Grant(f"ReadRole{label}", ROLE_READS, roles),
        Grant(f"WriteRole{label}", ROLE_WRITES, roles, writes=True),
        Grant(f"ReadProfile{label}", ("iam:GetInstanceProfile",), profiles),
        Grant(f"WriteProfile{label}", _PROFILE_WRITES, (*profiles, *roles), writes=True),
        Grant(f"WriteLogs{label}", LOG_WRITES, (f"arn:aws:logs:*:*:log-group:{name}-log-*",), writes=True),
    )
