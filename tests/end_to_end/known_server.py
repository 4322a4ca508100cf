"""A TLS server with known limits, for what measures servers."""

from __future__ import annotations

import socket
import ssl
import threading
import time

from tests.support import certificates

STOP_WITHIN = 60.0


class KnownServer:
    """Accepts TLS connections in a thread, and echoes what each client sends first.

    ``most``: handshakes per second, 0 for no limit.  ``answer_after``: seconds.  ``drop``: every so
    manieth connection is closed before the handshake.
    """

    def __init__(self, most: float = 0.0, answer_after: float = 0.0, drop: int = 0) -> None:
        self._most, self._answer_after, self._drop = most, answer_after, drop
        self.accepted = 0
        self._stopped = threading.Event()
        server = certificates().server
        assert server.certificate is not None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(server.certificate, server.key)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._socket.settimeout(0.1)
        self.connect = f"--connect=tcp:127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(STOP_WITHIN)
        self._socket.close()

    def _accept(self) -> None:
        free_at = time.monotonic()
        while not self._stopped.is_set():
            try:
                accepted, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.accepted += 1
            accepted.settimeout(5.0)
            if self._drop and self.accepted % self._drop == 0:
                accepted.close()
            elif self._most:
                free_at = max(free_at + 1 / self._most, time.monotonic())
                self._stopped.wait(free_at - time.monotonic())
                self._serve(accepted)
            else:
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self._context.wrap_socket(accepted, server_side=True) as secure:
                while data := secure.recv(1 << 16):
                    self._stopped.wait(self._answer_after)
                    secure.sendall(data)
        except OSError:
            pass
