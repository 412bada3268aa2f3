"""What the node exporter is told: where it sees the host, and which of its figures are the host's there."""

import re

PORT = 9100
INTERVAL_SECONDS = 15

# No figure of the network: from the stack's own network these collectors (netdev, netstat, sockstat,
# conntrack, udp_queues) would show the exporter's container and call it the host. uname would give the
# container's name too.
_COLLECTORS = (
    "cpu",
    "diskstats",
    "filefd",
    "filesystem",
    "loadavg",
    "meminfo",
    "pressure",
    "stat",
    "timex",
    "vmstat",
)

# What lies in memory, in an archive or in the kernel, and no disk.
_NO_DISKS = (
    *("autofs", "binfmt_misc", "bpf", "cgroup2?", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"),
    *("erofs", "fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs"),
    *("rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs"),
)


def flags(*, root: str, docker_root: str) -> list[str]:
    """The exporter's arguments.

    Args:
        root: where the host's root directory is mounted.
        docker_root: the engine's directory on the host; what is mounted below it belongs to containers.
    """
    elsewhere = f"^/(dev|proc|run|sys)($|/)|^{re.escape(docker_root)}/.+"
    return [
        f"--path.rootfs={root}",
        f"--path.procfs={root}/proc",
        f"--path.sysfs={root}/sys",
        f"--path.udev.data={root}/run/udev/data",
        "--web.disable-exporter-metrics",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in _COLLECTORS),
        f"--collector.filesystem.mount-points-exclude={elsewhere}",
        f"--collector.filesystem.fs-types-exclude=^({'|'.join(_NO_DISKS)})$",
    ]
