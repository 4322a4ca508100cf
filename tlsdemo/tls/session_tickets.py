"""How many session tickets a server sends (RFC 8446, section 4.6.1), as far as it can be set.

Each costs the server some 35 µs, and 0.75 KiB if the client has a certificate.  With one a client
can resume its session; a browser that opens several connections at once wants more.  pyOpenSSL
cannot set the number yet, but OpenSSL reads ``NumTickets`` of the file that the environment
variable OPENSSL_CONF names (SSL_CONF_cmd(3ssl)), for the whole process.
"""

from __future__ import annotations

from OpenSSL import SSL

OPENSSLS_NUMBER = 2
"""The number that OpenSSL sends unless it is told another (SSL_CTX_set_num_tickets(3ssl))."""

_private = getattr(SSL, "_lib", None), SSL.Context(SSL.TLS_METHOD)

CAN_SET_NUMBER = hasattr(_private[0], "SSL_CTX_set_num_tickets") and hasattr(
    _private[1], "_context"
)
"""Whether any number can be set; if not, only none and `OPENSSLS_NUMBER`."""

DEFAULT_NUMBER = 1 if CAN_SET_NUMBER else OPENSSLS_NUMBER


class SessionTickets:
    """Sets the number of tickets of a server's context; a preparation of ``ServerTLS.build``.

    Args:
        number: 0 for no resumption, with any version of TLS.  In TLS 1.2 there is at most one.

    Raises:
        ValueError: If this version of pyOpenSSL cannot set this number; the message says why.
    """

    def __init__(self, number: int = DEFAULT_NUMBER) -> None:
        if number not in (0, OPENSSLS_NUMBER) and not CAN_SET_NUMBER:
            raise ValueError(
                "this version of pyOpenSSL can only send none (0), or as many as OpenSSL does "
                f"({OPENSSLS_NUMBER}, or NumTickets of the file that OPENSSL_CONF names)"
            )
        self._number = number

    def __call__(self, context: SSL.Context) -> None:
        """Set the number for connections of ``context``."""
        if self._number == 0:
            # With TLS 1.3, OpenSSL then sends tickets of 79 bytes that nothing can be resumed with.
            context.set_options(SSL.OP_NO_TICKET)
        if CAN_SET_NUMBER:
            lib = SSL._lib  # type: ignore[attr-defined]
            lib.SSL_CTX_set_num_tickets(context._context, self._number)
