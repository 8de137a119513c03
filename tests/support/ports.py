"""Ports for servers that must know theirs before they start."""

import itertools
import os
import socket

#: Below the ports that kernels hand out by themselves (/proc/sys/net/ipv4/ip_local_port_range: from 32768), so that nobody gets
#: one between its choice and its use.
_FIRST, _LAST = 20_000, 32_000
#: Tests that run side by side look at ports of their own.
_SHARE = 1_000

_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_start = _FIRST + _number * _SHARE % (_LAST - _FIRST)
# Other runs of the tests begin elsewhere among them.
_candidates = itertools.islice(itertools.cycle(range(_start, _start + _SHARE)), os.getpid() % _SHARE, None)


def free_port() -> int:
    """A port that nobody listens on just now, and that this process does not name again soon."""
    for _ in range(_SHARE):
        port = next(_candidates)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"all ports from {_start} to {_start + _SHARE - 1} are taken")
