# SPDX-License-Identifier: BSD-2-Clause
"""Ports for servers that can't be told to take any free one and say which it is."""

import random
import socket

# Below those that the kernel gives to whoever connects (net.ipv4.ip_local_port_range): none is taken by a connection of another
# program before the server has it, or while it is away; nor by one to it, which on the loopback address may meet itself.
_PORTS = range(10000, 30000)


def free_port(kind=socket.SOCK_STREAM, family=socket.AF_INET, address="127.0.0.1"):
    """One that nobody has now."""
    for port in random.sample(_PORTS, 200):
        with socket.socket(family, kind) as sock:
            try:
                sock.bind((address, port))
                return port
            except OSError:
                continue
    raise OSError("no free port on " + address)
