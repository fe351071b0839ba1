"""Windows: each service lives in a Job Object. There is no SIGTERM: after the order on stdin comes the end of the job.

The job also ends when the launcher dies, because the system then closes its handle.
"""

import sys
from collections.abc import Mapping
from typing import Any, Protocol

CREATE_NEW_PROCESS_GROUP = 0x0000_0200
CREATE_NO_WINDOW = 0x0800_0000


class Jobs(Protocol):
    """The calls of kernel32 that are needed; a handle is a number."""

    def create(self) -> int: ...

    def assign(self, job: int, pid: int) -> None: ...

    def terminate(self, job: int) -> None: ...

    def close(self, job: int) -> None: ...


class WindowsTree:
    """One service's job."""

    def __init__(self, jobs: Jobs, pid: int) -> None:
        self._jobs = jobs
        self._job = jobs.create()
        jobs.assign(self._job, pid)

    def terminate(self) -> None:
        """A process without a console cannot be asked."""

    def kill(self) -> None:
        if self._job:
            self._jobs.terminate(self._job)

    def close(self) -> None:
        if self._job:
            self._jobs.close(self._job)
            self._job = 0


class WindowsSystem:
    """Job Objects; no console window for anything."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    @property
    def spawn_options(self) -> Mapping[str, Any]:
        return {"creationflags": CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW}

    def tree(self, pid: int) -> WindowsTree:
        return WindowsTree(self._jobs, pid)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    PROCESS_SET_QUOTA = 0x0100
    PROCESS_TERMINATE = 0x0001
    JOB_EXTENDED_LIMIT_INFORMATION = 9
    KILL_ON_JOB_CLOSE = 0x2000

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class Kernel32Jobs:
        """Job Objects by ctypes. Every failure raises OSError with the system's own words."""

        def __init__(self) -> None:
            self._dll = ctypes.WinDLL("kernel32", use_last_error=True)
            for name, result, arguments in (
                ("CreateJobObjectW", wintypes.HANDLE, (wintypes.LPVOID, wintypes.LPCWSTR)),
                (
                    "SetInformationJobObject",
                    wintypes.BOOL,
                    (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD),
                ),
                ("OpenProcess", wintypes.HANDLE, (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)),
                ("AssignProcessToJobObject", wintypes.BOOL, (wintypes.HANDLE, wintypes.HANDLE)),
                ("TerminateJobObject", wintypes.BOOL, (wintypes.HANDLE, wintypes.UINT)),
                ("CloseHandle", wintypes.BOOL, (wintypes.HANDLE,)),
            ):
                function = getattr(self._dll, name)
                function.restype, function.argtypes = result, arguments

        def create(self) -> int:
            job = self._checked(self._dll.CreateJobObjectW(None, None))
            limits = _ExtendedLimits()
            limits.BasicLimitInformation.LimitFlags = KILL_ON_JOB_CLOSE
            self._checked(
                self._dll.SetInformationJobObject(
                    job, JOB_EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits)
                )
            )
            return job

        def assign(self, job: int, pid: int) -> None:
            process = self._checked(self._dll.OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE, False, pid))
            try:
                self._checked(self._dll.AssignProcessToJobObject(job, process))
            finally:
                self.close(process)

        def terminate(self, job: int) -> None:
            self._checked(self._dll.TerminateJobObject(job, 1))

        def close(self, job: int) -> None:
            self._checked(self._dll.CloseHandle(job))

        def _checked(self, result: int | None) -> int:
            if not result:
                raise ctypes.WinError(ctypes.get_last_error())
            return result
