"""The groups of the key exchange (RFC 8446, section 4.2.7), which pyOpenSSL has no names for yet.

``SSL_CTX_set1_groups_list`` is in its bindings under the older name.  In a version that lacks it,
OpenSSL decides, as its configuration file says (``Groups``, SSL_CONF_cmd(3ssl)).
"""

from __future__ import annotations

from OpenSSL import SSL

CAN_SET_GROUPS = hasattr(getattr(SSL, "_lib", None), "SSL_CTX_set1_curves_list") and hasattr(
    SSL.Context(SSL.TLS_METHOD), "_context"
)
"""Whether the groups of a context can be set."""


def set_groups(context: SSL.Context, groups: str) -> bool:
    """Set the groups of a context, and return whether OpenSSL knows them and they could be set.

    ``groups``: a list as in SSL_CTX_set1_groups_list(3ssl).
    """
    if not CAN_SET_GROUPS:
        return False
    lib = SSL._lib  # type: ignore[attr-defined]
    done: int = lib.SSL_CTX_set1_curves_list(context._context, groups.encode())
    if done != 1:
        lib.ERR_clear_error()
    return done == 1


def group_of(connection: SSL.Connection) -> str | None:
    """Return the name of the group that was agreed on; ``None`` if there was none, or is no way."""
    try:
        return connection.get_group_name()
    except (AttributeError, NotImplementedError):
        return None
