"""Machines of EC2: instances, profiles, data volumes, addresses, and their attachments and associations.

Order and waits follow terraform-provider-aws (internal/service/ec2: ec2_instance.go, ebs_volume.go,
ebs_volume_attachment.go, ec2_eip.go, ec2_eip_association.go; internal/service/iam/instance_profile.go).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found, nothing

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context


def _ec2(aws: Connection) -> Any:
    return aws.client("ec2")


# -- profiles


def _create_profile(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    iam = aws.client("iam")
    iam.create_instance_profile(InstanceProfileName=news["name"])
    iam.add_role_to_instance_profile(InstanceProfileName=news["name"], RoleName=news["role"])
    return str(news["name"])


def _read_profile(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    try:
        found = aws.client("iam").get_instance_profile(InstanceProfileName=id_)["InstanceProfile"]
    except ClientError as error:
        if code(error) == "NoSuchEntity":
            return None
        raise
    inputs = {"name": id_} | ({"role": found["Roles"][0]["RoleName"]} if found["Roles"] else {})
    computed = {"arn": found["Arn"], "uniqueId": found["InstanceProfileId"]}
    return Found(inputs, computed, tags.read(found.get("Tags") or ()))


def _delete_profile(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    iam = aws.client("iam")
    with gone("NoSuchEntity"):
        iam.remove_role_from_instance_profile(InstanceProfileName=id_, RoleName=outputs["role"])
    with gone("NoSuchEntity"):
        iam.delete_instance_profile(InstanceProfileName=id_)


def _tag_profile(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    iam: Any = aws.client("iam")
    if removed := sorted(set(old) - set(new)):
        iam.untag_instance_profile(InstanceProfileName=id_, TagKeys=removed)
    if new:
        iam.tag_instance_profile(InstanceProfileName=id_, Tags=tags.capital(new))


# -- instances

_OPTIONS = {"httpTokens": "HttpTokens", "httpPutResponseHopLimit": "HttpPutResponseHopLimit"}


def _create_machine(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    root = news.get("rootBlockDevice") or {}
    # The plug-in asks for the deletion of the root volume with its machine (ec2_instance.go, `delete_on_termination`).
    disk = {
        "Encrypted": bool(root.get("encrypted")),
        "VolumeType": root.get("volumeType", "gp3"),
        "DeleteOnTermination": root.get("deleteOnTermination", True),
    }
    options = news.get("metadataOptions") or {}
    made = _ec2(aws).run_instances(
        ImageId=news["ami"],
        InstanceType=news["instanceType"],
        MinCount=1,
        MaxCount=1,
        SubnetId=news["subnetId"],
        SecurityGroupIds=news["vpcSecurityGroupIds"],
        IamInstanceProfile={"Name": news["iamInstanceProfile"]},
        UserData=base64.b64decode(news["userDataBase64"]),
        MetadataOptions={
            api: int(options[name]) if name == "httpPutResponseHopLimit" else options[name]
            for name, api in _OPTIONS.items()
            if name in options
        },
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {**disk, "VolumeSize": int(root.get("volumeSize", 30))}}
        ],
    )
    return str(made["Instances"][0]["InstanceId"])


def _machine(aws: Connection, id_: str) -> dict[str, Any] | None:
    try:
        found = _ec2(aws).describe_instances(InstanceIds=[id_])["Reservations"][0]["Instances"][0]
    except ClientError as error:
        if code(error) == "InvalidInstanceID.NotFound":
            return None
        raise
    return None if found["State"]["Name"] in ("shutting-down", "terminated") else dict(found)


def _read_machine(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    found = _machine(aws, id_)
    if found is None:
        return None
    data = _ec2(aws).describe_instance_attribute(InstanceId=id_, Attribute="userData").get("UserData") or {}
    shown = found.get("MetadataOptions") or {}
    inputs = {
        "ami": found["ImageId"],
        "instanceType": found["InstanceType"],
        "subnetId": found["SubnetId"],
        "vpcSecurityGroupIds": sorted(one["GroupId"] for one in found["SecurityGroups"]),
        "iamInstanceProfile": found["IamInstanceProfile"]["Arn"].rpartition("/")[2],
        "userDataBase64": data.get("Value", ""),
        "metadataOptions": {name: shown[api] for name, api in _OPTIONS.items() if api in shown},
        # These inputs are no properties of the machine: they decide how it is made or changed.
        **_kept(known, "rootBlockDevice", "userDataReplaceOnChange"),
    }
    computed = {
        "arn": f"arn:aws:ec2:{aws.region}:{found.get('OwnerId', '')}:instance/{id_}",
        "availabilityZone": found["Placement"]["AvailabilityZone"],
        "instanceState": found["State"]["Name"],
        "privateIp": found.get("PrivateIpAddress", ""),
    }
    return Found(inputs, computed, tags.read(found.get("Tags") or ()))


def _kept(known: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: known[name] for name in names if name in known}


def _update_machine(aws: Connection, id_: str, old: dict[str, Any], news: dict[str, Any]) -> None:
    """Update a machine: stop it, change what only a stopped one accepts, and start it."""
    ec2, changed = _ec2(aws), []
    if news["userDataBase64"] != old.get("userDataBase64"):
        # moto decodes this value twice.
        changed.append({"UserData": {"Value": news["userDataBase64"].encode()}})
    if news["instanceType"] != old.get("instanceType"):
        changed.append({"InstanceType": {"Value": news["instanceType"]}})
    if changed:
        ec2.stop_instances(InstanceIds=[id_])
        for each in changed:
            ec2.modify_instance_attribute(InstanceId=id_, **each)
        ec2.start_instances(InstanceIds=[id_])
    if sorted(news["vpcSecurityGroupIds"]) != sorted(old.get("vpcSecurityGroupIds") or []):
        ec2.modify_instance_attribute(InstanceId=id_, Groups=news["vpcSecurityGroupIds"])


def _delete_machine(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("InvalidInstanceID.NotFound"):
        _ec2(aws).terminate_instances(InstanceIds=[id_])


# -- volumes


def _create_volume(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _ec2(aws).create_volume(
        AvailabilityZone=news["availabilityZone"],
        Size=int(news["size"]),
        VolumeType=news.get("type", "gp2"),
        Encrypted=bool(news.get("encrypted")),
    )
    return str(made["VolumeId"])


def _volume(aws: Connection, id_: str) -> dict[str, Any] | None:
    try:
        return dict(_ec2(aws).describe_volumes(VolumeIds=[id_])["Volumes"][0])
    except ClientError as error:
        if code(error) == "InvalidVolume.NotFound":
            return None
        raise


def _read_volume(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    found = _volume(aws, id_)
    if found is None:
        return None
    inputs = {
        "availabilityZone": found["AvailabilityZone"],
        "size": found["Size"],
        "type": found["VolumeType"],
        "encrypted": found["Encrypted"],
        "finalSnapshot": known.get("finalSnapshot", False),
    }
    return Found(inputs, {"arn": f"arn:aws:ec2:{aws.region}::volume/{id_}"}, tags.read(found.get("Tags") or ()))


def _update_volume(aws: Connection, id_: str, old: dict[str, Any], news: dict[str, Any]) -> None:
    if int(news["size"]) != int(old["size"]):
        _ec2(aws).modify_volume(VolumeId=id_, Size=int(news["size"]))


def _delete_volume(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    if outputs.get("finalSnapshot") and _volume(aws, id_):
        described = f"Final snapshot of {id_}"
        _ec2(aws).create_snapshot(
            VolumeId=id_,
            Description=described,
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags.capital(outputs.get("tagsAll") or {})}],
        )
    with gone("InvalidVolume.NotFound"):
        _ec2(aws).delete_volume(VolumeId=id_)


def _attach(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    volume = _volume(aws, news["volumeId"])
    if volume and volume["Attachments"]:
        raise UnmoorError(f"VolumeInUse: {news['volumeId']} is already attached to an instance")
    _ec2(aws).attach_volume(VolumeId=news["volumeId"], InstanceId=news["instanceId"], Device=news["deviceName"])
    return f"vai-{news['volumeId'][4:]}{news['instanceId'][2:6]}"


def _read_attached(aws: Connection, _id: str, known: dict[str, Any]) -> Found | None:
    volume = _volume(aws, known["volumeId"])
    for one in (volume or {}).get("Attachments", ()):
        if one["InstanceId"] == known["instanceId"]:
            names = ("deviceName", "volumeId", "instanceId", "stopInstanceBeforeDetaching")
            return Found({name: known[name] for name in names if name in known}, {})
    return None


def _detach(aws: Connection, _id: str, outputs: dict[str, Any]) -> None:
    ec2 = _ec2(aws)
    if outputs.get("stopInstanceBeforeDetaching") and _machine(aws, outputs["instanceId"]):
        ec2.stop_instances(InstanceIds=[outputs["instanceId"]])
    with gone("InvalidVolume.NotFound", "InvalidAttachment.NotFound", "IncorrectState"):
        ec2.detach_volume(VolumeId=outputs["volumeId"], InstanceId=outputs["instanceId"], Device=outputs["deviceName"])


# -- addresses


def _create_address(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    return str(_ec2(aws).allocate_address(Domain=news.get("domain", "vpc"))["AllocationId"])


def _address(aws: Connection, id_: str) -> dict[str, Any] | None:
    try:
        return dict(_ec2(aws).describe_addresses(AllocationIds=[id_])["Addresses"][0])
    except ClientError as error:
        if code(error) == "InvalidAllocationID.NotFound":
            return None
        raise


def _read_address(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    found = _address(aws, id_)
    if found is None:
        return None
    computed = {"publicIp": found["PublicIp"], "allocationId": id_}
    return Found({"domain": found["Domain"]}, computed, tags.read(found.get("Tags") or ()))


def _delete_address(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("InvalidAllocationID.NotFound"):
        _ec2(aws).release_address(AllocationId=id_)


def _associate(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _ec2(aws).associate_address(
        AllocationId=news["allocationId"], InstanceId=news["instanceId"], AllowReassociation=True
    )
    return str(made["AssociationId"])


def _read_associated(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    found = _address(aws, known["allocationId"])
    if found is None or found.get("AssociationId") != id_ or found.get("InstanceId") != known["instanceId"]:
        return None
    return Found({name: known[name] for name in ("allocationId", "instanceId")}, {"publicIp": found["PublicIp"]})


def _disassociate(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("InvalidAssociationID.NotFound"):
        _ec2(aws).disassociate_address(AssociationId=id_)


MACHINES = {
    "aws:iam/instanceProfile:InstanceProfile": AwsType(
        title="IAM Instance Profile",
        inputs=frozenset({"name", "role"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn", "uniqueId"}),
        create=_create_profile,
        read=_read_profile,
        update=nothing,
        delete=_delete_profile,
        name="name",
        tag=_tag_profile,
    ),
    "aws:ec2/instance:Instance": AwsType(
        title="EC2 Instance",
        inputs=frozenset(
            {"ami", "instanceType", "subnetId", "vpcSecurityGroupIds", "iamInstanceProfile", "userDataBase64"}
            | {"userDataReplaceOnChange", "metadataOptions", "rootBlockDevice"}
        ),
        replaces=frozenset({"ami", "subnetId"}),
        computed=frozenset({"arn", "availabilityZone", "instanceState", "privateIp"}),
        create=_create_machine,
        read=_read_machine,
        update=_update_machine,
        delete=_delete_machine,
        tag=tags.of_ec2,
        defaults={"userDataReplaceOnChange": False},
    ),
    "aws:ebs/volume:Volume": AwsType(
        title="EBS Volume",
        inputs=frozenset({"availabilityZone", "size", "type", "encrypted", "finalSnapshot"}),
        replaces=frozenset({"availabilityZone", "encrypted"}),
        computed=frozenset({"arn"}),
        create=_create_volume,
        read=_read_volume,
        update=_update_volume,
        delete=_delete_volume,
        tag=tags.of_ec2,
    ),
    "aws:ec2/volumeAttachment:VolumeAttachment": AwsType(
        title="EBS Volume Attachment",
        inputs=frozenset({"deviceName", "volumeId", "instanceId", "stopInstanceBeforeDetaching"}),
        replaces=frozenset({"deviceName", "volumeId", "instanceId"}),
        computed=frozenset(),
        create=_attach,
        read=_read_attached,
        update=nothing,
        delete=_detach,
    ),
    "aws:ec2/eip:Eip": AwsType(
        title="EC2 EIP",
        inputs=frozenset({"domain"}),
        replaces=frozenset({"domain"}),
        computed=frozenset({"publicIp", "allocationId"}),
        create=_create_address,
        read=_read_address,
        update=nothing,
        delete=_delete_address,
        tag=tags.of_ec2,
    ),
    "aws:ec2/eipAssociation:EipAssociation": AwsType(
        title="EC2 EIP Association",
        inputs=frozenset({"allocationId", "instanceId"}),
        replaces=frozenset({"allocationId", "instanceId"}),
        computed=frozenset({"publicIp"}),
        create=_associate,
        read=_read_associated,
        update=nothing,
        delete=_disassociate,
    ),
}
