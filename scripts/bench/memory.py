"""What processes take of the machine."""

import psutil

MB = 1 << 20


def memory_mb(pid: int) -> float:
    """Memory of a process and all below it: PSS (shared pages divided among their users), where the system tells it;
    else what the process has for itself alone.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    process = psutil.Process(pid)
    return sum(_own_bytes(one) for one in (process, *process.children(recursive=True))) / MB


def cpu_s(pid: int) -> float:
    """CPU time that a process has used so far.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _own_bytes(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(full.pss if hasattr(full, "pss") else full.uss)
