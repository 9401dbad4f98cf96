"""What Fargate offers: the sizes of a task (ECS developer guide, "Task size") and its availability zones. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GIB = 1024
#: Thousandths of a core → CPU units of a task definition, and the memory sizes allowed with it, in MiB.
_SIZES: dict[int, tuple[int, Sequence[int]]] = {
    250: (256, (512, 1024, 2048)),
    500: (512, range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1000: (1024, range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2000: (2048, range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4000: (4096, range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8000: (8192, range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16000: (16384, range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
#: GiB of disk that every task has, and the largest (the same page, "Task storage").
DISK_GIB, LARGEST_DISK_GIB = 20, 200
#: The number of zones in which the load balancer stands; each has an address that is billed.
ZONES = 2


def units(cpu: int) -> int:
    """Return the CPU units of a number of thousandths of a core that Fargate offers."""
    return _SIZES[cpu][0]


def cpu_fault(cpu: int) -> str:
    """Return why Fargate has no such CPU, in thousandths of a core; empty if it has."""
    return "" if cpu in _SIZES else f"Fargate offers no {cpu} thousandths of a core; {_nearest(cpu, list(_SIZES))}"


def memory_fault(cpu: int, memory: int) -> str:
    """Return why Fargate has no such memory, in MiB, with a CPU that it has; empty if it has."""
    if cpu not in _SIZES or memory in _SIZES[cpu][1]:
        return ""
    return f"Fargate offers no {memory} MiB with {cpu} thousandths of a core; {_nearest(memory, _SIZES[cpu][1])}"


def _nearest(wanted: int, offered: Sequence[int]) -> str:
    below = [each for each in offered if each < wanted][-1:]
    above = [each for each in offered if each > wanted][:1]
    return f"choose {' or '.join(map(str, [*below, *above]))}"
