# SPDX-License-Identifier: BSD-2-Clause
"""A directory server that answers every search late, many at a time on one connection (RFC 4511, as far as needed)."""

import socketserver
import threading

_BIND, _UNBIND, _SEARCH = 0x60, 0x42, 0x63
_SUCCESS = b"\x0a\x01\x00\x04\x00\x04\x00"


def _tlv(tag, data):
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    length = len(data).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(length)]) + length + data


class _Handler(socketserver.BaseRequestHandler):
    def _exactly(self, length):
        data = b""
        while len(data) < length:
            more = self.request.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _length(self):
        first = self._exactly(1)[0]
        return first if first < 128 else int.from_bytes(self._exactly(first & 0x7f), "big")

    def _message(self):
        """Message id and tag of the operation."""
        self._exactly(1)
        body = self._exactly(self._length())
        id_length = body[1]
        return body[:2 + id_length], body[2 + id_length]

    def _send(self, *messages):
        with self.lock:
            try:
                self.request.sendall(b"".join(_tlv(0x30, message) for message in messages))
            except OSError:
                pass

    def _found(self, message_id):
        entry = _tlv(0x64, _tlv(4, b"cn=somebody") + _tlv(0x30, b""))
        self._send(message_id + entry, message_id + _tlv(0x65, _SUCCESS))

    def handle(self):
        self.lock = threading.Lock()
        try:
            while True:
                message_id, operation = self._message()
                if operation == _BIND:
                    self._send(message_id + _tlv(0x61, _SUCCESS))
                elif operation == _SEARCH:
                    timer = threading.Timer(self.server.delay, self._found, [message_id])
                    timer.daemon = True
                    timer.start()
                elif operation == _UNBIND:
                    return
        except (EOFError, OSError):
            return


class SlowLdap(socketserver.ThreadingTCPServer):
    """Every search finds somebody, `delay` seconds later."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, delay, port=3390):
        super().__init__(("127.0.0.1", port), _Handler)
        self.delay = delay
        self.uri = "ldap://127.0.0.1:%d" % port
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
