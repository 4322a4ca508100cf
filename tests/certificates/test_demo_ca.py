"""There is always one valid set of certificates, whatever happens to the files."""

from __future__ import annotations

import errno
import fcntl
import os
import ssl
import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.certificates import demo_ca
from tlsdemo.certificates.demo_ca import (
    KEY_TYPES,
    DemoCertificates,
    default_directory,
    demo_certificates,
)
from tlsdemo.certificates.files import BadCredentials, Credentials, load_certificates
from tlsdemo.net.child_process import environment

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)
NEXT_YEAR = NOW + 366 * DAY
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
FILES = {"ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key"}
LEAVES = FILES - {"ca.pem", "ca.key"}

# A process that asks for the certificates at each time that it reads.
PROCESS = """
import ssl, sys
from datetime import datetime
from pathlib import Path
from tlsdemo.certificates.demo_ca import demo_certificates

print("ready", flush=True)
for line in sys.stdin:
    demo = demo_certificates(Path(sys.argv[1]), "ecdsa", datetime.fromisoformat(line.strip()))
    for one in (demo.server, demo.client):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(one.certificate, one.key)
    print(demo.made, one.certificate.read_bytes().hex(), flush=True)
"""


def leaf_of(credentials: Credentials) -> x509.Certificate:
    """Return the certificate that a peer presents."""
    assert credentials.certificate is not None
    return load_certificates(credentials.certificate)[0]


def handshake(demo: DemoCertificates, name: str) -> str:
    """Have the standard library verify both peers; return the subject of the client."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server_context.verify_mode = ssl.CERT_REQUIRED
    for context, own in ((server_context, demo.server), (client_context, demo.client)):
        assert own.certificate is not None
        context.load_cert_chain(own.certificate, own.key)
        context.load_verify_locations(own.authority)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(up, down, server_side=True)
    client = client_context.wrap_bio(down, up, server_hostname=name)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    peer = server.getpeercert()
    assert peer is not None
    return str(peer["subject"][-1][0][1])


class DemoTestCase(SynchronousTestCase):
    """A directory for certificates, and checks of what every call leaves in it."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.home = self.directory / "ecdsa"

    def demo(self, now: datetime = NOW) -> DemoCertificates:
        """Get the certificates; fail unless they are valid and the only files."""
        demo = demo_certificates(self.directory, "ecdsa", now)
        for one in (demo.server, demo.client):
            one.check(now)
            leaf_of(one).verify_directly_issued_by(load_certificates(demo.authority)[0])
        self.assertEqual(["ecdsa"], os.listdir(self.directory))
        self.assertEqual(FILES, set(os.listdir(self.home)))
        return demo

    def contents(self) -> dict[str, bytes]:
        """Return what is in every file now."""
        return {name: (self.home / name).read_bytes() for name in FILES}

    def changed(self, before: dict[str, bytes]) -> set[str]:
        """Return the names of the files that are not what they were."""
        after = self.contents()
        return {name for name in FILES if before[name] != after[name]}


class MakingTests(DemoTestCase):
    """What the first call generates and the next one uses."""

    def test_the_first_call_generates_them(self) -> None:
        demo = self.demo()
        self.assertTrue(demo.made)
        ca = self.home / "ca.pem"
        self.assertEqual(ca, demo.authority)
        self.assertEqual(
            Credentials(self.home / "server.pem", self.home / "server.key", ca), demo.server
        )
        self.assertEqual(
            Credentials(self.home / "client.pem", self.home / "client.key", ca), demo.client
        )

    def test_the_next_call_uses_them_again(self) -> None:
        self.demo()
        before = self.contents()
        self.assertFalse(self.demo(NOW + 365 * DAY).made)
        self.assertEqual(set(), self.changed(before))

    def test_they_can_be_used_in_a_read_only_directory(self) -> None:
        self.demo()
        # Nothing is written without the lock.  The mode of the directory would not stop root.
        self.patch(fcntl, "flock", lambda handle, operation: self.fail("the directory was locked"))
        self.assertFalse(self.demo().made)

    def test_leaves_are_valid_for_a_year_and_the_ca_for_ten(self) -> None:
        demo = self.demo()
        ca = load_certificates(demo.authority)[0]
        self.assertEqual(NOW + 3652 * DAY, ca.not_valid_after_utc)
        for one in (demo.server, demo.client):
            self.assertEqual(NOW + 365 * DAY, leaf_of(one).not_valid_after_utc)

    def test_a_peer_whose_clock_is_a_little_slow_accepts_them(self) -> None:
        demo = self.demo()
        slow = NOW - timedelta(minutes=5)
        demo.server.check(slow)
        demo.client.check(slow)

    def test_no_leaf_is_valid_for_longer_than_its_ca(self) -> None:
        end = load_certificates(self.demo().authority)[0].not_valid_after_utc
        demo = self.demo(end - 100 * DAY)
        self.assertEqual(end, leaf_of(demo.server).not_valid_after_utc)

    def test_ecdsa_keys_are_on_p256_and_verified_by_another_tls(self) -> None:
        demo = demo_certificates(self.directory, "ecdsa", datetime.now(timezone.utc))
        for path in (demo.authority, demo.server.certificate, demo.client.certificate):
            assert path is not None
            key = load_certificates(path)[0].public_key()
            assert isinstance(key, EllipticCurvePublicKey)
            self.assertIsInstance(key.curve, SECP256R1)
        for name in ("localhost", "127.0.0.1", "::1"):
            self.assertEqual("tlsdemo client", handshake(demo, name))
        with self.assertRaises(ssl.SSLCertVerificationError):
            handshake(demo, "example.com")

    def test_rsa_keys_have_2048_bits_and_are_verified_by_another_tls(self) -> None:
        demo = demo_certificates(self.directory, "rsa", datetime.now(timezone.utc))
        self.assertEqual(self.directory / "rsa" / "ca.pem", demo.authority)
        for path in (demo.authority, demo.server.certificate, demo.client.certificate):
            assert path is not None
            key = load_certificates(path)[0].public_key()
            assert isinstance(key, RSAPublicKey)
            self.assertEqual(2048, key.key_size)
        self.assertEqual("tlsdemo client", handshake(demo, "localhost"))

    def test_each_leaf_is_for_one_purpose_and_passes_strict_verifiers(self) -> None:
        for key_type in KEY_TYPES:
            demo = demo_certificates(self.directory, key_type, NOW)
            for credentials, purpose, others in (
                (demo.server, "sslserver", "sslclient"),
                (demo.client, "sslclient", "sslserver"),
            ):
                self.assertEqual(self.verified(credentials, purpose), "OK")
                self.assertIn("purpose", self.verified(credentials, others))
            store = Store([load_certificates(demo.authority)[0]])
            builder = PolicyBuilder().store(store).time(NOW.replace(tzinfo=None))
            builder.build_server_verifier(x509.DNSName("localhost")).verify(
                leaf_of(demo.server), []
            )
            if not hasattr(builder, "build_client_verifier"):
                continue  # It is there from cryptography 43 on.
            verified = builder.build_client_verifier().verify(leaf_of(demo.client), [])
            self.assertEqual(verified.subjects, [x509.RFC822Name("client@tlsdemo.test")])

    def verified(self, credentials: Credentials, purpose: str) -> str:
        """What ``openssl verify`` makes of a certificate."""
        done = subprocess.run(
            [
                *("openssl", "verify", "-x509_strict", "-purpose", purpose, "-attime"),
                *(str(int(NOW.timestamp())), "-CAfile", str(credentials.authority)),
                str(credentials.certificate),
            ],
            capture_output=True, text=True,
        )  # fmt: skip
        return "OK" if done.returncode == 0 else done.stdout + done.stderr

    def test_leaves_for_every_purpose_are_replaced_by_the_same_ca(self) -> None:
        first = demo_certificates(self.directory, "ecdsa", NOW)
        authority = first.authority.read_bytes()
        self.patch(demo_ca, "_PURPOSES", {"server": CLIENT_AUTH, "client": CLIENT_AUTH})
        self.assertTrue(demo_certificates(self.directory, "ecdsa", NOW).made)
        self.assertEqual(first.authority.read_bytes(), authority)

    def test_directories_cannot_be_written_by_others_whatever_the_umask(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        deep = self.directory / "a" / "b"
        demo = demo_certificates(deep, "ecdsa", NOW)
        for folder in (deep.parent, deep, demo.authority.parent):
            self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o755, folder)

    def test_an_unknown_key_type_is_rejected(self) -> None:
        with self.assertRaisesRegex(ValueError, "'dsa' is none of ecdsa, rsa"):
            demo_certificates(self.directory, "dsa", NOW)
        self.assertFalse(self.directory.exists())

    def test_keys_are_created_private(self) -> None:
        real_open = os.open
        created: dict[str, int] = {}

        def spy(path: str, flags: int, mode: int = 0o777, **kind: int) -> int:
            handle = real_open(path, flags, mode, **kind)
            if flags & os.O_CREAT:
                created[os.path.basename(path)] = stat.S_IMODE(os.fstat(handle).st_mode)
            return handle

        self.addCleanup(os.umask, os.umask(0))
        self.patch(os, "open", spy)
        self.demo()
        for name in FILES:
            mode = 0o600 if name.endswith(".key") else 0o644
            self.assertEqual(mode, created[name], name)
            self.assertEqual(mode, stat.S_IMODE((self.home / name).stat().st_mode), name)

    def test_certificates_are_public_whatever_the_umask(self) -> None:
        self.addCleanup(os.umask, os.umask(0o077))
        self.demo()
        self.assertEqual(0o644, stat.S_IMODE((self.home / "ca.pem").stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((self.home / "ca.key").stat().st_mode))

    def test_they_are_generated_in_a_private_directory(self) -> None:
        modes = []
        real_rename = os.rename

        def spy(source: Path, target: Path) -> None:
            modes.append(stat.S_IMODE(source.parent.stat().st_mode))
            real_rename(source, target)

        self.patch(os, "rename", spy)
        self.demo()
        self.assertEqual(0o700, modes[-1])

    def test_the_error_for_a_directory_that_cannot_be_written_names_a_remedy(self) -> None:
        self.directory.write_bytes(b"not a directory")
        within = self.directory / "certs"
        error = self.assertRaises(BadCredentials, demo_certificates, within, "ecdsa", NOW)
        self.assertEqual(
            f"directory {str(within)!r} cannot keep the demonstration certificates:"
            " Not a directory; give another directory,"
            " or certificates with --cert, --key and --ca",
            str(error),
        )

    def test_a_failure_half_way_leaves_nothing_behind(self) -> None:
        def full(source: Path, target: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        self.patch(os, "rename", full)
        error = self.assertRaises(BadCredentials, demo_certificates, self.directory, "ecdsa", NOW)
        self.assertIn("No space left on device", str(error))
        self.assertEqual([], os.listdir(self.directory))


class RenewalTests(DemoTestCase):
    """What is renewed when something is wrong, and what is kept."""

    def setUp(self) -> None:
        super().setUp()
        self.demo()
        self.before = self.contents()

    def assert_renewed(self, names: set[str], now: datetime = NOW) -> None:
        """Fail unless the next call renews exactly these files, and the one after it none."""
        self.assertTrue(self.demo(now).made)
        self.assertEqual(names, self.changed(self.before))
        self.assertFalse(self.demo(now).made)

    def test_expired_leaves_are_renewed_by_the_same_ca(self) -> None:
        self.assert_renewed(LEAVES, NEXT_YEAR)

    def test_everything_is_renewed_when_the_ca_has_expired(self) -> None:
        self.assert_renewed(FILES, NOW.replace(year=2037))

    def test_everything_is_renewed_if_the_clock_was_far_ahead(self) -> None:
        self.assert_renewed(FILES, NOW - DAY)

    def test_a_missing_file_is_replaced(self) -> None:
        for name in sorted(FILES):
            self.before = self.contents()
            (self.home / name).unlink()
            self.assert_renewed(LEAVES if name in LEAVES else FILES)

    def test_a_damaged_file_is_replaced(self) -> None:
        for name in sorted(FILES):
            self.before = self.contents()
            (self.home / name).write_bytes(self.before[name][:100])
            self.before[name] = b""
            self.assert_renewed(LEAVES if name in LEAVES else FILES)

    def test_a_leaf_of_another_ca_is_renewed(self) -> None:
        other = demo_certificates(Path(self.mktemp()), "ecdsa", NOW)
        for path in (other.server.certificate, other.server.key):
            assert path is not None
            path.rename(self.home / path.name)
        self.assert_renewed(LEAVES)

    def test_anything_else_of_that_name_is_replaced(self) -> None:
        for obstacle in (Path.touch, lambda path: path.symlink_to("nowhere"), Path.mkdir):
            self.home.rename(self.mktemp())
            obstacle(self.home)
            self.assertTrue(self.demo().made)
            self.assertFalse(self.home.is_symlink())


class RaceTests(DemoTestCase):
    """Several processes that need new certificates at the same time."""

    def lose(self, now: datetime) -> tuple[DemoCertificates, DemoCertificates]:
        """Have another process generate the certificates between our check and our lock."""
        winners = []
        real_lock = fcntl.flock

        def late(handle: int, operation: int) -> None:
            self.patch(fcntl, "flock", real_lock)
            winners.append(demo_certificates(self.directory, "ecdsa", now))
            self.winning = self.contents()
            real_lock(handle, operation)

        self.patch(fcntl, "flock", late)
        loser = self.demo(now)
        return winners[0], loser

    def test_the_loser_uses_the_set_of_the_winner(self) -> None:
        winner, loser = self.lose(NOW)
        self.assertEqual((True, False), (winner.made, loser.made))
        self.assertEqual(set(), self.changed(self.winning))

    def test_the_loser_of_a_renewal_uses_the_set_of_the_winner(self) -> None:
        self.demo()
        winner, loser = self.lose(NEXT_YEAR)
        self.assertEqual((True, False), (winner.made, loser.made))
        self.assertEqual(set(), self.changed(self.winning))

    def test_the_directory_is_locked_while_there_is_no_set(self) -> None:
        self.demo()
        real_rename = os.rename
        absences = []

        def spy(source: Path, target: Path) -> None:
            real_rename(source, target)
            if not self.home.exists():
                handle = os.open(self.directory, os.O_RDONLY)
                self.addCleanup(os.close, handle)
                with self.assertRaises(BlockingIOError):
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                absences.append(source)

        self.patch(os, "rename", spy)
        self.demo(NEXT_YEAR)
        self.assertEqual([self.home], absences)

    def test_of_several_real_processes_one_generates_the_set_and_all_use_it(self) -> None:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS, self.directory],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
            for _ in range(4)
        ]
        for process in processes:
            self.addCleanup(process.__exit__, None, None, None)
        pipes = [(one.stdin, one.stdout) for one in processes if one.stdin and one.stdout]
        self.assertEqual(["ready\n"] * 4, [answers.readline() for _, answers in pipes])
        for now in (NOW, NEXT_YEAR, NOW.replace(year=2037)):
            for times, _ in pipes:
                times.write(f"{now.isoformat()}\n")
            answers = [answers.readline().split() for _, answers in pipes]
            self.assertEqual(["False"] * 3 + ["True"], sorted(made for made, _ in answers))
            self.assertEqual(1, len({certificate for _, certificate in answers}))


class DefaultDirectoryTests(SynchronousTestCase):
    """The directory of the certificates if the user names none."""

    def setUp(self) -> None:
        self.checkout = Path(self.mktemp())
        self.package = self.checkout / "tlsdemo"
        self.package.mkdir(parents=True)

    def test_a_checkout_keeps_them_in_certs(self) -> None:
        (self.checkout / "certs").mkdir()
        (self.checkout / "setup.cfg").touch()
        self.assertEqual(
            self.checkout / "certs", default_directory(self.package, {"XDG_DATA_HOME": "/data"})
        )

    def test_a_checkout_has_both_certs_and_setup_cfg(self) -> None:
        environ = {"XDG_DATA_HOME": "/data"}
        (self.checkout / "certs").mkdir()
        self.assertEqual(Path("/data/tlsdemo"), default_directory(self.package, environ))
        (self.checkout / "certs").rmdir()
        (self.checkout / "setup.cfg").touch()
        self.assertEqual(Path("/data/tlsdemo"), default_directory(self.package, environ))

    def test_without_a_usable_data_home_they_are_below_the_home_directory(self) -> None:
        self.patch(Path, "home", lambda: Path("/home/someone"))
        expected = Path("/home/someone/.local/share/tlsdemo")
        for environ in ({}, {"XDG_DATA_HOME": ""}, {"XDG_DATA_HOME": "relative"}):
            self.assertEqual(expected, default_directory(self.package, environ))

    def test_without_a_home_directory_it_is_an_error(self) -> None:
        def homeless() -> Path:
            raise RuntimeError("Could not determine home directory.")

        self.patch(Path, "home", homeless)
        error = self.assertRaises(BadCredentials, default_directory, self.package, {})
        self.assertIn("set XDG_DATA_HOME, or give certificates", str(error))

    def test_by_default_it_depends_on_this_package_and_the_environment(self) -> None:
        self.assertTrue(default_directory().is_absolute())
