"""How many files and connections the process may have open.

Most systems start a process with 1,024, which a thousand uploads with a connection and a file each exceed; it may ask for more.
"""

import resource

#: Enough for every stream that is admitted, with its connection and its files, many times over.
_WANTED = 65_536


def allow_many_open_files() -> None:
    """Raises the limit as far as is wanted, and as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
