import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { findProgram, isMissing, startServer, type TestServer } from "./server-process.ts";

/** PostgreSQL with a data folder of its own, on a free loopback port. */
export interface TestPostgres extends TestServer {
  /** Creates an empty database, and returns its URL. */
  createDatabase(): Promise<string>;
}

const debian = "/usr/lib/postgresql";
const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
const program = findProgram(
  "postgres",
  versions.map((version) => join(debian, version, "bin")),
);

/** Whether PostgreSQL is not installed. Prints that the tests that need it are skipped. */
export const noPostgres = isMissing("PostgreSQL", program, "apt-get install postgresql");

// PostgreSQL does not run as root: a test that does runs it as `nobody`.
const nobody = 65_534;

/** @param settings Settings of the server, such as `max_connections: "10"`. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  if (program === undefined) throw new Error("PostgreSQL is not installed");
  const folder = mkdtempSync(join(tmpdir(), "dragoman-postgres-"));
  const user = process.getuid?.() === 0 ? nobody : undefined;
  if (user !== undefined) chownSync(folder, user, user);
  const data = join(folder, "data");
  const initialize = ["-D", data, "-U", "dragoman", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  execFileSync(join(dirname(program), "initdb"), initialize, {
    stdio: "pipe",
    ...(user !== undefined && { uid: user, gid: user }),
  });
  // The file system of a killed PostgreSQL survives, so that no write needs to wait for the disk.
  const all = { unix_socket_directories: "", listen_addresses: "127.0.0.1", fsync: "off", ...settings };
  const server = await startServer({
    command: program,
    parameters: (port) => {
      const flags = Object.entries({ ...all, port: String(port) }).flatMap(([name, value]) => [
        "-c",
        `${name}=${value}`,
      ]);
      return ["-D", data, ...flags];
    },
    ready: /database system is ready to accept connections/,
    // Fast shutdown: it ends open connections.
    stopSignal: "SIGINT",
    user,
  });
  const urlOf = (name: string) => `postgres://dragoman@127.0.0.1:${server.port}/${name}`;
  let databases = 0;
  return Object.assign(Object.create(server) as TestServer, {
    async createDatabase() {
      const name = `test_${++databases}`;
      const client = new Client({ connectionString: urlOf("postgres") });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
