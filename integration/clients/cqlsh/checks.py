"""The checks with cqlsh, through its command line: checks.py CQLSH HOST PORT VERSION COMPRESSION.

cqlsh has no option for compression: it takes what can be imported, so the caller sets PYTHONPATH.
Prints a line for each check: name, state, reason.
"""
import csv
import os
import re
import subprocess
import sys
import tempfile

CQLSH, HOST, PORT, VERSION, COMPRESSION = sys.argv[1:6]
KS = f"c_cqlsh_{VERSION}_{COMPRESSION}"


class Cannot(Exception):
    """The client has no such thing."""


def run(text, *arguments, script=False):
    """Runs statements and returns what cqlsh printed and said of errors."""
    command = [CQLSH, HOST, PORT, "--no-color", "--request-timeout=30", "--connect-timeout=10", *arguments]
    if VERSION != "0":
        command += ["--protocol-version", VERSION]
    if script:
        with tempfile.NamedTemporaryFile("w", suffix=".cql", delete=False) as f:
            f.write(text)
        command += ["-f", f.name]
    else:
        command += ["-e", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if script:
        os.unlink(f.name)
    return done.stdout, done.stderr


def good(text, *arguments, script=False):
    """The same for statements that are not to fail."""
    out, err = run(text, *arguments, script=script)
    assert not err, err
    return out


def table(out):
    """The names and the cells of the first table in the output."""
    lines = out.splitlines()
    rule = next(i for i, line in enumerate(lines) if re.fullmatch(r"-[-+]*", line))
    end = next((i for i in range(rule, len(lines)) if not lines[i]), len(lines))
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines[rule - 1:end]]
    return rows[0], rows[2:]


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r} instead of {want!r}")


class Checks:
    def connect(self):
        out = good("SHOW VERSION; SHOW HOST; SELECT release_version FROM system.local")
        assert re.search(r"\[cqlsh \S+ \| Cassandra 5\.0\.\d\S* \| CQL spec 3\.4\.7 \| Native protocol v\d\]", out), out
        if VERSION != "0":
            assert f"Native protocol v{VERSION}]" in out, out
        assert "(1 rows)" in out, out

    def ddl(self):
        good(f"""
DROP KEYSPACE IF EXISTS {KS};
DROP KEYSPACE IF EXISTS {KS}_rf3;
CREATE KEYSPACE {KS} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}};
USE {KS};
CREATE TYPE address (street text, number int);
CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC);
CREATE INDEX t_v ON t (v);
ALTER TABLE t ADD extra int;
CREATE TABLE counters (k int PRIMARY KEY, n counter);
""", script=True)
        out, err = run(f"CREATE KEYSPACE {KS}_rf3 WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}};"
                       f"CREATE TABLE {KS}_rf3.t (k int PRIMARY KEY, v int);")
        # A warning of the server (protocol 4 and later) is printed, not an error.
        if VERSION != "3":
            assert "Your replication factor 3 for keyspace" in out + err, out + err

    def simple(self):
        good(f"INSERT INTO t (k, c, v) VALUES (1, 1, 'simple')", "-k", KS)
        equal(table(good("SELECT k, v FROM t WHERE k = 1 AND c = 1", "-k", KS)), (["k", "v"], [["1", "simple"]]), "table")
        out = good(f"SELECT k, c, v FROM {KS}.t WHERE k = 99")
        assert "(0 rows)" in out, out
        good(f"CONSISTENCY QUORUM; SERIAL CONSISTENCY LOCAL_SERIAL; EXPAND ON; SELECT * FROM {KS}.t WHERE k = 1")

    def prepared(self):
        """COPY prepares its INSERT, and reads by token ranges."""
        with tempfile.TemporaryDirectory() as d:
            source, target = os.path.join(d, "in.csv"), os.path.join(d, "out.csv")
            rows = sorted([str(i), str(j), f"v {i},{j}"] for i in range(200, 220) for j in range(5))
            with open(source, "w", newline="") as f:
                csv.writer(f).writerows(rows)
            out, err = run(f"COPY {KS}.t (k, c, v) FROM '{source}' WITH NUMPROCESSES = 1")
            assert "100 rows imported" in out, out + err
            out, err = run(f"COPY {KS}.t (k, c, v) TO '{target}' WITH NUMPROCESSES = 1")
            with open(target, newline="") as f:
                got = sorted(row for row in csv.reader(f) if row[0] >= "200" and len(row[0]) == 3)
            equal(got, rows, "rows copied out")

    def logged(self):
        good(f"BEGIN BATCH INSERT INTO {KS}.t (k, c, v) VALUES (3, 1, 'a'); UPDATE {KS}.t SET v = 'b' WHERE k = 3 AND c = 2;"
             f" INSERT INTO {KS}.t (k, c, v) VALUES (4, 1, 'c'); APPLY BATCH;")
        equal(table(good(f"SELECT c, v FROM {KS}.t WHERE k = 3"))[1], [["2", "b"], ["1", "a"]], "rows")

    def unlogged(self):
        inserts = " ".join(f"INSERT INTO {KS}.t (k, c, v) VALUES ({k}, 1, 'u');" for k in range(10, 15))
        good(f"BEGIN UNLOGGED BATCH {inserts} APPLY BATCH;")
        equal(table(good(f"SELECT v FROM {KS}.t WHERE k = 14"))[1], [["u"]], "rows")

    def counter(self):
        good(f"BEGIN COUNTER BATCH UPDATE {KS}.counters SET n = n + 3 WHERE k = 1;"
             f" UPDATE {KS}.counters SET n = n - 1 WHERE k = 1; APPLY BATCH;")
        equal(table(good(f"SELECT n FROM {KS}.counters WHERE k = 1"))[1], [["2"]], "rows")

    def paged(self):
        inserts = "\n".join(f"INSERT INTO {KS}.t (k, c, v) VALUES (100, {i}, 'p');" for i in range(250))
        good(inserts, script=True)
        out = good(f"PAGING 100; SELECT c FROM {KS}.t WHERE k = 100")
        equal([int(n) for n in re.findall(r"^ +(\d+)$", out, re.M)], list(range(249, -1, -1)), "rows")
        assert "(250 rows)" in out, out[-200:]

    def traced(self):
        out = good(f"TRACING ON; SELECT v FROM {KS}.t WHERE k = 1 AND c = 1")
        assert "Tracing session: " in out and "Execute CQL3 query" in out and "Request complete" in out, out

    def conditional(self):
        text = f"INSERT INTO {KS}.t (k, c, v) VALUES (20, 1, '%s') IF NOT EXISTS"
        equal(table(good(text % "first")), (["[applied]"], [["True"]]), "table")
        equal(table(good(text % "second")),
              (["[applied]", "k", "c", "extra", "v"], [["False", "20", "1", "null", "first"]]), "table")
        equal(table(good(f"UPDATE {KS}.t SET v = 'x' WHERE k = 20 AND c = 1 IF v = 'no'")),
              (["[applied]", "v"], [["False", "first"]]), "table")

    def types(self):
        values = [
            ("ascii", "'abc'", "abc"), ("bigint", "-4611686018427387904", "-4611686018427387904"), ("blob", "0xcafe", "0xcafe"),
            ("boolean", "true", "True"), ("date", "'2011-02-03'", "2011-02-03"), ("decimal", "-12.345", "-12.345"),
            ("double", "-2.5e300", "-2.5e+300"), ("float", "1.25", "1.25"), ("inet", "'2001:db8::1'", "2001:db8::1"),
            ("int", "-5", "-5"), ("smallint", "-300", "-300"), ("text", "'ä€'", "ä€"),
            ("time", "'04:05:06.000000007'", "04:05:06.000000007"),
            ("timestamp", "'2011-02-03 04:05:06.789Z'", "2011-02-03 04:05:06.789000+0000"),
            ("timeuuid", "50554d6e-29bb-11e5-b345-feff819cdc9f", "50554d6e-29bb-11e5-b345-feff819cdc9f"), ("tinyint", "-7", "-7"),
            ("uuid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
            ("varint", "-123456789012345678901234567890", "-123456789012345678901234567890"),
            ("list<int>", "[3, 1, 2]", "[3, 1, 2]"),
            ("set<text>", "{'b', 'a'}", "{'a', 'b'}"), ("map<text, int>", "{'x': 1, 'y': 2}", "{'x': 1, 'y': 2}"),
            ("frozen<list<frozen<set<int>>>>", "[{1, 2}, {3}]", "[{1, 2}, {3}]"),
            ("tuple<int, text>", "(7, 'seven')", "(7, 'seven')"),
            ("frozen<address>", "{street: 'Main', number: 5}", "{street: 'Main', number: 5}"),
            ("address", "{street: 'Side', number: 6}", "{street: 'Side', number: 6}"), ("duration", "1mo2d3ns", "1mo2d3ns"),
            ("vector<float, 3>", "[1, 2.5, -3]", "[1, 2.5, -3]"), ("text", "null", "null"), ("text", "''", ""),
        ]
        columns = ", ".join(f"c{i} {t}" for i, (t, _, _) in enumerate(values))
        names = ", ".join(f"c{i}" for i in range(len(values)))
        literals = ", ".join(v for _, v, _ in values)
        good(f"CREATE TABLE {KS}.types (k int PRIMARY KEY, {columns})")
        good(f"INSERT INTO {KS}.types (k, {names}) VALUES (1, {literals})")
        wrong = []
        out = good("".join(f"SELECT c{i} FROM {KS}.types WHERE k = 1;\n" for i in range(len(values))), script=True)
        parts = out.split("(1 rows)")
        for (t, _, want), part in zip(values, parts):
            got = part.strip("\n").split("\n")[-1].strip() if want else part.rstrip("\n ").split("\n")[-1].strip("- ")
            if got != want and not (want == "" and got.startswith("c")):
                wrong.append(f"{t}: {got} instead of {want}")
        assert not wrong, "; ".join(wrong)

    def refused(self, word, text):
        out, err = run(text)
        assert word in err, f"{text}: {out} {err}"
        return err

    def syntax(self):
        self.refused("SyntaxException: line 1:0", "SELEKT * FROM system.local")

    def invalid(self):
        self.refused("InvalidRequest: Error from server: code=2200 [Invalid query] "
                     'message="Undefined column name nope in table system.local"', "SELECT nope FROM system.local")

    def exists(self):
        self.refused(f"AlreadyExists: Table '{KS}.t' already exists", f"CREATE TABLE {KS}.t (k int PRIMARY KEY)")

    def unavailable(self):
        err = self.refused("Cannot achieve consistency level QUORUM", f"CONSISTENCY QUORUM; SELECT * FROM {KS}_rf3.t")
        assert "'required_replicas': 2, 'alive_replicas': 1" in err.replace("\\'", "'"), err

    def configuration(self):
        self.refused("ConfigurationException", f"CREATE TABLE {KS}.bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1")

    def function(self):
        self.refused("the operation 'int / int' failed: / by zero", f"SELECT k / 0 FROM {KS}.t WHERE k = 1")

    def unprepared(self):
        raise Cannot("cqlsh keeps no prepared statement")

    def event(self):
        raise Cannot("cqlsh shows what the server describes, not what it was told")

    def inflight(self):
        with tempfile.TemporaryDirectory() as d:
            source = os.path.join(d, "in.csv")
            with open(source, "w", newline="") as f:
                csv.writer(f).writerows([1000, i, "f"] for i in range(1000))
            out, err = run(f"COPY {KS}.t (k, c, v) FROM '{source}' WITH MAXBATCHSIZE = 1 AND NUMPROCESSES = 1")
            assert "1000 rows imported" in out, out + err
        equal(table(good(f"SELECT count(*) FROM {KS}.t WHERE k = 1000"))[1], [["1000"]], "rows")

    def metadata(self):
        """What DESCRIBE prints makes the same keyspace again."""
        out = good(f"DESCRIBE KEYSPACES; DESCRIBE CLUSTER; DESCRIBE INDEX {KS}.t_v; DESCRIBE TYPE {KS}.address;"
                   f" DESCRIBE TABLE {KS}.t; USE {KS}; DESCRIBE TABLES; DESCRIBE t")
        for word in (KS, "Murmur3Partitioner", "CREATE INDEX t_v", "CREATE TYPE", "CLUSTERING ORDER BY (c DESC)", "counters"):
            assert word in out, f"{word} is not in {out}"
        for text, word in (("DESCRIBE SCHEMA", f"CREATE TABLE {KS}.t ("),
                           ("DESCRIBE FULL SCHEMA", "CREATE KEYSPACE system_schema")):
            out = good(text)
            assert word in out, f"{text}: {out}"
        before = self.described()
        good(f"DROP KEYSPACE {KS}")
        good(before, script=True)
        equal(self.described(), before, "DESCRIBE")

    def described(self):
        """The keyspace as statements, without the line that names the version cqlsh was made for."""
        lines = good(f"DESCRIBE KEYSPACE {KS}").splitlines()
        return "\n".join(line for line in lines if not line.startswith("WARNING: cqlsh was built"))

    def close(self):
        good(f"DROP KEYSPACE IF EXISTS {KS}; DROP KEYSPACE IF EXISTS {KS}_rf3")


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
            state, reason = "failed", f"{type(e).__name__}: {e}"
        print(name, state, " ".join(reason.split())[:800], sep="\t", flush=True)
        if name == "connect" and state != "ok":
            return
    checks.close()


main()
