// The checks with the Node.js driver: checks.js HOST PORT VERSION COMPRESSION.
// VERSION 0 is the driver's default; it knows no compression. Prints a line for each check: name, state, reason.
'use strict';
const assert = require('assert');
const cassandra = require('cassandra-driver');

const [host, port, versionText, compression] = process.argv.slice(2);
const version = Number(versionText);
const ks = `c_node_${version}_${compression}`;
const { types, errors } = cassandra;
const one = { consistency: types.consistencies.one };
const prepared = { prepare: true, consistency: types.consistencies.one };

function open() {
  const options = {
    contactPoints: [`${host}:${port}`], localDataCenter: 'datacenter1', queryOptions: one,
    pooling: { coreConnectionsPerHost: { [types.distance.local]: 1 } }, socketOptions: { readTimeout: 30000 },
  };
  if (version) {
    options.protocolOptions = { port: Number(port), maxVersion: version };
  } else {
    options.protocolOptions = { port: Number(port) };
  }
  return new cassandra.Client(options);
}

let client;
const insert = `INSERT INTO ${ks}.t (k, c, v) VALUES (?, ?, ?)`;
async function value(k, c) {
  const result = await client.execute(`SELECT v FROM ${ks}.t WHERE k = ? AND c = ?`, [k, c], prepared);
  return result.first().v;
}

// refused runs a statement that is to fail with a code and returns the driver's error.
async function refused(code, text, options) {
  try {
    await client.execute(text, [], Object.assign({ retry: new cassandra.policies.retry.FallthroughRetryPolicy() }, one, options));
  } catch (e) {
    assert(e instanceof errors.ResponseError, `${text}: ${e}`);
    assert.strictEqual(e.code, code, `${text}: ${e}`);
    return e;
  }
  throw new Error(`${text} is not refused`);
}

const checks = {
  async connect() {
    client = open();
    await client.connect();
    const row = (await client.execute('SELECT release_version FROM system.local')).first();
    assert(row.release_version);
    if (version) {
      assert.strictEqual(client.controlConnection.protocolVersion, version);
    }
  },
  async ddl() {
    for (const text of [
      `DROP KEYSPACE IF EXISTS ${ks}`,
      `DROP KEYSPACE IF EXISTS ${ks}_rf3`,
      `CREATE KEYSPACE ${ks} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
      `CREATE KEYSPACE ${ks}_rf3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}`,
      `CREATE TABLE ${ks}_rf3.t (k int PRIMARY KEY, v int)`,
      `CREATE TYPE ${ks}.address (street text, number int)`,
      `CREATE TABLE ${ks}.t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)`,
      `CREATE INDEX t_v ON ${ks}.t (v)`,
      `ALTER TABLE ${ks}.t ADD extra int`,
      `CREATE TABLE ${ks}.counters (k int PRIMARY KEY, n counter)`,
    ]) {
      await client.execute(text);
    }
  },
  async simple() {
    await client.execute(`INSERT INTO ${ks}.t (k, c, v) VALUES (1, 1, 'simple')`);
    const result = await client.execute(`SELECT v FROM ${ks}.t WHERE k = 1 AND c = 1`);
    assert.deepStrictEqual(result.rows.map(r => r.v), ['simple']);
  },
  async prepared() {
    for (let i = 0; i < 10; i++) {
      await client.execute(insert, [2, i, String(i)], prepared);
    }
    for (let i = 0; i < 10; i++) {
      assert.strictEqual(await value(2, i), String(i));
    }
  },
  async logged() {
    await client.batch([
      `INSERT INTO ${ks}.t (k, c, v) VALUES (3, 1, 'a')`,
      { query: insert, params: [3, 2, 'b'] },
      { query: insert, params: [4, 1, 'c'] },
    ], prepared);
    assert.deepStrictEqual([await value(3, 1), await value(3, 2), await value(4, 1)], ['a', 'b', 'c']);
  },
  async unlogged() {
    const queries = [10, 11, 12, 13, 14].map(k => ({ query: insert, params: [k, 1, 'u'] }));
    await client.batch(queries, Object.assign({ logged: false }, prepared));
    assert.strictEqual(await value(14, 1), 'u');
  },
  async counter() {
    await client.batch([
      `UPDATE ${ks}.counters SET n = n + 3 WHERE k = 1`,
      { query: `UPDATE ${ks}.counters SET n = n - ? WHERE k = ?`, params: [types.Long.fromNumber(1), 1] },
    ], Object.assign({ counter: true }, prepared));
    const result = await client.execute(`SELECT n FROM ${ks}.counters WHERE k = 1`);
    assert.strictEqual(result.first().n.toNumber(), 2);
  },
  async paged() {
    await cassandra.concurrent.executeConcurrent(client, insert, Array.from({ length: 1000 }, (_, i) => [100, i, 'p']));
    const query = `SELECT c FROM ${ks}.t WHERE k = 100`;
    const first = await client.execute(query, [], Object.assign({ fetchSize: 100 }, prepared));
    assert.strictEqual(first.rows.length, 100);
    assert(first.pageState);
    const seen = [];
    for await (const row of await client.execute(query, [], Object.assign({ fetchSize: 100 }, prepared))) {
      seen.push(row.c);
    }
    assert.deepStrictEqual(seen, Array.from({ length: 1000 }, (_, i) => 999 - i));
  },
  async traced() {
    const traced = Object.assign({ traceQuery: true }, one);
    const result = await client.execute(`SELECT v FROM ${ks}.t WHERE k = 1 AND c = 1`, [], traced);
    const trace = await client.metadata.getTrace(result.info.traceId);
    assert(trace.events.length > 0 && trace.duration > 0 && trace.requestType, JSON.stringify(trace));
  },
  async conditional() {
    const query = `INSERT INTO ${ks}.t (k, c, v) VALUES (20, 1, ?) IF NOT EXISTS`;
    assert((await client.execute(query, ['first'], prepared)).wasApplied());
    const again = await client.execute(query, ['second'], prepared);
    assert(!again.wasApplied());
    assert.strictEqual(again.first().v, 'first');
    const update = `UPDATE ${ks}.t SET v = ? WHERE k = ? AND c = ? IF v = ?`;
    const refusedUpdate = await client.execute(update, ['x', 20, 1, 'no'], prepared);
    assert(!refusedUpdate.wasApplied());
    assert.strictEqual(refusedUpdate.first().v, 'first');
  },
  async types() {
    const all = [
      ['ascii', 'abc'], ['bigint', types.Long.fromString('-4611686018427387904')], ['blob', Buffer.from('cafe', 'hex')],
      ['boolean', true], ['date', types.LocalDate.fromString('2011-02-03')], ['decimal', types.BigDecimal.fromString('-12.345')],
      ['double', -2.5e300], ['float', 1.25], ['inet', types.InetAddress.fromString('2001:db8::1')],
      ['inet', types.InetAddress.fromString('127.0.0.1')], ['int', -5], ['smallint', -300], ['text', 'ä€𝄞'],
      ['time', types.LocalTime.fromString('04:05:06.000000007')], ['timestamp', new Date(1296705906789)],
      ['timeuuid', types.TimeUuid.fromString('50554d6e-29bb-11e5-b345-feff819cdc9f')], ['tinyint', -7],
      ['uuid', types.Uuid.fromString('12345678-1234-5678-1234-567812345678')],
      ['varint', types.Integer.fromString('-123456789012345678901234567890')], ['list<int>', [3, 1, 2]],
      ['set<text>', ['a', 'b']],
      ['map<text, int>', { x: 1, y: 2 }], ['frozen<list<frozen<set<int>>>>', [[1, 2], [3]]],
      ['frozen<map<text, frozen<list<text>>>>', { q: ['a', 'b'] }], ['tuple<int, text>', new types.Tuple(7, 'seven')],
      ['frozen<address>', { street: 'Main', number: 5 }], ['address', { street: 'Side', number: 6 }],
      ['duration', new types.Duration(1, 2, types.Long.fromNumber(3))],
      ['vector<float, 3>', new types.Vector([1, 2.5, -3], 'float')],
      ['text', null], ['text', ''],
    ];
    // Before v4 these are custom types, which the driver does not encode.
    const later = version === 3 ? ['date', 'time', 'smallint', 'tinyint', 'duration'] : [];
    const values = all.filter(([t]) => !later.includes(t));
    const columns = values.map(([t], i) => `c${i} ${t}`).join(', ');
    await client.execute(`CREATE TABLE ${ks}.types (k int PRIMARY KEY, ${columns})`);
    const names = values.map((_, i) => `c${i}`).join(', ');
    const marks = values.map(() => '?').join(', ');
    await client.execute(`INSERT INTO ${ks}.types (k, ${names}) VALUES (1, ${marks})`, values.map(([, v]) => v), prepared);
    const row = (await client.execute(`SELECT ${names} FROM ${ks}.types WHERE k = 1`, [], prepared)).first();
    const wrong = [];
    values.forEach(([name, want], i) => {
      let got = row[`c${i}`];
      if (want instanceof types.Vector) {
        got = Array.from(got);
        want = Array.from(want);
      }
      const same = want && typeof want.equals === 'function' && !Buffer.isBuffer(want) ? want.equals(got) : false;
      try {
        if (!same) {
          assert.deepEqual(got, want);
        }
      } catch (e) {
        wrong.push(`${name}: ${got} instead of ${want}`);
      }
    });
    assert.deepStrictEqual(wrong, []);
    if ((version || 4) >= 4) {
      await client.execute(`INSERT INTO ${ks}.types (k, c10) VALUES (?, ?)`, [1, types.unset], prepared);
      const kept = await client.execute(`SELECT c10 FROM ${ks}.types WHERE k = 1`);
      assert.strictEqual(kept.first().c10, -5);
    }
  },
  async syntax() {
    await refused(types.responseErrorCodes.syntaxError, 'SELEKT * FROM system.local');
  },
  async invalid() {
    await refused(types.responseErrorCodes.invalid, 'SELECT nope FROM system.local');
  },
  async exists() {
    const e = await refused(types.responseErrorCodes.alreadyExists, `CREATE TABLE ${ks}.t (k int PRIMARY KEY)`);
    assert.deepStrictEqual([e.keyspace, e.table], [ks, 't']);
  },
  async unavailable() {
    const quorum = types.consistencies.quorum;
    const e = await refused(types.responseErrorCodes.unavailableException, `SELECT * FROM ${ks}_rf3.t`, { consistency: quorum });
    assert.deepStrictEqual([e.consistencies, e.required, e.alive], [quorum, 2, 1]);
  },
  async configuration() {
    await refused(types.responseErrorCodes.configError, `CREATE TABLE ${ks}.bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1`);
  },
  async function() {
    const codes = types.responseErrorCodes;
    await refused(version === 3 ? codes.invalid : codes.functionFailure, `SELECT k / 0 FROM ${ks}.t WHERE k = 1`);
  },
  async unprepared() {
    const create = `CREATE TABLE ${ks}.again (k int PRIMARY KEY, v int)`;
    const query = `INSERT INTO ${ks}.again (k, v) VALUES (?, ?)`;
    await client.execute(create);
    await client.execute(query, [1, 1], prepared);
    await client.execute(`DROP TABLE ${ks}.again`);
    await client.execute(create);
    await client.execute(query, [2, 2], prepared);
    assert.strictEqual((await client.execute(`SELECT * FROM ${ks}.again`)).first().v, 2);
  },
  async event() {
    assert.strictEqual(await client.metadata.getTable(ks, 'noticed'), null);
    const other = open();
    await other.connect();
    await other.execute(`CREATE TABLE ${ks}.noticed (k int PRIMARY KEY)`);
    await other.execute(`ALTER TABLE ${ks}.t ADD noticed int`);
    await other.shutdown();
    for (let i = 0; i < 100; i++) {
      const table = await client.metadata.getTable(ks, 't');
      if (table.columnsByName.noticed && await client.metadata.getTable(ks, 'noticed')) {
        return;
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error('the table is not noticed within 10 s');
  },
  async inflight() {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.execute(insert, [1000, i, 'f'], prepared)));
    const result = await client.execute(`SELECT count(*) AS n FROM ${ks}.t WHERE k = 1000`);
    assert.strictEqual(result.first().n.toNumber(), 1000);
  },
  async metadata() {
    const [node] = client.hosts.values();
    assert.strictEqual(node.tokens.length, 16);
    assert(node.datacenter && node.rack && node.hostId);
    await client.metadata.refreshKeyspaces();
    assert(client.metadata.keyspaces[ks].strategy.endsWith('SimpleStrategy'));
    assert(client.metadata.getReplicas(ks, Buffer.from([0, 0, 0, 1])).length === 1);
    const table = await client.metadata.getTable(ks, 't');
    assert.deepStrictEqual(table.partitionKeys.map(c => c.name), ['k']);
    assert.deepStrictEqual(table.clusteringKeys.map(c => c.name), ['c']);
    assert.deepStrictEqual(table.clusteringOrder, ['DESC']);
    assert.deepStrictEqual(table.indexes.map(i => [i.name, i.target]), [['t_v', 'v']]);
    const udt = await client.metadata.getUdt(ks, 'address');
    assert.deepStrictEqual(udt.fields.map(f => f.name), ['street', 'number']);
  },
};

async function main() {
  for (const name of Object.keys(checks)) {
    let state = 'ok';
    let reason = '';
    try {
      await checks[name]();
    } catch (e) {
      state = 'failed';
      reason = String(e && e.stack || e).replace(/\s+/g, ' ').slice(0, 600);
    }
    console.log([name, state, reason].join('\t'));
    if (name === 'connect' && state !== 'ok') {
      break;
    }
  }
  if (client) {
    await client.execute(`DROP KEYSPACE IF EXISTS ${ks}`).catch(() => {});
    await client.execute(`DROP KEYSPACE IF EXISTS ${ks}_rf3`).catch(() => {});
    await client.shutdown();
  }
}

main();
