"""A plain PostgreSQL behind the proxy, and libpq before it."""

from __future__ import annotations

import re
from typing import Any

from interop.attempts import tried
from interop.peers import module, program
from interop.postgres import PostgresCase, conninfo, plain

QUERY = """
SELECT number, md5(number::text), repeat('x', number % 100), NULL, now() > '2020-01-01'
FROM generate_series(1, 20000) AS number ORDER BY number;
SELECT version();
SELECT 1 / 0;
"""

COPIED = b"".join(b"%d\tline %d\n" % (number, number) for number in range(50_000))


class Proxied(PostgresCase):
    def setUp(self) -> None:
        super().setUp()
        self.behind = self.postgres()

    def before(self, *options: str) -> int:
        return self.proxy("postgres", self.behind, "--client-auth=none", *options)

    def psql(self, connection: str, script: str = QUERY) -> tuple[bytes, bytes]:
        psql = program("psql", "postgresql-client")
        done = self.run_unchecked(psql, "-X", "-A", "-d", connection, stdin=script.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    @tried("queries and an error, the same as without the proxy", "psql", "PostgreSQL")
    def test_psql_gets_the_same_results_as_directly(self) -> None:
        for mode in ("starttls", "pair"):
            port = self.before(f"--mode={mode}")
            out, errors = self.psql(conninfo(port))
            self.assertIn(b"PostgreSQL", out)
            self.assertIn(b"division by zero", errors)
            self.assertEqual((out, errors), self.psql(plain(self.behind)))
            self.assert_all_closed_cleanly(1)

    @tried("`sslmode=verify-full`, and a wrong name", "psql", "PostgreSQL")
    def test_psql_reports_tls_and_verifies_the_name(self) -> None:
        port = self.before()
        out, _ = self.psql(conninfo(port), "\\conninfo\n")
        self.assertIn(b"SSL connection (protocol: TLSv1.3", out)
        wrong = conninfo(port).replace("host=localhost", "host=elsewhere.test")
        done = self.run_unchecked(program("psql", "postgresql-client"), "-X", "-d", wrong)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b'does not match host name "elsewhere.test"', done.stderr)

    @tried("a client without TLS is refused, and told why", "psql", "PostgreSQL")
    def test_psql_without_tls_is_refused_with_a_reason(self) -> None:
        done = self.run_unchecked(
            program("psql", "postgresql-client"), "-X", "-d", plain(self.before())
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"TLS is required", done.stderr)

    @tried(
        "`sslnegotiation=postgres` and `direct`: queries, COPY, pipelines", "psycopg", "PostgreSQL"
    )
    def test_psycopg_in_both_negotiations(self) -> None:
        psycopg = module("psycopg", "'psycopg[binary]'")
        if psycopg.pq.version() < 170_000:
            self.skipTest("libpq is older than 17: pip install 'psycopg[binary]'")
        port = self.before()
        for negotiation in ("postgres", "direct"):
            with psycopg.connect(conninfo(port, f"sslnegotiation={negotiation}")) as connection:
                self.assertTrue(connection.pgconn.ssl_in_use)
                self.check_features(connection)
        self.assert_all_closed_cleanly(2)

    def check_features(self, connection: Any) -> None:
        """Fail unless queries, COPY and pipelines work as on a direct connection."""
        cursor = connection.cursor()
        cursor.execute("SELECT n, n * %s FROM generate_series(1, 5000) AS n", (3,))
        self.assertEqual(cursor.fetchall(), [(n, 3 * n) for n in range(1, 5001)])
        cursor.execute("CREATE TEMP TABLE lines (number int, line text)")
        with cursor.copy("COPY lines FROM STDIN") as copy:
            copy.write(COPIED)
        with cursor.copy("COPY lines TO STDOUT") as copy:
            self.assertEqual(b"".join(bytes(each) for each in copy), COPIED)
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(200)]
        self.assertEqual([each.fetchone() for each in cursors], [(n,) for n in range(200)])

    @tried("a query is cancelled through TLS", "psycopg", "PostgreSQL")
    def test_a_query_is_cancelled_through_tls(self) -> None:
        psycopg = module("psycopg", "'psycopg[binary]'")
        if psycopg.pq.version() < 170_000:
            self.skipTest("libpq is older than 17: pip install 'psycopg[binary]'")
        port = self.before()
        with psycopg.connect(conninfo(port), autocommit=True) as connection:
            connection.pgconn.send_query(b"SELECT pg_sleep(50)")
            connection.cancel_safe(timeout=20)
            result = connection.pgconn.get_result()
            self.assertIn(b"canceling statement due to user request", result.error_message)
            self.assertIsNone(connection.pgconn.get_result())
            self.assertEqual(connection.execute("SELECT 1").fetchone(), (1,))

    @tried("8 clients for 2 s, with and without reconnecting", "pgbench", "PostgreSQL")
    def test_pgbench_runs_without_an_error(self) -> None:
        pgbench = program("pgbench", "postgresql (postgresql-contrib)")
        port = self.before()
        self.run_command(pgbench, "-i", "-q", "-s", "2", conninfo(port))
        for reconnecting in ((), ("-C",)):
            out = self.run_command(
                *(pgbench, "-n", "-c", "8", "-j", "2", "-T", "2", *reconnecting, conninfo(port))
            ).decode()
            failed = re.search(r"number of failed transactions: (\d+)", out)
            done = re.search(r"number of transactions actually processed: (\d+)", out)
            assert failed is not None and done is not None, out
            self.assertEqual(failed[1], "0")
            self.assertGreater(int(done[1]), 20)
        self.assertIn("failed 0", self.summary(self.running))
