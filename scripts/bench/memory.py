"""What processes take of the machine."""

import psutil

MB = 1 << 20


def memory_mb(pid: int) -> float:
    """Memory of one process, MB: PSS (shared pages divided among their users), where the system tells it; else what
    the process has for itself alone.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    full = psutil.Process(pid).memory_full_info()
    return int(full.pss if hasattr(full, "pss") else full.uss) / MB


def cpu_s(pid: int) -> float:
    """CPU time that a process has used so far.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def runs(pid: int) -> bool:
    """Whether it still runs; one that nobody has collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
