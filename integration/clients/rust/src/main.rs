//! The checks with the Rust driver: checks HOST PORT VERSION COMPRESSION. The driver speaks version 4 only; VERSION 0 is
//! the same. Prints a line for each check: name, state, reason.

use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::client::PoolSize;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::frame::Compression;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;
use scylla::statement::Consistency;
use scylla::value::{CqlDate, CqlDecimal, CqlDuration, CqlTime, CqlTimestamp, CqlTimeuuid, CqlValue, CqlVarint, Row};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

struct Client {
    session: Session,
    ks: String,
    insert: PreparedStatement,
    select: PreparedStatement,
}

/// Where and how to connect, from the command line.
#[derive(Clone)]
struct Want {
    address: String,
    compression: Option<Compression>,
    ks: String,
}

async fn open(want: &Want) -> Result<Session, Box<dyn Error + Send + Sync>> {
    let session = SessionBuilder::new()
        .known_node(&want.address)
        .compression(want.compression)
        .pool_size(PoolSize::PerHost(1.try_into()?))
        .connection_timeout(Duration::from_secs(15))
        .build()
        .await?;
    Ok(session)
}

fn that(ok: bool, what: impl std::fmt::Debug) -> Outcome {
    if ok {
        return Ok(());
    }
    Err(format!("{what:?}").into())
}

fn equal<T: PartialEq + std::fmt::Debug>(got: T, want: T) -> Outcome {
    if got == want {
        return Ok(());
    }
    Err(format!("{got:?} instead of {want:?}").into())
}

async fn connect(want: &Want) -> Result<Session, Box<dyn Error + Send + Sync>> {
    let session = open(want).await?;
    let rows = session.query_unpaged("SELECT release_version FROM system.local", ()).await?.into_rows_result()?;
    let (version,) = rows.single_row::<(String,)>()?;
    that(!version.is_empty(), version)?;
    Ok(session)
}

async fn ddl(session: &Session, ks: &str) -> Outcome {
    for text in [
        format!("DROP KEYSPACE IF EXISTS {ks}"),
        format!("DROP KEYSPACE IF EXISTS {ks}_rf3"),
        format!("CREATE KEYSPACE {ks} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"),
        format!("CREATE KEYSPACE {ks}_rf3 WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}"),
        format!("CREATE TABLE {ks}_rf3.t (k int PRIMARY KEY, v int)"),
        format!("CREATE TYPE {ks}.address (street text, number int)"),
        format!("CREATE TABLE {ks}.t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)"),
        format!("CREATE INDEX t_v ON {ks}.t (v)"),
        format!("ALTER TABLE {ks}.t ADD extra int"),
        format!("CREATE TABLE {ks}.counters (k int PRIMARY KEY, n counter)"),
    ] {
        session.query_unpaged(text, ()).await?;
    }
    Ok(())
}

impl Client {
    async fn value(&self, k: i32, c: i32) -> Result<String, Box<dyn Error + Send + Sync>> {
        let rows = self.session.execute_unpaged(&self.select, (k, c)).await?.into_rows_result()?;
        Ok(rows.single_row::<(String,)>()?.0)
    }

    async fn simple(&self) -> Outcome {
        let ks = &self.ks;
        self.session.query_unpaged(format!("INSERT INTO {ks}.t (k, c, v) VALUES (1, 1, 'simple')"), ()).await?;
        let result = self.session.query_unpaged(format!("SELECT v FROM {ks}.t WHERE k = 1 AND c = 1"), ()).await?;
        equal(result.into_rows_result()?.single_row::<(String,)>()?.0, "simple".to_string())
    }

    async fn prepared(&self) -> Outcome {
        for i in 0..10 {
            self.session.execute_unpaged(&self.insert, (2, i, i.to_string())).await?;
        }
        for i in 0..10 {
            equal(self.value(2, i).await?, i.to_string())?;
        }
        that(self.insert.is_token_aware(), "not token aware")
    }

    async fn logged(&self) -> Outcome {
        let first = Statement::new(format!("INSERT INTO {}.t (k, c, v) VALUES (3, 1, 'a')", self.ks));
        let statements: Vec<BatchStatement> = vec![first.into(), self.insert.clone().into(), self.insert.clone().into()];
        let batch = Batch::new_with_statements(BatchType::Logged, statements);
        self.session.batch(&batch, ((), (3, 2, "b"), (4, 1, "c"))).await?;
        equal((self.value(3, 1).await?, self.value(3, 2).await?, self.value(4, 1).await?), ("a".into(), "b".into(), "c".into()))
    }

    async fn unlogged(&self) -> Outcome {
        let mut batch = Batch::new(BatchType::Unlogged);
        let mut values = Vec::new();
        for k in 10..15 {
            batch.append_statement(self.insert.clone());
            values.push((k, 1, "u"));
        }
        self.session.batch(&batch, values).await?;
        equal(self.value(14, 1).await?, "u".into())
    }

    async fn counter(&self) -> Outcome {
        let mut batch = Batch::new(BatchType::Counter);
        batch.append_statement(Statement::new(format!("UPDATE {}.counters SET n = n + 3 WHERE k = 1", self.ks)));
        let minus = self.session.prepare(format!("UPDATE {}.counters SET n = n - ? WHERE k = ?", self.ks)).await?;
        batch.append_statement(minus);
        self.session.batch(&batch, ((), (scylla::value::Counter(1), 1))).await?;
        let result = self.session.query_unpaged(format!("SELECT n FROM {}.counters WHERE k = 1", self.ks), ()).await?;
        equal(result.into_rows_result()?.single_row::<(scylla::value::Counter,)>()?.0 .0, 2)
    }

    async fn inserts(&self, k: i32) -> Outcome {
        try_join_all((0..1000).map(|i| self.session.execute_unpaged(&self.insert, (k, i, "x")))).await?;
        Ok(())
    }

    async fn paged(&self) -> Outcome {
        self.inserts(100).await?;
        let query = Statement::new(format!("SELECT c FROM {}.t WHERE k = 100", self.ks)).with_page_size(100);
        let (page, state) = self.session.query_single_page(query.clone(), (), PagingState::start()).await?;
        equal(page.into_rows_result()?.rows_num(), 100)?;
        that(matches!(state, PagingStateResponse::HasMorePages { .. }), state)?;
        let stream = self.session.query_iter(query, ()).await?.rows_stream::<(i32,)>()?;
        let seen: Vec<i32> = stream.map_ok(|row| row.0).try_collect().await?;
        equal(seen, (0..1000).rev().collect())
    }

    async fn traced(&self) -> Outcome {
        let mut query = Statement::new(format!("SELECT v FROM {}.t WHERE k = 1 AND c = 1", self.ks));
        query.set_tracing(true);
        let id = self.session.query_unpaged(query, ()).await?.tracing_id().ok_or("no tracing id")?;
        let trace = self.session.get_tracing_info(&id).await?;
        that(!trace.events.is_empty() && trace.duration.is_some() && trace.command.is_some(), trace)
    }

    async fn conditional(&self) -> Outcome {
        let insert = self.session.prepare(format!("INSERT INTO {}.t (k, c, v) VALUES (20, 1, ?) IF NOT EXISTS", self.ks)).await?;
        let first = self.session.execute_unpaged(&insert, ("first",)).await?.into_rows_result()?;
        that(first.single_row::<Row>()?.columns[0] == Some(CqlValue::Boolean(true)), "not applied")?;
        let second = self.session.execute_unpaged(&insert, ("second",)).await?.into_rows_result()?;
        let (applied, _, _, _, v) = second.single_row::<(bool, i32, i32, Option<i32>, String)>()?;
        equal((applied, v), (false, "first".to_string()))?;
        let update = self.session.prepare(format!("UPDATE {}.t SET v = ? WHERE k = ? AND c = ? IF v = ?", self.ks)).await?;
        let no = self.session.execute_unpaged(&update, ("x", 20, 1, "no")).await?.into_rows_result()?;
        equal(no.single_row::<(bool, String)>()?, (false, "first".to_string()))
    }

    async fn types(&self) -> Outcome {
        use CqlValue::*;
        let text = |s: &str| Text(s.to_string());
        let address = |street: &str, number| UserDefinedType {
            keyspace: self.ks.clone(),
            name: "address".into(),
            fields: vec![("street".into(), Some(text(street))), ("number".into(), Some(Int(number)))],
        };
        let big: num_bigint::BigInt = "-123456789012345678901234567890".parse()?;
        let values: Vec<(&str, Option<CqlValue>)> = vec![
            ("ascii", Some(Ascii("abc".into()))),
            ("bigint", Some(BigInt(-(1 << 62)))),
            ("blob", Some(Blob(vec![0xca, 0xfe]))),
            ("boolean", Some(Boolean(true))),
            ("date", Some(Date(CqlDate((1 << 31) + 15008)))),
            ("decimal", Some(Decimal(CqlDecimal::try_from(bigdecimal::BigDecimal::new((-12345).into(), 3))?))),
            ("double", Some(Double(-2.5e300))),
            ("float", Some(Float(1.25))),
            ("inet", Some(Inet("2001:db8::1".parse::<IpAddr>()?))),
            ("inet", Some(Inet("127.0.0.1".parse::<IpAddr>()?))),
            ("int", Some(Int(-5))),
            ("smallint", Some(SmallInt(-300))),
            ("text", Some(text("ä€𝄞"))),
            ("time", Some(Time(CqlTime(14706000000007)))),
            ("timestamp", Some(Timestamp(CqlTimestamp(1296705906789)))),
            ("timeuuid", Some(Timeuuid("50554d6e-29bb-11e5-b345-feff819cdc9f".parse::<CqlTimeuuid>()?))),
            ("tinyint", Some(TinyInt(-7))),
            ("uuid", Some(Uuid("12345678-1234-5678-1234-567812345678".parse()?))),
            ("varint", Some(Varint(CqlVarint::from(big)))),
            ("list<int>", Some(List(vec![Int(3), Int(1), Int(2)]))),
            ("set<text>", Some(Set(vec![text("a"), text("b")]))),
            ("map<text, int>", Some(Map(vec![(text("x"), Int(1)), (text("y"), Int(2))]))),
            ("frozen<list<frozen<set<int>>>>", Some(List(vec![Set(vec![Int(1), Int(2)]), Set(vec![Int(3)])]))),
            ("frozen<map<int, frozen<list<text>>>>", Some(Map(vec![(Int(1), List(vec![text("a"), text("b")]))]))),
            ("tuple<int, text>", Some(Tuple(vec![Some(Int(7)), Some(text("seven"))]))),
            ("frozen<address>", Some(address("Main", 5))),
            ("address", Some(address("Side", 6))),
            ("duration", Some(Duration(CqlDuration { months: 1, days: 2, nanoseconds: 3 }))),
            ("vector<float, 3>", Some(Vector(vec![Float(1.0), Float(2.5), Float(-3.0)]))),
            ("vector<text, 2>", Some(Vector(vec![text("a"), text("bc")]))),
            ("text", None),
            ("text", Some(text(""))),
        ];
        let columns: Vec<String> = values.iter().enumerate().map(|(i, (t, _))| format!("c{i} {t}")).collect();
        let names: Vec<String> = (0..values.len()).map(|i| format!("c{i}")).collect();
        let marks = vec!["?"; values.len()].join(", ");
        let (ks, names) = (&self.ks, names.join(", "));
        self.session.query_unpaged(format!("CREATE TABLE {ks}.types (k int PRIMARY KEY, {})", columns.join(", ")), ()).await?;
        let insert = self.session.prepare(format!("INSERT INTO {ks}.types (k, {names}) VALUES (1, {marks})")).await?;
        let bound: Vec<Option<CqlValue>> = values.iter().map(|(_, v)| v.clone()).collect();
        self.session.execute_unpaged(&insert, bound).await?;
        let result = self.session.query_unpaged(format!("SELECT {names} FROM {ks}.types WHERE k = 1"), ()).await?;
        let row = result.into_rows_result()?.single_row::<Row>()?;
        let mut wrong = Vec::new();
        for ((name, want), got) in values.iter().zip(row.columns) {
            if got != *want {
                wrong.push(format!("{name}: {got:?} instead of {want:?}"));
            }
        }
        that(wrong.is_empty(), wrong)?;
        let unset = self.session.prepare(format!("INSERT INTO {ks}.types (k, c10) VALUES (?, ?)")).await?;
        self.session.execute_unpaged(&unset, (1, scylla::value::Unset)).await?;
        let kept = self.session.query_unpaged(format!("SELECT c10 FROM {ks}.types WHERE k = 1"), ()).await?;
        equal(kept.into_rows_result()?.single_row::<(i32,)>()?.0, -5)
    }

    /// Runs a statement that is to fail and returns the server's error.
    async fn refused(&self, text: String, level: Consistency) -> Result<DbError, Box<dyn Error + Send + Sync>> {
        let mut statement = Statement::new(text.clone());
        statement.set_consistency(level);
        statement.set_retry_policy(Some(Arc::new(scylla::policies::retry::FallthroughRetryPolicy::new())));
        match self.session.query_unpaged(statement, ()).await {
            Ok(_) => Err(format!("{text} is not refused").into()),
            Err(ExecutionError::LastAttemptError(RequestAttemptError::DbError(e, _))) => Ok(e),
            Err(e) => Err(e.into()),
        }
    }

    async fn unavailable(&self) -> Outcome {
        let e = self.refused(format!("SELECT * FROM {}_rf3.t", self.ks), Consistency::Quorum).await?;
        equal(e, DbError::Unavailable { consistency: Consistency::Quorum, required: 2, alive: 1 })
    }

    async fn error(&self, text: String, want: DbError) -> Outcome {
        equal(self.refused(text, Consistency::One).await?, want)
    }

    async fn function(&self) -> Outcome {
        let e = self.refused(format!("SELECT k / 0 FROM {}.t WHERE k = 1", self.ks), Consistency::One).await?;
        that(matches!(e, DbError::FunctionFailure { .. }), e)
    }

    async fn unprepared(&self) -> Outcome {
        let create = format!("CREATE TABLE {}.again (k int PRIMARY KEY, v int)", self.ks);
        self.session.query_unpaged(create.clone(), ()).await?;
        let insert = self.session.prepare(format!("INSERT INTO {}.again (k, v) VALUES (?, ?)", self.ks)).await?;
        self.session.execute_unpaged(&insert, (1, 1)).await?;
        self.session.query_unpaged(format!("DROP TABLE {}.again", self.ks), ()).await?;
        self.session.query_unpaged(create, ()).await?;
        self.session.execute_unpaged(&insert, (2, 2)).await?;
        let rows = self.session.query_unpaged(format!("SELECT k, v FROM {}.again", self.ks), ()).await?.into_rows_result()?;
        equal(rows.single_row::<(i32, i32)>()?, (2, 2))
    }

    async fn inflight(&self) -> Outcome {
        self.inserts(1000).await?;
        let result = self.session.query_unpaged(format!("SELECT count(*) FROM {}.t WHERE k = 1000", self.ks), ()).await?;
        equal(result.into_rows_result()?.single_row::<(i64,)>()?.0, 1000)
    }

    async fn metadata(&self) -> Outcome {
        self.session.refresh_metadata().await?;
        let state = self.session.get_cluster_state();
        let node = state.get_nodes_info().first().ok_or("no node")?;
        that(node.datacenter.is_some() && node.rack.is_some(), node)?;
        equal(state.replica_locator().ring().len(), 16)?;
        let ks = state.get_keyspace(&self.ks).ok_or("no keyspace")?;
        let table = ks.tables.get("t").ok_or("no table")?;
        equal((table.partition_key.clone(), table.clustering_key.clone()), (vec!["k".to_string()], vec!["c".to_string()]))?;
        that(table.columns.contains_key("extra"), &table.columns)?;
        equal(ks.user_defined_types.get("address").ok_or("no type")?.field_types.len(), 2)
    }

    async fn close(&self) -> Outcome {
        for ks in [self.ks.clone(), format!("{}_rf3", self.ks)] {
            self.session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {ks}"), ()).await?;
        }
        Ok(())
    }
}

/// Prints the outcome of a check; true when it went well.
fn tell(name: &str, outcome: Outcome) -> bool {
    match &outcome {
        Ok(()) => println!("{name}\tok\t"),
        Err(e) => println!("{name}\tfailed\t{}", e.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
    outcome.is_ok()
}

async fn check(name: &str, body: impl Future<Output = Outcome>) {
    let outcome = match tokio::time::timeout(Duration::from_secs(60), body).await {
        Ok(outcome) => outcome,
        Err(_) => Err("no end after 60 s".into()),
    };
    tell(name, outcome);
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().collect();
    let compression = match args.get(4).map(String::as_str) {
        Some("lz4") => Some(Compression::Lz4),
        Some("snappy") => Some(Compression::Snappy),
        _ => None,
    };
    let ks = format!("c_rust_{}_{}", args[3], args.get(4).map_or("", String::as_str));
    let want = Want { address: format!("{}:{}", args[1], args[2]), compression, ks };
    let session = match connect(&want).await {
        Ok(session) => session,
        Err(e) => {
            tell("connect", Err(e));
            return Ok(());
        }
    };
    tell("connect", Ok(()));
    if !tell("ddl", ddl(&session, &want.ks).await) {
        return Ok(());
    }
    let insert = session.prepare(format!("INSERT INTO {}.t (k, c, v) VALUES (?, ?, ?)", want.ks)).await?;
    let select = session.prepare(format!("SELECT v FROM {}.t WHERE k = ? AND c = ?", want.ks)).await?;
    let c = Client { session, ks: want.ks.clone(), insert, select };
    check("simple", c.simple()).await;
    check("prepared", c.prepared()).await;
    check("logged", c.logged()).await;
    check("unlogged", c.unlogged()).await;
    check("counter", c.counter()).await;
    check("paged", c.paged()).await;
    check("traced", c.traced()).await;
    check("conditional", c.conditional()).await;
    check("types", c.types()).await;
    check("syntax", c.error("SELEKT * FROM system.local".into(), DbError::SyntaxError)).await;
    check("invalid", c.error("SELECT nope FROM system.local".into(), DbError::Invalid)).await;
    let exists = DbError::AlreadyExists { keyspace: c.ks.clone(), table: "t".into() };
    check("exists", c.error(format!("CREATE TABLE {}.t (k int PRIMARY KEY)", c.ks), exists)).await;
    check("unavailable", c.unavailable()).await;
    let bad = format!("CREATE TABLE {}.bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1", c.ks);
    check("configuration", c.error(bad, DbError::ConfigError)).await;
    check("function", c.function()).await;
    check("unprepared", c.unprepared()).await;
    println!("event\tcannot\tthe driver registers for schema events and does nothing with them");
    check("inflight", c.inflight()).await;
    check("metadata", c.metadata()).await;
    c.close().await
}
