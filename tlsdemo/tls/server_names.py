"""Which certificate answers to a name that a client asks for (SNI, RFC 6066, section 3)."""

from __future__ import annotations

from cryptography import x509


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate's subject alternative names, in lower case.

    The common name does not count (RFC 9525, section 2).  Nor do addresses: SNI carries none.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.value.get_values_for_type(x509.DNSName))


def answers_to(names: tuple[str, ...], asked: str) -> bool:
    """Tell whether one of ``names`` stands for the name ``asked``, in whatever case.

    A wildcard is the whole first label, and stands for one label (RFC 9525, section 6.3).

    >>> answers_to(("*.example.org",), "WWW.example.org")
    True
    >>> answers_to(("*.example.org",), "a.b.example.org")
    False
    """
    asked = asked.lower()
    label, dot, rest = asked.partition(".")
    return asked in names or bool(label and dot and rest and f"*.{rest}" in names)
