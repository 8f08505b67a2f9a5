import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.cql.*;
import com.datastax.oss.driver.api.core.data.CqlDuration;
import com.datastax.oss.driver.api.core.data.CqlVector;
import com.datastax.oss.driver.api.core.data.TupleValue;
import com.datastax.oss.driver.api.core.data.UdtValue;
import com.datastax.oss.driver.api.core.metadata.Metadata;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.schema.*;
import com.datastax.oss.driver.api.core.servererrors.*;
import com.datastax.oss.driver.api.core.type.*;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;

/**
 * The checks with the Java driver 4: Checks HOST PORT VERSION COMPRESSION. VERSION 0 and COMPRESSION default are the
 * driver's defaults. Prints a line for each check: name, state, reason.
 */
public class Checks {
  interface Check { void run() throws Exception; }

  static String host, compression, ks;
  static int port, version;
  static CqlSession session;
  static final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  static PreparedStatement insert, select;

  static CqlSession open(SchemaChangeListener listener) {
    ProgrammaticDriverConfigLoaderBuilder config = DriverConfigLoader.programmaticBuilder()
        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
        .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(20))
        .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, Duration.ofSeconds(20))
        .withDuration(DefaultDriverOption.METADATA_SCHEMA_REQUEST_TIMEOUT, Duration.ofSeconds(20))
        .withString(DefaultDriverOption.REQUEST_CONSISTENCY, "ONE");
    if (version != 0) config = config.withString(DefaultDriverOption.PROTOCOL_VERSION, "V" + version);
    if (!compression.isEmpty() && !compression.equals("default"))
      config = config.withString(DefaultDriverOption.PROTOCOL_COMPRESSION, compression);
    return CqlSession.builder().addContactPoint(new InetSocketAddress(host, port)).withLocalDatacenter("datacenter1")
        .withSchemaChangeListener(listener).withConfigLoader(config.build()).build();
  }

  static void equal(Object got, Object want, String what) {
    if (!Objects.equals(got, want)) throw new AssertionError(what + ": " + got + " instead of " + want);
  }

  static void that(boolean ok, Object what) {
    if (!ok) throw new AssertionError(String.valueOf(what));
  }

  static String value(int k, int c) { return session.execute(select.bind(k, c)).one().getString(0); }

  /** Runs a statement that is to fail with the driver's own exception. */
  static <T extends Throwable> T refused(Class<T> kind, Statement<?> statement) {
    try {
      session.execute(statement);
    } catch (Throwable e) {
      if (kind.isInstance(e)) return kind.cast(e);
      throw new AssertionError(e.getClass() + " instead of " + kind + ": " + e.getMessage());
    }
    throw new AssertionError("not refused");
  }

  static Statement<?> text(String cql) { return SimpleStatement.newInstance(cql); }

  static void connect() {
    session = open(new SchemaChangeListenerBase() {
      @Override public void onTableCreated(TableMetadata table) { events.add(table.getName().asInternal()); }
    });
    that(!session.execute("SELECT release_version FROM system.local").one().getString(0).isEmpty(), "release_version");
    if (version != 0) equal(session.getContext().getProtocolVersion().getCode(), version, "protocol version");
  }

  static void ddl() {
    for (String cql : new String[] {
        "DROP KEYSPACE IF EXISTS " + ks,
        "DROP KEYSPACE IF EXISTS " + ks + "_rf3",
        "CREATE KEYSPACE " + ks + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE KEYSPACE " + ks + "_rf3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}",
        "CREATE TABLE " + ks + "_rf3.t (k int PRIMARY KEY, v int)",
        "CREATE TYPE " + ks + ".address (street text, number int)",
        "CREATE TABLE " + ks + ".t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
        "CREATE INDEX t_v ON " + ks + ".t (v)",
        "ALTER TABLE " + ks + ".t ADD extra int",
        "CREATE TABLE " + ks + ".counters (k int PRIMARY KEY, n counter)"}) {
      that(session.execute(cql).getExecutionInfo().isSchemaInAgreement(), "agreement");
    }
    insert = session.prepare("INSERT INTO " + ks + ".t (k, c, v) VALUES (?, ?, ?)");
    select = session.prepare("SELECT v FROM " + ks + ".t WHERE k = ? AND c = ?");
  }

  static void simple() {
    session.execute("INSERT INTO " + ks + ".t (k, c, v) VALUES (1, 1, 'simple')");
    session.execute(SimpleStatement.newInstance("INSERT INTO " + ks + ".t (k, c, v) VALUES (?, ?, ?)", 1, 2, "positional"));
    session.execute(SimpleStatement.newInstance("INSERT INTO " + ks + ".t (k, c, v) VALUES (:k, :c, :v)",
        Map.of("k", 1, "c", 3, "v", "named")));
    equal(List.of(value(1, 1), value(1, 2), value(1, 3)), List.of("simple", "positional", "named"), "values");
  }

  static void prepared() {
    for (int i = 0; i < 10; i++) session.execute(insert.bind(2, i, "" + i));
    for (int i = 0; i < 10; i++) equal(value(2, i), "" + i, "value");
    equal(insert.getPartitionKeyIndices(), version == 3 ? insert.getPartitionKeyIndices() : List.of(0), "partition key");
  }

  static void logged() {
    session.execute(BatchStatement.newInstance(BatchType.LOGGED,
        SimpleStatement.newInstance("INSERT INTO " + ks + ".t (k, c, v) VALUES (3, 1, 'a')"),
        insert.bind(3, 2, "b"), insert.bind(4, 1, "c")));
    equal(List.of(value(3, 1), value(3, 2), value(4, 1)), List.of("a", "b", "c"), "values");
  }

  static void unlogged() {
    BatchStatementBuilder b = BatchStatement.builder(BatchType.UNLOGGED);
    for (int k = 10; k < 15; k++) b.addStatement(insert.bind(k, 1, "u"));
    session.execute(b.build());
    equal(value(14, 1), "u", "value");
  }

  static void counter() {
    session.execute(BatchStatement.newInstance(BatchType.COUNTER,
        SimpleStatement.newInstance("UPDATE " + ks + ".counters SET n = n + 3 WHERE k = 1"),
        session.prepare("UPDATE " + ks + ".counters SET n = n - ? WHERE k = ?").bind(1L, 1)));
    equal(session.execute("SELECT n FROM " + ks + ".counters WHERE k = 1").one().getLong(0), 2L, "counter");
  }

  static void paged() throws Exception {
    inserts(100, "p");
    SimpleStatement query = SimpleStatement.newInstance("SELECT c FROM " + ks + ".t WHERE k = 100").setPageSize(100);
    ResultSet rows = session.execute(query);
    equal(rows.getAvailableWithoutFetching(), 100, "rows of a page");
    int want = 999;
    for (Row row : rows) equal(row.getInt(0), want--, "row");
    equal(want, -1, "last");
  }

  static void inserts(int k, String v) throws Exception {
    List<CompletionStage<AsyncResultSet>> all = new ArrayList<>();
    for (int i = 0; i < 1000; i++) all.add(session.executeAsync(insert.bind(k, i, v)));
    for (CompletionStage<AsyncResultSet> one : all) one.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  static void traced() {
    SimpleStatement query = SimpleStatement.newInstance("SELECT v FROM " + ks + ".t WHERE k = 1 AND c = 1").setTracing(true);
    QueryTrace trace = session.execute(query).getExecutionInfo().getQueryTrace();
    that(!trace.getEvents().isEmpty() && trace.getDurationMicros() > 0 && trace.getRequestType() != null, trace);
  }

  static void conditional() {
    String cql = "INSERT INTO " + ks + ".t (k, c, v) VALUES (20, 1, ?) IF NOT EXISTS";
    that(session.execute(SimpleStatement.newInstance(cql, "first")).wasApplied(), "first");
    ResultSet again = session.execute(SimpleStatement.newInstance(cql, "second"));
    that(!again.wasApplied(), "second");
    equal(again.one().getString("v"), "first", "v");
    PreparedStatement update = session.prepare("UPDATE " + ks + ".t SET v = ? WHERE k = ? AND c = ? IF v = ?");
    ResultSet no = session.execute(update.bind("x", 20, 1, "no"));
    that(!no.wasApplied(), "update");
    equal(no.one().getString("v"), "first", "v");
    that(session.execute(update.bind("x", 20, 1, "first")).wasApplied(), "update");
  }

  static void types() throws Exception {
    UserDefinedType address = session.getMetadata().getKeyspace(ks).get().getUserDefinedType("address").get();
    UdtValue main = address.newValue("Main", 5), side = address.newValue("Side", 6);
    TupleType tuple = DataTypes.tupleOf(DataTypes.INT, DataTypes.TEXT);
    tuple.attach(session.getContext());
    TupleValue seven = tuple.newValue(7, "seven");
    Object[][] all = {
        {"ascii", "abc"}, {"bigint", -(1L << 62)}, {"blob", ByteBuffer.wrap(new byte[] {(byte) 0xca, (byte) 0xfe})},
        {"boolean", true},
        {"date", LocalDate.of(2011, 2, 3)}, {"decimal", new BigDecimal("-12.345")}, {"double", -2.5e300}, {"float", 1.25f},
        {"inet", InetAddress.getByName("2001:db8::1")}, {"inet", InetAddress.getByName("127.0.0.1")}, {"int", -5},
        {"smallint", (short) -300}, {"text", "ä€\ud834\udd1e"}, {"time", LocalTime.of(4, 5, 6, 7)},
        {"timestamp", Instant.ofEpochMilli(1296705906789L)},
        {"timeuuid", UUID.fromString("50554d6e-29bb-11e5-b345-feff819cdc9f")},
        {"tinyint", (byte) -7}, {"uuid", UUID.fromString("12345678-1234-5678-1234-567812345678")},
        {"varint", new BigInteger("-123456789012345678901234567890")}, {"list<int>", List.of(3, 1, 2)},
        {"set<text>", new TreeSet<>(Set.of("a", "b"))}, {"map<text, int>", new TreeMap<>(Map.of("x", 1, "y", 2))},
        {"frozen<list<frozen<set<int>>>>", List.of(new LinkedHashSet<>(List.of(1, 2)), Set.of(3))},
        {"frozen<map<int, frozen<list<text>>>>", Map.of(1, List.of("a", "b"))}, {"tuple<int, text>", seven},
        {"frozen<address>", main}, {"address", side}, {"duration", CqlDuration.newInstance(1, 2, 3)},
        {"vector<float, 3>", CqlVector.newInstance(1f, 2.5f, -3f)}, {"text", null}, {"text", ""}};
    // Before v4 these are custom types to the driver, which has no codec for them.
    Set<String> later = version == 3 ? Set.of("date", "time", "smallint", "tinyint") : Set.of();
    Object[][] values = Arrays.stream(all).filter(v -> !later.contains(v[0])).toArray(Object[][]::new);
    int number = Arrays.asList(values).indexOf(Arrays.stream(values).filter(v -> v[0].equals("int")).findFirst().get());
    StringBuilder create = new StringBuilder("CREATE TABLE " + ks + ".types (k int PRIMARY KEY");
    StringBuilder names = new StringBuilder(), marks = new StringBuilder();
    Object[] bound = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      create.append(", c" + i + " " + values[i][0]);
      names.append(", c" + i);
      marks.append(", ?");
      bound[i] = values[i][1];
    }
    session.execute(create + ")");
    session.execute(session.prepare("INSERT INTO " + ks + ".types (k" + names + ") VALUES (1" + marks + ")").bind(bound));
    Row row = session.execute("SELECT " + names.substring(2) + " FROM " + ks + ".types WHERE k = 1").one();
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      Object got = row.getObject(i);
      if (!Objects.equals(got, values[i][1]) && !String.valueOf(got).equals(String.valueOf(values[i][1])))
        wrong.add(values[i][0] + ": " + got + " instead of " + values[i][1]);
    }
    that(wrong.isEmpty(), wrong);
    if (version != 3) { // a value left unset is not written
      PreparedStatement half = session.prepare("INSERT INTO " + ks + ".types (k, c" + number + ") VALUES (?, ?)");
      session.execute(half.boundStatementBuilder().setInt(0, 1).build());
      equal(session.execute("SELECT c" + number + " FROM " + ks + ".types WHERE k = 1").one().getInt(0), -5, "unset");
    }
  }

  static void exists() {
    AlreadyExistsException e = refused(AlreadyExistsException.class, text("CREATE TABLE " + ks + ".t (k int PRIMARY KEY)"));
    that(e.getMessage().contains(ks + ".t"), e.getMessage());
  }

  static void unavailable() {
    Statement<?> query = SimpleStatement.newInstance("SELECT * FROM " + ks + "_rf3.t")
        .setConsistencyLevel(DefaultConsistencyLevel.QUORUM);
    UnavailableException e;
    try {
      e = refused(UnavailableException.class, query);
    } catch (AssertionError other) { // the retry policy tries the next node, of which there is none
      AllNodesFailedException all = refused(AllNodesFailedException.class, query);
      e = (UnavailableException) all.getAllErrors().values().iterator().next().get(0);
    }
    equal(List.of(e.getConsistencyLevel(), e.getRequired(), e.getAlive()), List.of(ConsistencyLevel.QUORUM, 2, 1), "fields");
  }

  static void function() {
    Class<? extends Throwable> kind = version == 3 ? InvalidQueryException.class : FunctionFailureException.class;
    refused(kind, text("SELECT k / 0 FROM " + ks + ".t WHERE k = 1"));
  }

  static void unprepared() {
    String create = "CREATE TABLE " + ks + ".again (k int PRIMARY KEY, v int)";
    session.execute(create);
    PreparedStatement p = session.prepare("INSERT INTO " + ks + ".again (k, v) VALUES (?, ?)");
    session.execute(p.bind(1, 1));
    session.execute("DROP TABLE " + ks + ".again");
    session.execute(create);
    session.execute(p.bind(2, 2));
    equal(session.execute("SELECT * FROM " + ks + ".again").one().getInt("v"), 2, "v");
  }

  static void event() throws Exception {
    events.clear();
    try (CqlSession other = open(new SchemaChangeListenerBase() {})) {
      other.execute("CREATE TABLE " + ks + ".noticed (k int PRIMARY KEY)");
    }
    long end = System.nanoTime() + 20_000_000_000L;
    for (String name = ""; !"noticed".equals(name);) {
      name = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      that(name != null, "the table is not noticed within 20 s");
    }
  }

  static void inflight() throws Exception {
    inserts(1000, "f");
    equal(session.execute("SELECT count(*) FROM " + ks + ".t WHERE k = 1000").one().getLong(0), 1000L, "rows");
  }

  static void metadata() {
    Metadata m = session.refreshSchema();
    Node node = m.getNodes().values().iterator().next();
    that(node.getDatacenter() != null && node.getRack() != null, node);
    that(node.getHostId() != null && node.getCassandraVersion() != null, node);
    equal(m.getTokenMap().get().getTokens(node).size(), 16, "tokens");
    equal(m.getTokenMap().get().getPartitionerName(), "org.apache.cassandra.dht.Murmur3Partitioner", "partitioner");
    equal(m.getTokenMap().get().getReplicas(ks, ByteBuffer.wrap(new byte[] {0, 0, 0, 1})).size(), 1, "replicas");
    KeyspaceMetadata k = m.getKeyspace(ks).get();
    TableMetadata t = k.getTable("t").get();
    equal(t.getPartitionKey().size(), 1, "partition key");
    equal(t.getClusteringColumns().values().iterator().next(), ClusteringOrder.DESC, "order");
    that(t.getColumn("extra").isPresent(), "extra");
    equal(t.getIndexes().values().iterator().next().getTarget(), "v", "target");
    equal(k.getUserDefinedType("address").get().getFieldNames().size(), 2, "fields");
    that(t.describe(false).contains("CREATE TABLE"), t.describe(false));
  }

  public static void main(String[] args) {
    host = args[0];
    port = Integer.parseInt(args[1]);
    version = Integer.parseInt(args[2]);
    compression = args.length > 3 ? args[3] : "";
    ks = "c_java_" + version + "_" + compression;
    Map<String, Check> checks = new LinkedHashMap<>();
    checks.put("connect", Checks::connect);
    checks.put("ddl", Checks::ddl);
    checks.put("simple", Checks::simple);
    checks.put("prepared", Checks::prepared);
    checks.put("logged", Checks::logged);
    checks.put("unlogged", Checks::unlogged);
    checks.put("counter", Checks::counter);
    checks.put("paged", Checks::paged);
    checks.put("traced", Checks::traced);
    checks.put("conditional", Checks::conditional);
    checks.put("types", Checks::types);
    checks.put("syntax", () -> refused(SyntaxError.class, text("SELEKT * FROM system.local")));
    checks.put("invalid", () -> refused(InvalidQueryException.class, text("SELECT nope FROM system.local")));
    checks.put("exists", Checks::exists);
    checks.put("unavailable", Checks::unavailable);
    checks.put("configuration", () -> refused(InvalidConfigurationInQueryException.class,
        text("CREATE TABLE " + ks + ".bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1")));
    checks.put("function", Checks::function);
    checks.put("unprepared", Checks::unprepared);
    checks.put("event", Checks::event);
    checks.put("inflight", Checks::inflight);
    checks.put("metadata", Checks::metadata);
    for (Map.Entry<String, Check> e : checks.entrySet()) {
      String state = "ok", reason = "";
      try {
        e.getValue().run();
      } catch (Throwable problem) {
        state = "failed";
        reason = String.valueOf(problem).replaceAll("\\s+", " ");
      }
      System.out.println(e.getKey() + "\t" + state + "\t" + reason);
      if (e.getKey().equals("connect") && !state.equals("ok")) break;
    }
    if (session != null) {
      session.execute("DROP KEYSPACE IF EXISTS " + ks);
      session.execute("DROP KEYSPACE IF EXISTS " + ks + "_rf3");
      session.close();
    }
  }
}
