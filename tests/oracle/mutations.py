"""One way to break each rule, as a change of a valid document; None where the document gives no occasion."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Mutate = Callable[[Data], Any]
MUTATIONS: list[tuple[str, str, Mutate]] = []


def breaks(rule: str) -> Callable[[Mutate], Mutate]:
    def declare(mutate: Mutate) -> Mutate:
        MUTATIONS.append((rule, mutate.__name__, mutate))
        return mutate

    return declare


def mutated(data: Data, mutate: Mutate) -> Data | None:
    made = copy.deepcopy(data)
    try:
        return None if mutate(made) is False else made
    except (KeyError, IndexError, StopIteration):
        return None


def service(data: Data) -> Data:
    return next(iter(data["services"].values()))


def exposed(data: Data) -> Data:
    return next(each for each in data["services"].values() if each.get("expose"))["expose"][0]


def resources(data: Data) -> Data:
    profile = next(iter(next(iter(data["deployment"].values())).values()))["profile"]
    return data["profiles"]["compute"][profile]["resources"]


def volume(data: Data) -> Data:
    storage = resources(data)["storage"]
    return storage[0] if isinstance(storage, list) else storage


def placement(data: Data) -> Data:
    return data["profiles"]["placement"][next(iter(next(iter(data["deployment"].values()))))]


def price(data: Data) -> Data:
    return next(iter(placement(data)["pricing"].values()))


def deployed(data: Data) -> Data:
    return next(iter(next(iter(data["deployment"].values())).values()))


@breaks("unknown-field")
def at_the_top(d):
    d["extra"] = 1


@breaks("unknown-field")
def in_a_service(d):
    service(d)["imagee"] = "x"


@breaks("unknown-field")
def in_an_expose(d):
    exposed(d)["hosts"] = ["a"]


@breaks("unknown-field")
def in_resources(d):
    resources(d)["disk"] = {}


@breaks("missing-field")
def no_version(d):
    del d["version"]


@breaks("missing-field")
def no_image(d):
    del service(d)["image"]


@breaks("missing-field")
def no_port(d):
    del exposed(d)["port"]


@breaks("missing-field")
def no_memory(d):
    del resources(d)["memory"]


@breaks("missing-field")
def no_amount(d):
    del price(d)["amount"]


@breaks("missing-field")
def no_count(d):
    del deployed(d)["count"]


@breaks("wrong-type")
def version_as_a_number(d):
    d["version"] = 2.0


@breaks("wrong-type")
def env_as_a_mapping(d):
    service(d)["env"] = {"A": "b"}


@breaks("wrong-type")
def port_as_text(d):
    exposed(d)["port"] = "80"


@breaks("wrong-type")
def count_as_a_fraction(d):
    deployed(d)["count"] = 1.5


@breaks("wrong-type")
def global_as_a_word(d):
    exposed(d)["to"] = [{"global": "yes"}]


@breaks("wrong-type")
def image_as_nothing(d):
    service(d)["image"] = None


@breaks("wrong-type")
def services_as_a_list(d):
    d["services"] = []


@breaks("wrong-type")
def number_among_the_arguments(d):
    service(d)["args"] = ["a", 1]


@breaks("not-allowed")
def an_old_version(d):
    d["version"] = "1.0"


@breaks("not-allowed")
def port_zero(d):
    exposed(d)["port"] = 0


@breaks("not-allowed")
def port_too_high(d):
    exposed(d)["as"] = 65536


@breaks("not-allowed")
def protocol(d):
    exposed(d)["proto"] = "SCTP"


@breaks("not-allowed")
def no_replica(d):
    deployed(d)["count"] = 0


@breaks("not-allowed")
def empty_image(d):
    service(d)["image"] = ""


@breaks("not-allowed")
def negative_cpu(d):
    resources(d)["cpu"]["units"] = -1


@breaks("not-allowed")
def no_cpu(d):
    resources(d)["cpu"]["units"] = "0m"


@breaks("not-allowed")
def denomination(d):
    price(d)["denom"] = "usd"


@breaks("not-allowed")
def relative_mount(d):
    service(d)["params"]["storage"][next(iter(service(d)["params"]["storage"]))]["mount"] = "data"


@breaks("not-allowed")
def short_password(d):
    service(d)["credentials"] = {"host": "a", "username": "b", "password": "12345"}


@breaks("not-allowed")
def next_case(d):
    exposed(d)["http_options"] = {"next_cases": ["418"]}


@breaks("not-allowed")
def gpu_interface(d):
    resources(d)["gpu"] = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": "a", "interface": "agp"}]}}}


@breaks("not-allowed")
def endpoint_name(d):
    exposed(d)["to"] = [{"global": True, "ip": "1up"}]
    d.setdefault("endpoints", {})["1up"] = {"kind": "ip"}


@breaks("not-allowed")
def endpoint_kind(d):
    next(iter(d["endpoints"].values()))["kind"] = "dns"


@breaks("not-allowed")
def permission(d):
    service(d)["params"] = {"permissions": {"read": ["secrets"]}} | service(d).get("params", {})
    service(d)["params"]["permissions"] = {"read": ["secrets"]}


@breaks("not-allowed")
def no_next_case(d):
    exposed(d)["http_options"] = {"next_cases": []}


@breaks("body-too-large")
def body(d):
    exposed(d)["http_options"] = {"max_body_size": 104857601}


@breaks("timeout-too-long")
def read_timeout(d):
    exposed(d)["http_options"] = {"read_timeout": 60001}


@breaks("off-alone")
def off_and_another(d):
    exposed(d)["http_options"] = {"next_cases": ["off", "error"]}


@breaks("address-not-global")
def address_without_global(d):
    for each in d["services"].values():
        for expose in each.get("expose", []):
            for to in expose["to"]:
                if "ip" in to:
                    del to["global"]
                    return True
    return False


@breaks("ram-persistent")
def persistent_memory(d):
    volume(d)["attributes"] = {"class": "ram", "persistent": True}


@breaks("class-not-persistent")
def fleeting_class(d):
    volume(d)["attributes"] = {"class": "beta2", "persistent": False}


@breaks("vendor-empty")
def vendor_of_nothing(d):
    resources(d)["gpu"] = {"units": 1, "attributes": {"vendor": {}}}


@breaks("service-not-deployed")
def not_deployed(d):
    d["services"]["lonely"] = {"image": "nginx"}


@breaks("no-service")
def deployed_nothing(d):
    d["deployment"]["ghost"] = copy.deepcopy(next(iter(d["deployment"].values())))


@breaks("no-placement")
def placement_gone(d):
    place = next(iter(next(iter(d["deployment"].values()))))
    del d["profiles"]["placement"][place]


@breaks("no-compute")
def compute_gone(d):
    del d["profiles"]["compute"][deployed(d)["profile"]]


@breaks("no-pricing")
def pricing_gone(d):
    del placement(d)["pricing"][deployed(d)["profile"]]


@breaks("no-volume")
def mount_of_nothing(d):
    service(d).setdefault("params", {}).setdefault("storage", {})["ghost"] = {"mount": "/ghost"}


@breaks("mount-twice")
def same_mount(d):
    storage = service(d)["params"]["storage"]
    asked = resources(d)["storage"]
    if not storage or not isinstance(asked, list):
        return False
    asked.append({"name": "twin", "size": "1Gi"})
    storage["twin"] = {"mount": next(iter(storage.values()))["mount"]}
    return True


@breaks("persistent-not-mounted")
def nowhere_mounted(d):
    asked = resources(d)["storage"]
    if not isinstance(asked, list):
        return False
    asked.append({"name": "lost", "size": "1Gi", "attributes": {"class": "beta3", "persistent": True}})
    return True


@breaks("gpu-without-model")
def any_gpu(d):
    resources(d)["gpu"] = {"units": 1}


@breaks("gpu-model-without-units")
def no_gpu(d):
    resources(d)["gpu"] = {"units": 0, "attributes": {"vendor": {"nvidia": None}}}


@breaks("endpoint-unknown")
def undeclared(d):
    exposed(d)["to"] = [*exposed(d)["to"], {"global": True, "ip": "ghost"}]
    exposed(d).pop("accept", None)


@breaks("endpoint-unused")
def unused(d):
    d.setdefault("endpoints", {})["ghost"] = {"kind": "ip"}


@breaks("endpoint-port-twice")
def same_port(d):
    to = {"global": True, "ip": "twice"}
    exposed(d)["to"] = [to, dict(to)]
    exposed(d).pop("accept", None)
    d.setdefault("endpoints", {})["twice"] = {"kind": "ip"}
    d["endpoints"] = {name: each for name, each in d["endpoints"].items() if name in _used(d)}


@breaks("size-amount")
def size_without_a_suffix(d):
    resources(d)["memory"]["size"] = "1024"


@breaks("size-amount")
def size_in_words(d):
    volume(d)["size"] = "plenty"


@breaks("cpu-amount")
def thousandth_of_a_thousandth(d):
    resources(d)["cpu"]["units"] = "100.5m"


@breaks("cpu-amount")
def cpu_in_words(d):
    resources(d)["cpu"]["units"] = "2cores"


@breaks("cpu-limit")
def too_many_cores(d):
    resources(d)["cpu"]["units"] = 385


@breaks("cpu-limit")
def hardly_any_core(d):
    resources(d)["cpu"]["units"] = "5m"


@breaks("cpu-attribute")
def vendor_of_cpu(d):
    resources(d)["cpu"]["attributes"] = {"vendor": "amd"}


@breaks("size-limit")
def too_much_memory(d):
    resources(d)["memory"]["size"] = "3Ti"


@breaks("size-limit")
def hardly_any_storage(d):
    volume(d)["size"] = "1Mi"


@breaks("volume-twice")
def twin_volume(d):
    asked = resources(d)["storage"]
    if not isinstance(asked, list):
        return False
    asked.append(dict(asked[0]))
    return True


@breaks("storage-class")
def invented_class(d):
    attributes = volume(d)["attributes"]
    if attributes["class"] == "ram":
        return False
    attributes["class"] = "gold"
    return True


@breaks("persistent-word")
def persistent_in_words(d):
    attributes = volume(d)["attributes"]
    if attributes["class"] == "ram":
        return False
    attributes["persistent"] = "True"
    return True


@breaks("gpu-amount")
def too_many_gpus(d):
    resources(d)["gpu"] = {"units": 25, "attributes": {"vendor": {"nvidia": None}}}


@breaks("gpu-amount")
def half_a_gpu(d):
    resources(d)["gpu"] = {"units": 0.5, "attributes": {"vendor": {"nvidia": None}}}


@breaks("group-limit")
def too_much_in_all(d):
    resources(d)["cpu"]["units"] = 384
    deployed(d)["count"] = 51


@breaks("price-zero")
def for_nothing(d):
    price(d)["amount"] = 0


@breaks("price-limit")
def for_too_much(d):
    price(d)["amount"] = 10000001


@breaks("denom-mixed")
def two_denominations(d):
    pricing = placement(d)["pricing"]
    if (
        len(
            {
                each["profile"]
                for places in d["deployment"].values()
                for p, each in places.items()
                if placement(d) is d["profiles"]["placement"][p]
            }
        )
        < 2
    ):
        return False
    for index, each in enumerate(pricing.values()):
        each["denom"] = ("uact", "uakt")[index % 2]
    return True


@breaks("denom-mixed")
def two_denominations_in_two_placements(d):
    used = {place for places in d["deployment"].values() for place in places}
    if len(used) < 2:
        return False
    for index, place in enumerate(sorted(used)):
        for each in d["profiles"]["placement"][place]["pricing"].values():
            each["denom"] = ("uact", "uakt")[index % 2]
    return True


@breaks("gpu-model")
def any_gpu_of_some_memory(d):
    _gpu(d)["vendor"]["nvidia"] = [{"model": "*", "ram": "24Gi"}]


@breaks("gpu-model")
def any_gpu_of_some_interface(d):
    _gpu(d)["vendor"]["nvidia"] = [{"model": "*", "interface": "sxm"}]


@breaks("gpu-model")
def gpu_with_a_space(d):
    _gpu(d)["vendor"]["nvidia"] = [{"model": "rtx 4090"}]


@breaks("gpu-model")
def gpu_with_a_plus(d):
    _gpu(d)["vendor"]["nvidia"] = [{"model": "rtx4090+"}]


@breaks("gpu-model")
def same_gpu_twice(d):
    _gpu(d)["vendor"]["nvidia"] = [{"model": "a100"}, {"model": "h100"}, {"model": "a100"}]


def _gpu(data: Data) -> Data:
    return next(
        profile["resources"]["gpu"]["attributes"]
        for profile in data["profiles"]["compute"].values()
        if profile["resources"].get("gpu", {}).get("attributes")
    )


@breaks("endpoint-placements")
def one_address_for_two_placements(d):
    name = next(
        name
        for name, each in d["services"].items()
        if any("ip" in to for expose in each.get("expose", []) for to in expose["to"])
        and not any("accept" in expose for expose in each["expose"])
    )
    places = list(d["profiles"]["placement"])
    if len(places) < 2:
        return False
    deployed_ = next(iter(d["deployment"][name].values()))
    d["deployment"][name] = {place: dict(deployed_) for place in places}
    return True


@breaks("attribute-name")
def name_of_an_attribute(d):
    placement(d)["attributes"] = {"1st": "x"}


@breaks("wrong-type")
def attribute_of_a_list(d):
    placement(d)["attributes"] = {"region": ["eu"]}


@breaks("service-name")
def name_of_a_service(d):
    old = next(iter(d["services"]))
    d["services"]["My_Service"] = d["services"].pop(old)
    d["deployment"]["My_Service"] = d["deployment"].pop(old)


@breaks("nothing-global")
def nobody_sees_it(d):
    for each in d["services"].values():
        each.pop("expose", None)
    d.pop("endpoints", None)


@breaks("host-name")
def host_with_a_scheme(d):
    exposed(d)["accept"] = ["https://dao.example"]


@breaks("host-twice")
def host_again(d):
    exposed(d)["accept"] = ["dao.example", "dao.example"]


@breaks("env-name")
def variable_with_a_space(d):
    service(d)["env"] = ["MY VAR=1"]


@breaks("credentials-blank")
def blank_credentials(d):
    service(d)["credentials"] = {"host": " ", "username": "b", "password": "1234567"}


@breaks("empty-manifest")
def nowhere(d):
    d["deployment"] = {name: {} for name in d["deployment"]}


@breaks("reclamation-window")
def short_notice(d):
    d["reclamation"] = {"min_window": "30m"}


@breaks("tee-without-gpu")
def confidential_gpu_without_one(d):
    resources(d).pop("gpu", None)
    service(d).setdefault("params", {})["tee"] = "cpu-gpu"


@breaks("missing-field")
def half_an_attribute(d):
    volume(d)["attributes"] = {"class": "ram"}


@breaks("not-allowed")
def an_ibc_denomination(d):
    price(d)["denom"] = "ibc/170C677610AC31DF0904FFE09CD3B5C657492170E7E52372E48756B71E56F2F1"


def _used(data: Data) -> set[str]:
    return {to.get("ip") for each in data["services"].values() for e in each.get("expose", []) for to in e["to"]}
