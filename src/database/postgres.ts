import { type Dialect, PostgresDialect } from "kysely";
import { Pool, type PoolClient, types } from "pg";

/** Connections of a process. Shipping uses one, and queries of operators are rare. */
const maxConnections = 4;

/** Time after which PostgreSQL aborts a statement. */
const statementTimeoutMs = 30_000;

/** Time without a byte after which a connection counts as dead, so that no caller waits for it forever. */
const silenceMs = statementTimeoutMs + 5000;

const { builtins } = types;
const readTime = types.getTypeParser(builtins.TIMESTAMPTZ);

/** Parsers of types, so that rows are the same as those of SQLite: integers are `bigint`, times and JSON are text. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [builtins.INT8]: BigInt,
  [builtins.TIMESTAMPTZ]: (text) => (readTime(text) as Date).toISOString(),
  [builtins.JSONB]: (text) => text,
};

/** Connects kysely to PostgreSQL. Connections are made when they are needed. */
export function postgresDialect(url: string): Dialect {
  const pool = new Pool({
    connectionString: url,
    application_name: "dragoman",
    max: maxConnections,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    // After a failover, connections to the former primary end some time.
    maxLifetimeSeconds: 600,
    statement_timeout: statementTimeoutMs,
    // Locks of a process that stopped in the middle of a transaction.
    idle_in_transaction_session_timeout: 60_000,
    types: { getTypeParser: ((id: number) => parsers[id] ?? types.getTypeParser(id)) as typeof types.getTypeParser },
  });
  // A connection that ends fails its running query, which reports it, and leaves the pool. Without these listeners, the
  // event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    endWhenSilent(client);
  });
  return new PostgresDialect({ pool });
}

interface SocketWithTimeout {
  setTimeout(ms: number, callback: () => void): void;
  destroy(error: Error): void;
}

/** `query_timeout` of pg fails the query, but leaves the dead connection in the pool. */
function endWhenSilent(client: PoolClient): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: SocketWithTimeout } }).connection;
  stream.setTimeout(silenceMs, () => stream.destroy(new Error(`PostgreSQL sent nothing for ${silenceMs / 1000} s`)));
}
