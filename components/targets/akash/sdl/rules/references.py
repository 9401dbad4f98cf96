"""The rules on names that lead nowhere, or to the same place twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import quantity
from .rule import By, Finding, Path, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()
_COMPUTE: Path = ("profiles", "compute")
_PLACEMENT: Path = ("profiles", "placement")


def truth(value: object) -> bool:
    """Return `persistent` as the official validator reads it: any word but a few is true."""
    return value.lower() not in {"false", "no", "0", ""} if isinstance(value, str) else bool(value)


@rules.error(
    "service-not-deployed",
    By.VALIDATOR,
    "Every service stands under `deployment`.",
    "Add it there, or take the service out.",
)
def _service_not_deployed(view: View) -> Iterator[Finding]:
    deployment = view.data.get("deployment") or {}
    for name in view.services:
        if name not in deployment:
            yield Finding(("services", name), "is not deployed; add it under deployment", ("deployment", name))


@rules.error("no-service", By.VALIDATOR, "Every name under `deployment` is a service.", "Correct the name.")
def _no_service(view: View) -> Iterator[Finding]:
    for name in view.data.get("deployment") or {}:
        if name not in view.services:
            yield Finding(("deployment", name), "there is no such service", ("services", name))


@rules.error(
    "no-placement",
    By.VALIDATOR,
    "Every placement of a service is a placement profile.",
    "Correct the name, or add the profile.",
)
def _no_placement(view: View) -> Iterator[Finding]:
    for each in view.placed:
        if each.placement not in view.placement:
            yield Finding(each.path, "there is no such placement profile", (*_PLACEMENT, each.placement))


@rules.error(
    "no-compute",
    By.VALIDATOR,
    "Every profile of a service is a compute profile.",
    "Correct the name, or add the profile.",
)
def _no_compute(view: View) -> Iterator[Finding]:
    for each in view.placed:
        if "profile" in each.deployed and each.profile not in view.compute:
            yield Finding(
                (*each.path, "profile"), f"there is no compute profile {each.profile!r}", (*_COMPUTE, each.profile)
            )


@rules.error(
    "no-pricing",
    By.VALIDATOR,
    "Every placement has a price for each profile that runs in it.",
    "Add it under `pricing`.",
)
def _no_pricing(view: View) -> Iterator[Finding]:
    for each in view.placed:
        if each.placement in view.placement and "profile" in each.deployed:
            path = (*_PLACEMENT, each.placement, "pricing")
            if each.profile not in (each.infra.get("pricing") or {}):
                yield Finding(
                    path, f"there is no price for the compute profile {each.profile!r}", (*path, each.profile)
                )


@rules.error(
    "empty-manifest", By.MANIFEST, "At least one service runs in a placement.", "Add a placement under `deployment`."
)
def _empty_manifest(view: View) -> Iterator[Finding]:
    if view.whole and not view.placed:
        yield Finding(("deployment",), "no service runs anywhere")


@rules.error(
    "no-volume",
    By.VALIDATOR,
    "Every volume that a service mounts is one of its compute profile.",
    "Correct the name, or add the volume.",
)
def _no_volume(view: View) -> Iterator[Finding]:
    for each in view.placed:
        if each.profile not in view.compute:
            continue
        known = {volume.get("name") for _, volume in view.volumes[each.profile]}
        for name in _mounts(each.service):
            if name not in known:
                path = ("services", each.name, "params", "storage", name)
                message = f"the compute profile {each.profile!r} has no volume of this name"
                yield Finding(path, message, (*_COMPUTE, each.profile, "resources", "storage"))


@rules.error(
    "mount-twice",
    By.VALIDATOR,
    "Each mount of a service has a path of its own; one at most has none.",
    "Choose another path.",
)
def _mount_twice(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        seen: dict[str | None, str] = {}
        for volume, mount in _mounts(service).items():
            where = (mount or {}).get("mount")
            if where in seen:
                place = where or "the container's own disk"
                yield Finding(
                    ("services", name, "params", "storage", volume), f"{place} is taken by volume {seen[where]!r}"
                )
            seen[where] = volume


@rules.error(
    "persistent-not-mounted",
    By.VALIDATOR,
    "Every persistent volume has a mount.",
    "Add it under the service's `params.storage`.",
)
def _persistent_not_mounted(view: View) -> Iterator[Finding]:
    for each in view.placed:
        for path, volume in view.volumes.get(each.profile, ()):
            attributes = volume.get("attributes") or {}
            if each.service and attributes.get("class") != "ram" and truth(attributes.get("persistent", False)):
                name = volume.get("name") or ""
                if not (_mounts(each.service).get(name) or {}).get("mount"):
                    about = ("services", each.name, "params", "storage", name)
                    message = f"service {each.name!r} runs with this persistent volume and does not mount it"
                    yield Finding(
                        path, f"{message}; add services.{each.name}.params.storage.{name or 'default'}.mount", about
                    )


@rules.error(
    "gpu-without-model",
    By.VALIDATOR,
    "A profile with GPUs names the models that will do.",
    "Add `attributes.vendor.nvidia`.",
)
def _gpu_without_model(view: View) -> Iterator[Finding]:
    for name, gpu in _gpus(view):
        if gpu.get("units") not in {None, 0} and "vendor" not in (gpu.get("attributes") or {}):
            path = (*_COMPUTE, name, "resources", "gpu")
            yield Finding(
                path, "units need attributes.vendor.nvidia: a list of models, or nothing for any", (*path, "attributes")
            )


@rules.error(
    "gpu-model-without-units",
    By.VALIDATOR,
    "A profile without GPUs names no model.",
    "Set `units`, or take the attributes out.",
)
def _gpu_model_without_units(view: View) -> Iterator[Finding]:
    for name, gpu in _gpus(view):
        if gpu.get("units") in {None, 0} and "attributes" in gpu:
            path = (*_COMPUTE, name, "resources", "gpu")
            yield Finding(path, "attributes without units; set units, or take the attributes out", (*path, "units"))


@rules.error(
    "vendor-empty", By.SCHEMA, "`vendor` names a vendor.", "Write `nvidia:`, with models or nothing behind it."
)
def _vendor_empty(view: View) -> Iterator[Finding]:
    for name, resources in ((name, each.get("resources") or {}) for name, each in view.compute.items()):
        if ((resources.get("gpu") or {}).get("attributes") or {}).get("vendor") == {}:
            path = (*_COMPUTE, name, "resources", "gpu", "attributes", "vendor")
            yield Finding(path, "names no vendor; write nvidia", (*path, "nvidia"))


@rules.error("tee-without-gpu", By.NEWER, "`tee: cpu-gpu` runs on a profile with GPUs.", "Add GPUs, or choose `cpu`.")
def _tee_without_gpu(view: View) -> Iterator[Finding]:
    for each in view.placed:
        asked = (each.service.get("params") or {}).get("tee") == "cpu-gpu" and each.profile in view.compute
        if asked and quantity.text((each.compute.get("gpu") or {}).get("units") or 0) == "0":
            path = ("services", each.name, "params", "tee")
            about = (*_COMPUTE, each.profile, "resources", "gpu")
            yield Finding(path, f"cpu-gpu needs a GPU in the compute profile {each.profile!r}; or choose cpu", about)


@rules.error(
    "tee-conflict", By.NEWER, "All services of a placement ask for the same `tee`.", "Choose one, or two placements."
)
def _tee_conflict(view: View) -> Iterator[Finding]:
    first: dict[str, tuple[str, str]] = {}
    for each in sorted(view.placed, key=lambda placed: placed.name):
        tee = (each.service.get("params") or {}).get("tee")
        if tee and first.setdefault(each.placement, (tee, each.name))[0] != tee:
            kind, other = first[each.placement]
            message = f"{tee} differs from {kind} of service {other!r} in the same placement {each.placement!r}"
            yield Finding(("services", each.name, "params", "tee"), message)


def _mounts(service: dict[str, object]) -> dict[str, dict[str, str]]:
    params = service.get("params")
    return (params.get("storage") or {}) if isinstance(params, dict) else {}


def _gpus(view: View) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in dict.fromkeys(each.profile for each in view.placed):
        gpu = ((view.compute.get(name) or {}).get("resources") or {}).get("gpu")
        if gpu:
            yield name, gpu
