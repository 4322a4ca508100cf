"""An IMAP server with a SASL security layer, by Cyrus SASL: ``python -m interop.sasl_imap_server``.

Dovecot has no such layers, and Cyrus IMAP cannot be installed beside it.  So the few commands of
IMAP are ours; the mechanism, DIGEST-MD5, and its layer, which is required, are those of libsasl2
(see sasl_server_new(3)).  The password's database is in the working directory.
"""

from __future__ import annotations

import base64
import ctypes
import os
import socketserver
from pathlib import Path
from typing import Any

PASSWORD = b"secret"

_OK, _CONTINUE = 0, 1
_SSF, _SEC_PROPS = 1, 101
_CREATE = 1

_CONF = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {home}/sasldb
mech_list: DIGEST-MD5
"""


class _SecurityProperties(ctypes.Structure):
    """sasl_security_properties_t: the strength and the size of the layer."""

    _fields_ = [
        ("min_ssf", ctypes.c_uint),
        ("max_ssf", ctypes.c_uint),
        ("maxbufsize", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("names", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
    ]


class Session:
    """A session of libsasl2."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._conn = ctypes.c_void_p()
        host = b"localhost"
        new = (b"imap", host, host, None, None, None, 0, ctypes.byref(self._conn))
        self._expect(library.sasl_server_new(*new))
        wanted = _SecurityProperties(1, 128, 4096, 0, None, None)
        self._expect(library.sasl_setprop(self._conn, _SEC_PROPS, ctypes.byref(wanted)))

    def set_password(self, user: bytes) -> None:
        """Write the user's password to the database."""
        size = len(PASSWORD)
        self._expect(self._library.sasl_setpass(self._conn, user, PASSWORD, size, None, 0, _CREATE))

    def start(self) -> tuple[int, bytes]:
        """Return a status, and the first challenge."""
        return self._call(self._library.sasl_server_start, b"DIGEST-MD5", None, 0)

    def step(self, response: bytes) -> tuple[int, bytes]:
        """Return a status, and the next challenge."""
        return self._call(self._library.sasl_server_step, response, len(response))

    def encode(self, data: bytes) -> bytes:
        """Return ``data`` in the layer."""
        return self._bytes(self._library.sasl_encode, data)

    def decode(self, data: bytes) -> bytes:
        """Return what has arrived in the layer in full."""
        return self._bytes(self._library.sasl_decode, data)

    def ssf(self) -> int:
        """Return the strength of the layer; 1: integrity alone."""
        found = ctypes.POINTER(ctypes.c_uint)()
        self._expect(self._library.sasl_getprop(self._conn, _SSF, ctypes.byref(found)))
        return int(found[0])

    def _bytes(self, function: Any, data: bytes) -> bytes:
        status, out = self._call(function, data, len(data))
        self._expect(status)
        return out

    def _call(self, function: Any, *arguments: Any) -> tuple[int, bytes]:
        out, size = ctypes.c_void_p(), ctypes.c_uint()
        status = function(self._conn, *arguments, ctypes.byref(out), ctypes.byref(size))
        return status, ctypes.string_at(out, size.value) if out else b""

    def _expect(self, status: int) -> None:
        if status != _OK:
            raise RuntimeError(f"libsasl2 says {status}")


class Handler(socketserver.StreamRequestHandler):
    """A connection; its commands may only come in this order."""

    server: Server

    def handle(self) -> None:
        """Authenticate, then answer each line in the layer, until LOGOUT."""
        session = Session(self.server.library)
        session.set_password(b"demo")
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=DIGEST-MD5] here\r\n")
        while not (line := self.rfile.readline()).upper().endswith(b"AUTHENTICATE DIGEST-MD5\r\n"):
            if not line:
                return
            self.wfile.write(b"* CAPABILITY IMAP4rev1 AUTH=DIGEST-MD5\r\n")
            self.wfile.write(line.split()[0] + b" OK done\r\n")
        tag = line.split()[0]
        status, challenge = session.start()
        while status == _CONTINUE:
            self.wfile.write(b"+ " + base64.b64encode(challenge) + b"\r\n")
            status, challenge = session.step(base64.b64decode(self.rfile.readline()))
        if status != _OK:
            self.wfile.write(tag + b" NO denied\r\n")
            return
        self.wfile.write(tag + b" OK authenticated\r\n")
        print("layer", session.ssf(), flush=True)
        received = b""
        while data := self.connection.recv(4096):
            try:
                received += session.decode(data)
            except RuntimeError:
                # gsasl says LOGOUT outside of its own layer.
                print("not in the layer", ascii(data), flush=True)
                return
            while b"\n" in received:
                line, _, received = received.partition(b"\n")
                print("in the layer", ascii(line), flush=True)
                self.connection.sendall(session.encode(line.split()[0] + b" OK done\r\n"))
                if b"LOGOUT" in line.upper():
                    return


class Server(socketserver.ThreadingTCPServer):
    """The server."""

    daemon_threads = True

    def __init__(self) -> None:
        Path("tlsdemo.conf").write_text(_CONF.format(home=Path.cwd()))
        os.environ["SASL_CONF_PATH"] = str(Path.cwd())
        self.library: Any = ctypes.CDLL("libsasl2.so.2")
        if status := self.library.sasl_server_init(None, b"tlsdemo"):
            raise RuntimeError(f"libsasl2 says {status}")
        super().__init__(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    with Server() as running:
        print("listening on", running.server_address[1], flush=True)
        running.serve_forever()
