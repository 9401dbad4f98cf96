"""The rights for a container on AWS: what pulumi_aws calls for each of its types.

Source: terraform-provider-aws, the resources' create, read, update and delete functions.
"""

from __future__ import annotations

from ...needs import Grant

CERTIFICATE_READS = ("acm:DescribeCertificate", "acm:ListTagsForCertificate")
CERTIFICATE_WRITES = ("acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RequestCertificate")
_READS = (
    *CERTIFICATE_READS,
    "cloudfront:ListDistributions",  # listed before an update, to find names that are taken
    "ec2:Describe*",
    "ecs:Describe*",
    "ecs:ListServiceDeployments",
    "ecs:ListTasks",
    "ecs:ListTagsForResource",
    "elasticloadbalancing:Describe*",
    "logs:DescribeLogGroups",
    "logs:ListTagsForResource",
)
#: Resources whose ids AWS assigns only on creation, so that no policy can name them before.
_WRITES = (
    *CERTIFICATE_WRITES,
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ecs:DeregisterTaskDefinition",
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:Create*",
    "elasticloadbalancing:Delete*",
    "elasticloadbalancing:Modify*",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
)
_ECS_WRITES = (
    *("ecs:CreateCluster", "ecs:CreateService", "ecs:DeleteCluster", "ecs:DeleteService"),
    *("ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource", "ecs:UpdateService"),
)
ROLE_READS = (
    *("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"),
    "iam:ListRolePolicies",
)
ROLE_WRITES = (
    *("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PassRole", "iam:PutRolePolicy"),
    *("iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"),
)
LOG_WRITES = (
    *("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"),
    *("logs:TagResource", "logs:UntagResource"),
)
_SECRET_READS = ("secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy")
_SECRET_WRITES = (
    *("secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:PutSecretValue"),
    *("secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:UpdateSecret"),
)


_MAKES_ROLES = Grant(
    "MakeRolesOfServices",
    ("iam:CreateServiceLinkedRole",),
    ("arn:aws:iam::*:role/aws-service-role/*",),
    writes=True,
    conditions={
        "StringEquals": {
            "iam:AWSServiceName": ("ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"),
        }
    },
)


def of_balancer() -> tuple[Grant, ...]:
    """Return the rights for a load balancer, its listeners and its certificate."""
    return (Grant("ReadServices", _READS), Grant("WriteServices", _WRITES, writes=True), _MAKES_ROLES)


def grants(name: str, *, cluster: str | None, secrets: bool) -> tuple[Grant, ...]:
    """Return the rights for one site's container; `name`, the site's name, begins every resource name.

    `cluster` is the ARN of a cluster that the stack file names. No right reads a secret's value. The first service in
    an account also needs the right to let AWS create the roles of ECS and Elastic Load Balancing.
    """
    label = "".join(part.capitalize() for part in name.split("-"))
    roles, logs = (f"arn:aws:iam::*:role/{name}-starts-*",), (f"arn:aws:logs:*:*:log-group:{name}-log-*",)
    tasks = [f"arn:aws:ecs:*:*:{what}{name}*" for what in ("cluster/", "service/", "task-definition/")]
    if cluster:
        tasks += [cluster, f"{cluster.replace(':cluster/', ':service/')}/{name}-*"]
    made = (
        Grant("ReadServices", _READS),
        Grant("WriteServices", _WRITES, writes=True),
        _MAKES_ROLES,
        Grant(f"WriteTasks{label}", _ECS_WRITES, tuple(tasks), writes=True),
        Grant(f"ReadRole{label}", ROLE_READS, roles),
        Grant(f"WriteRole{label}", ROLE_WRITES, roles, writes=True),
        Grant(f"WriteLogs{label}", LOG_WRITES, logs, writes=True),
        # An update whose tasks fail shows their last logs.
        Grant(f"ReadLogs{label}", ("logs:GetLogEvents",), tuple(f"{each}:log-stream:*" for each in logs)),
    )
    kept = (f"arn:aws:secretsmanager:*:*:secret:{name}-*",)
    return made + (
        (
            Grant(f"ReadSecrets{label}", _SECRET_READS, kept),
            Grant(f"WriteSecrets{label}", _SECRET_WRITES, kept, writes=True),
        )
        if secrets
        else ()
    )
