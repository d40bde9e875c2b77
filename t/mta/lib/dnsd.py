# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server (UDP) that answers from a table, as late as it is told, many questions at a time."""

import heapq
import socket
import struct
import threading
import time

A, PTR, MX, TXT, AAAA = 1, 12, 15, 16, 28
_NXDOMAIN = 3


def _name(text):
    out = b""
    for label in text.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("ascii")
    return out + b"\0"


def _rdata(rtype, value):
    if rtype == A:
        return socket.inet_aton(value)
    if rtype == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if rtype == PTR:
        return _name(value)
    if rtype == MX:
        return struct.pack("!H", value[0]) + _name(value[1])
    data = value.encode("utf-8")
    return b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))


def _question(packet):
    """Name, type and the question as it stands in the packet."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1").lower())
        at += 1 + packet[at]
    rtype = struct.unpack("!H", packet[at + 1:at + 3])[0]
    return ".".join(labels), rtype, packet[12:at + 5]


class DnsServer:
    """records: {(name, type): [value...]}; a name "*" with a type answers every other name."""

    def __init__(self, records, delay=0.0, address="127.0.0.1", port=5353):
        self.records = dict(records)
        self.delay = delay      # seconds before each answer
        self.silent = False     # answer nothing at all
        self.asked = []         # (name, type)
        self._waiting = []      # heap of (due, number, packet, peer)
        self._number = 0
        self._stopping = False
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.bind((address, port))
        self.port = self._sock.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stopping = True
        self._thread.join()
        self._sock.close()

    def _answer(self, packet):
        name, rtype, question = _question(packet)
        self.asked.append((name, rtype))
        values = self.records.get((name, rtype), self.records.get(("*", rtype)))
        known = values is not None or any(key[0] == name for key in self.records)
        flags = 0x8580 | (0 if known else _NXDOMAIN)
        out = packet[:2] + struct.pack("!HHHHH", flags, 1, len(values or ()), 0, 0) + question
        for value in values or ():
            data = _rdata(rtype, value)
            out += b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 300, len(data)) + data
        return out

    def _receive(self, until):
        self._sock.settimeout(max(0.001, min(0.1, until - time.monotonic())))
        try:
            packet, peer = self._sock.recvfrom(4096)
        except (socket.timeout, ConnectionRefusedError):
            return
        if self.silent or len(packet) < 17:
            return
        try:
            answer = self._answer(packet)
        except (IndexError, struct.error):
            return
        self._number += 1
        heapq.heappush(self._waiting, (time.monotonic() + self.delay, self._number, answer, peer))

    def _run(self):
        while not self._stopping:
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                _, _, answer, peer = heapq.heappop(self._waiting)
                try:
                    self._sock.sendto(answer, peer)
                except OSError:
                    pass
            self._receive(self._waiting[0][0] if self._waiting else now + 0.1)
