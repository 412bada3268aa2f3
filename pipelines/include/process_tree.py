"""What this process and all its children have used, as the kernel counts it.

Airflow makes the processes of tasks unreadable for others of the same user, and so for themselves: their
``/proc/<pid>/io`` is root's. The process's own figures and those of children that have ended and were waited
for therefore come from ``getrusage``, which nobody can forbid; only children that still run are looked up in
``/proc``.
"""

import resource
from dataclasses import dataclass

import psutil

# The unit in which getrusage counts blocks, whatever the disk's own is.
_BLOCK_BYTES = 512
_KIBIBYTE = 1024


@dataclass(frozen=True)
class Usage:
    """A moment's figures.

    Attributes:
        cpu_seconds: user and system time since each process's start.
        memory_bytes: resident now. Pages that processes share are counted in each of them.
        read_bytes: read from storage. What the page cache answers is not counted.
        written_bytes: written to files on storage; memory file systems do not count. For both of these, a
            child that was forked without starting a program is counted once it was waited for.
    """

    cpu_seconds: float
    memory_bytes: int
    read_bytes: int
    written_bytes: int


def usage() -> Usage:
    """Return the figures of now. Processes that left the tree, as daemons do, are not in it any more."""
    root = psutil.Process()
    # Leaves first and the root last: a child that ends meanwhile is then found in its parent's figures.
    children = [_running(child) for child in reversed(root.children(recursive=True))]
    parts = [child for child in children if child is not None]
    own, waited = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    parts += [_ended(own, root.memory_info().rss), _ended(waited, 0)]
    return Usage(
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        memory_bytes=sum(part.memory_bytes for part in parts),
        read_bytes=sum(part.read_bytes for part in parts),
        written_bytes=sum(part.written_bytes for part in parts),
    )


def peak_memory() -> int:
    """Return the largest resident size in bytes of any one process, be it this one or a child waited for.

    Several processes together may have had more at a time: that only samples of :func:`usage` can tell.
    """
    owners = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(owner).ru_maxrss for owner in owners) * _KIBIBYTE


def _running(process: psutil.Process) -> Usage | None:
    try:
        times, memory = process.cpu_times(), process.memory_info().rss
    except psutil.Error:
        return None
    try:
        storage = process.io_counters()
        read, written = storage.read_bytes, storage.write_bytes
    except psutil.Error:
        read, written = 0, 0
    cpu = times.user + times.system + times.children_user + times.children_system
    return Usage(cpu, memory, read, written)


def _ended(spent: resource.struct_rusage, memory: int) -> Usage:
    blocks = (spent.ru_inblock, spent.ru_oublock)
    return Usage(spent.ru_utime + spent.ru_stime, memory, *(count * _BLOCK_BYTES for count in blocks))
