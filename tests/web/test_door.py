from __future__ import annotations

import base64

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from tlsdemo.web.door import Door, Refused

TOKEN = "correct horse battery staple"


class FakeRequest:
    def __init__(self, path: bytes, headers: dict[str, str]) -> None:
        self.path = path
        self._headers = Headers(
            {name.encode(): [value.encode("latin-1")] for name, value in headers.items()}
        )
        self.answered: dict[str, str] = {}

    def getHeader(self, name: bytes) -> bytes | None:  # noqa: N802
        values = self._headers.getRawHeaders(name)
        return values[0] if values else None

    def setHeader(self, name: str, value: str) -> None:  # noqa: N802
        self.answered[name] = value


class DoorCase(SynchronousTestCase):
    token: str | None = None

    def status(self, path: bytes = b"/", **headers: str) -> int:
        """The status of the refusal, or 0 if there is none."""
        try:
            Door(self.token).check(FakeRequest(path, headers))
        except Refused as refused:
            return refused.status
        return 0


class WithoutToken(DoorCase):
    def test_this_machine_is_let_in(self) -> None:
        for host in ("localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"):
            self.assertEqual(self.status(host=host), 0, host)

    def test_a_name_that_was_made_to_resolve_to_this_machine_is_not(self) -> None:
        for host in (
            *("attacker.example", "attacker.example:8080", "192.0.2.1", "localhost.example"),
            *("", "[", "[::1", "127.0.0.1.example", "user@attacker.example", "\xff"),
        ):
            self.assertEqual(self.status(host=host), 403, host)
        self.assertEqual(self.status(), 403)

    def test_a_page_of_another_origin_is_not(self) -> None:
        for origin in (
            "https://attacker.example", "http://localhost:9", "null", "http://localhost", "//[",
        ):  # fmt: skip
            self.assertEqual(self.status(host="localhost:8080", origin=origin), 403, origin)

    def test_a_page_of_its_own_is(self) -> None:
        origin = "http://localhost:8080"
        self.assertEqual(self.status(host="localhost:8080", origin=origin), 0)


class WithToken(DoorCase):
    token = TOKEN

    def basic(self, password: str) -> str:
        return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()

    def test_it_is_asked_for(self) -> None:
        request = FakeRequest(b"/metrics", {"host": "server.example"})
        refused = self.assertRaises(Refused, Door(TOKEN).check, request)
        self.assertEqual(refused.status, 401)
        self.assertIn("Basic", request.answered["WWW-Authenticate"])

    def test_it_is_accepted_as_a_password_and_as_a_bearer_token(self) -> None:
        for authorization in (self.basic(TOKEN), f"Bearer {TOKEN}", f"bearer {TOKEN}"):
            self.assertEqual(self.status(authorization=authorization, host="any.example"), 0)

    def test_anything_else_is_not(self) -> None:
        for authorization in (
            *(self.basic("wrong"), self.basic(""), "Basic", "Basic !!!", "Basic \xff", "Bearer"),
            *(f"Bearer {TOKEN}x", "Bearer \xff", f"Digest {TOKEN}", TOKEN, ""),
        ):
            self.assertEqual(self.status(authorization=authorization), 401, authorization)

    def test_health_needs_none(self) -> None:
        for path in (b"/healthz", b"/readyz"):
            self.assertEqual(self.status(path), 0)
        for path in (b"/", b"/metrics", b"/healthz/", b"//healthz"):
            self.assertEqual(self.status(path), 401)

    def test_other_origins_are_refused_all_the_same(self) -> None:
        authorization = self.basic(TOKEN)
        origin = "https://attacker.example"
        found = self.status(authorization=authorization, host="server.example", origin=origin)
        self.assertEqual(found, 403)
