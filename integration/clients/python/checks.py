"""The checks with the Python driver: checks.py HOST PORT VERSION COMPRESSION.

VERSION 0 and COMPRESSION "" are the driver's defaults. Prints a line for each check: name, state, reason.
"""
import collections
import datetime
import decimal
import sys
import time
import traceback
import uuid

import cassandra
from cassandra import AlreadyExists, ConsistencyLevel, FunctionFailure, InvalidRequest, Unavailable
from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import FallthroughRetryPolicy
from cassandra.protocol import ConfigurationException, SyntaxException
from cassandra.query import BatchStatement, BatchType, SimpleStatement, tuple_factory
from cassandra.util import Date, Duration, OrderedMapSerializedKey, Time, sortedset

HOST, PORT, VERSION, COMPRESSION = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
KS = f"c_python_{VERSION}_{COMPRESSION}"


class Cannot(Exception):
    """The client has no such thing."""


def open_cluster():
    args = {}
    if VERSION:
        args["protocol_version"] = VERSION
    if COMPRESSION == "none":
        args["compression"] = False
    elif COMPRESSION:
        args["compression"] = COMPRESSION
    profile = ExecutionProfile(row_factory=tuple_factory, request_timeout=30, retry_policy=FallthroughRetryPolicy(),
                               consistency_level=ConsistencyLevel.ONE)
    return Cluster([HOST], port=PORT, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=10, **args)


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r} instead of {want!r}")


class Checks:
    def connect(self):
        self.cluster = open_cluster()
        self.session = self.cluster.connect()
        row = self.session.execute("SELECT release_version FROM system.local").one()
        assert row[0], "no release_version"
        if VERSION:
            equal(self.cluster.protocol_version, VERSION, "protocol version")

    def ddl(self):
        for text in (
            f"DROP KEYSPACE IF EXISTS {KS}",
            f"DROP KEYSPACE IF EXISTS {KS}_rf3",
            f"CREATE KEYSPACE {KS} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}",
            f"CREATE KEYSPACE {KS}_rf3 WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}",
            f"CREATE TABLE {KS}_rf3.t (k int PRIMARY KEY, v int)",
            f"CREATE TYPE {KS}.address (street text, number int)",
            f"CREATE TABLE {KS}.t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
            f"CREATE INDEX t_v ON {KS}.t (v)",
            f"ALTER TABLE {KS}.t ADD extra int",
            f"CREATE TABLE {KS}.counters (k int PRIMARY KEY, n counter)",
        ):
            self.session.execute(text)
        self.insert = self.session.prepare(f"INSERT INTO {KS}.t (k, c, v) VALUES (?, ?, ?)")
        self.select = self.session.prepare(f"SELECT v FROM {KS}.t WHERE k = ? AND c = ?")

    def value(self, k, c):
        return self.session.execute(self.select, (k, c)).one()[0]

    def simple(self):
        self.session.execute(f"INSERT INTO {KS}.t (k, c, v) VALUES (1, 1, 'simple')")
        equal(self.session.execute(f"SELECT v FROM {KS}.t WHERE k = 1 AND c = 1").all(), [("simple",)], "rows")
        self.session.execute(f"INSERT INTO {KS}.t (k, c, v) VALUES (%s, %s, %s)", (1, 2, "it's"))
        equal(self.value(1, 2), "it's", "value")

    def prepared(self):
        for i in range(10):
            self.session.execute(self.insert, (2, i, str(i)))
        for i in range(10):
            equal(self.value(2, i), str(i), "value")

    def logged(self):
        batch = BatchStatement()
        batch.add(SimpleStatement(f"INSERT INTO {KS}.t (k, c, v) VALUES (3, 1, 'a')"))
        batch.add(self.insert, (3, 2, "b"))
        batch.add(self.insert, (4, 1, "c"))
        self.session.execute(batch)
        equal([self.value(3, 1), self.value(3, 2), self.value(4, 1)], ["a", "b", "c"], "values")

    def unlogged(self):
        batch = BatchStatement(BatchType.UNLOGGED)
        for i in range(5):
            batch.add(self.insert, (10 + i, 1, "u"))
        self.session.execute(batch)
        equal(self.value(14, 1), "u", "value")

    def counter(self):
        batch = BatchStatement(BatchType.COUNTER)
        batch.add(SimpleStatement(f"UPDATE {KS}.counters SET n = n + 3 WHERE k = 1"))
        batch.add(self.session.prepare(f"UPDATE {KS}.counters SET n = n - ? WHERE k = ?"), (1, 1))
        self.session.execute(batch)
        equal(self.session.execute(f"SELECT n FROM {KS}.counters WHERE k = 1").one()[0], 2, "counter")

    def paged(self):
        execute_concurrent_with_args(self.session, self.insert, [(100, i, "p") for i in range(1000)], concurrency=50)
        statement = SimpleStatement(f"SELECT c FROM {KS}.t WHERE k = 100", fetch_size=100)
        result = self.session.execute(statement)
        equal(len(result.current_rows), 100, "rows of a page")
        assert result.has_more_pages and result.paging_state
        equal([row[0] for row in result], list(range(999, -1, -1)), "rows")

    def traced(self):
        trace = self.session.execute(f"SELECT v FROM {KS}.t WHERE k = 1 AND c = 1", trace=True).get_query_trace(10)
        assert trace.events and trace.duration and trace.request_type, vars(trace)
        assert trace.coordinator and "consistency_level" in trace.parameters, vars(trace)

    def conditional(self):
        text = f"INSERT INTO {KS}.t (k, c, v) VALUES (20, 1, %s) IF NOT EXISTS"
        assert self.session.execute(text, ("first",)).was_applied
        result = self.session.execute(text, ("second",))
        assert not result.was_applied
        equal(result.one()[:4], (False, 20, 1, None), "row")
        update = self.session.prepare(f"UPDATE {KS}.t SET v = ? WHERE k = ? AND c = ? IF v = ?")
        result = self.session.execute(update, ("x", 20, 1, "no"))
        equal(result.one(), (False, "first"), "row")
        assert self.session.execute(update, ("x", 20, 1, "first")).was_applied

    def types(self):
        address = collections.namedtuple("address", "street number")
        self.cluster.register_user_type(KS, "address", address)
        values = [
            ("ascii", "abc"), ("bigint", -2**62), ("blob", b"\xca\xfe"), ("boolean", True),
            ("date", Date("2011-02-03")), ("decimal", decimal.Decimal("-12.345")), ("double", -2.5e300), ("float", 1.25),
            ("inet", "2001:db8::1"), ("inet", "127.0.0.1"), ("int", -5), ("smallint", -300), ("text", "ä€𝄞"),
            ("time", Time("04:05:06.000000007")), ("timestamp", datetime.datetime(2011, 2, 3, 4, 5, 6, 789000)),
            ("timeuuid", uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f")), ("tinyint", -7),
            ("uuid", uuid.UUID("12345678-1234-5678-1234-567812345678")), ("varint", -123456789012345678901234567890),
            ("list<int>", [3, 1, 2]), ("set<text>", sortedset(["a", "b"])), ("map<text, int>", {"x": 1, "y": 2}),
            ("frozen<list<frozen<set<int>>>>", [sortedset([1, 2]), sortedset([3])]),
            ("frozen<map<int, frozen<list<text>>>>", {1: ["a", "b"]}), ("tuple<int, text>", (7, "seven")),
            ("frozen<address>", address("Main", 5)), ("address", address("Side", 6)), ("duration", Duration(1, 2, 3)),
            ("vector<float, 3>", [1.0, 2.5, -3.0]), ("vector<text, 2>", ["a", "bc"]), ("text", None), ("text", ""),
        ]
        columns = ", ".join(f"c{i} {t}" for i, (t, _) in enumerate(values))
        self.session.execute(f"CREATE TABLE {KS}.types (k int PRIMARY KEY, {columns})")
        names = ", ".join(f"c{i}" for i in range(len(values)))
        marks = ", ".join("?" for _ in values)
        insert = self.session.prepare(f"INSERT INTO {KS}.types (k, {names}) VALUES (1, {marks})")
        self.session.execute(insert, [v for _, v in values])
        row = self.session.execute(f"SELECT {names} FROM {KS}.types WHERE k = 1").one()
        wrong = []
        for (name, want), got in zip(values, row):
            if isinstance(got, OrderedMapSerializedKey):
                got = dict(got)
            if got != want:
                wrong.append(f"{name}: {got!r} instead of {want!r}")
        assert not wrong, "; ".join(wrong)
        if (VERSION or 5) >= 4:
            self.session.execute(self.session.prepare(f"INSERT INTO {KS}.types (k, c10) VALUES (?, ?)"),
                                 (1, cassandra.query.UNSET_VALUE))
            equal(self.session.execute(f"SELECT c10 FROM {KS}.types WHERE k = 1").one()[0], -5, "unset")

    def refused(self, kind, text, **parameters):
        try:
            self.session.execute(SimpleStatement(text, **parameters))
        except kind as e:
            return e
        raise AssertionError(f"{text} is not refused")

    def syntax(self):
        self.refused(SyntaxException, "SELEKT * FROM system.local")

    def invalid(self):
        self.refused(InvalidRequest, "SELECT nope FROM system.local")

    def exists(self):
        e = self.refused(AlreadyExists, f"CREATE TABLE {KS}.t (k int PRIMARY KEY)")
        equal((e.keyspace, e.table), (KS, "t"), "fields")

    def unavailable(self):
        e = self.refused(Unavailable, f"SELECT * FROM {KS}_rf3.t", consistency_level=ConsistencyLevel.QUORUM)
        equal((e.consistency, e.required_replicas, e.alive_replicas), (ConsistencyLevel.QUORUM, 2, 1), "fields")

    def configuration(self):
        self.refused(ConfigurationException, f"CREATE TABLE {KS}.bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1")

    def function(self):
        kind = InvalidRequest if VERSION == 3 else FunctionFailure
        self.refused(kind, f"SELECT k / 0 FROM {KS}.t WHERE k = 1")

    def unprepared(self):
        create = f"CREATE TABLE {KS}.again (k int PRIMARY KEY, v int)"
        self.session.execute(create)
        insert = self.session.prepare(f"INSERT INTO {KS}.again (k, v) VALUES (?, ?)")
        self.session.execute(insert, (1, 1))
        self.session.execute(f"DROP TABLE {KS}.again")
        self.session.execute(create)
        self.session.execute(insert, (2, 2))
        equal(self.session.execute(f"SELECT * FROM {KS}.again").all(), [(2, 2)], "rows")

    def event(self):
        other = open_cluster()
        try:
            other.connect().execute(f"CREATE TABLE {KS}.noticed (k int PRIMARY KEY)")
        finally:
            other.shutdown()
        for _ in range(100):
            if "noticed" in self.cluster.metadata.keyspaces[KS].tables:
                return
            time.sleep(0.1)
        raise AssertionError("the table is not noticed within 10 s")

    def inflight(self):
        futures = [self.session.execute_async(self.insert, (1000, i, "f")) for i in range(1000)]
        for future in futures:
            future.result()
        equal(self.session.execute(f"SELECT count(*) FROM {KS}.t WHERE k = 1000").one()[0], 1000, "rows")

    def metadata(self):
        metadata = self.cluster.metadata
        equal(len(metadata.token_map.ring), 16, "tokens")
        assert metadata.partitioner.endswith("Murmur3Partitioner"), metadata.partitioner
        host = metadata.all_hosts()[0]
        assert host.datacenter and host.rack and host.host_id, vars(host)
        ks = metadata.keyspaces[KS]
        table = ks.tables["t"]
        equal([c.name for c in table.partition_key], ["k"], "partition key")
        equal([(c.name, c.is_reversed) for c in table.clustering_key], [("c", True)], "clustering key")
        equal(sorted(table.columns), ["c", "extra", "k", "v"], "columns")
        equal(list(table.indexes), ["t_v"], "indexes")
        equal(ks.user_types["address"].field_names, ["street", "number"], "fields")
        assert "CREATE INDEX t_v ON" in ks.export_as_string()
        assert metadata.get_replicas(KS, b"\x00\x00\x00\x01")

    def close(self):
        for ks in (KS, KS + "_rf3"):
            self.session.execute(f"DROP KEYSPACE IF EXISTS {ks}")
        self.cluster.shutdown()


ORDER = ("connect ddl simple prepared logged unlogged counter paged traced conditional types syntax invalid exists unavailable"
         " configuration function unprepared event inflight metadata").split()


def main():
    checks = Checks()
    for name in ORDER:
        state, reason = "ok", ""
        try:
            getattr(checks, name)()
        except Cannot as e:
            state, reason = "cannot", str(e)
        except Exception as e:
            state, reason = "failed", f"{type(e).__name__}: {e} ({traceback.extract_tb(e.__traceback__)[-1].lineno})"
        print(name, state, " ".join(reason.split()), sep="\t", flush=True)
        if name == "connect" and state != "ok":
            return
    checks.close()


main()
