"""How much a container rents for a release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.kinds.static import sizes
from components.kinds.static.document import sized
from components.release import Release
from components.targets.akash.ingress import Ingress
from components.targets.akash.sdl import price, resources

GB = 10**9


@given(st.integers(1, 900 * GB), st.integers(1, 200_000))
def test_two_releases_fit_and_a_site_that_grows_a_little_keeps_its_lease(size, files):
    found = sizes.sizes(size, files)
    on_disk = size + files * 4096  # each file's last block, at most
    assert found.disk_mib * sizes.MIB >= 2 * on_disk
    assert found.disk_mib == sizes.SMALLEST_MIB or found.disk_mib * sizes.MIB < 4 * (on_disk + files * 128) + 2**28


@pytest.mark.parametrize(
    ("size", "files", "disk", "cpu"),
    [
        (2_000_000, 60, 512, 100),
        (300_000_000, 5_000, 1024, 100),
        (GB, 50_000, 4096, 400),
        (60 * GB, 1000, 1 << 17, 3200),
    ],
)
def test_the_class_of_a_site(size, files, disk, cpu):
    found = sizes.sizes(size, files)
    assert (found.disk_mib, found.cpu_m) == (disk, cpu)


def test_many_rules_want_more_memory():
    assert sizes.sizes(1, 1).memory_mib == 128
    assert sizes.sizes(1, 1, rules_bytes=664_000).memory_mib == 256


def test_what_no_volume_holds_is_refused_with_the_limit():
    assert list(sizes.refused(GB, 50_000)) == []
    (fault,) = sizes.refused(40_000 * GB, 1)
    assert fault.path == "site"
    assert "40000.0 GB in 1 files" in fault.message
    assert "32768 GiB at most" in fault.message


@pytest.mark.parametrize("ingress", Ingress)
def test_the_document_has_the_disk_the_memory_and_the_price_of_the_release(ingress):
    small, large = (sized(ingress, sizes.sizes(size, 50_000)) for size in (1_000_000, GB))
    (profile,) = [each["resources"] for each in large.data["profiles"]["compute"].values()]
    volumes = {volume.get("name") or "default": volume["size"] for volume in resources.volumes(profile)}
    assert volumes["default" if ingress is Ingress.SHARED else "data"] == "4Gi"
    assert (profile["cpu"]["units"], profile["memory"]["size"]) == ("400m", "128Mi")
    assert float(price.usd_month(large.data)) > float(price.usd_month(small.data))


def test_a_release_without_a_folder_has_no_known_size():
    assert sizes.of(Release("ab" * 32)) is None
