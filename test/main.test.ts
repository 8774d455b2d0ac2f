import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, describe, expect, it, onTestFinished } from "vitest";
import { ChatService } from "../src/gen/dragoman/v1/chat_service_pb.js";
import { scriptEcho } from "./support/requests.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;
const freePorts = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };

/** Working directory of the program, which keeps its data there. */
const cwd = mkdtempSync(join(tmpdir(), "dragoman-main-"));
afterAll(() => rmSync(cwd, { recursive: true }));

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

interface Started {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly grpcAddress: string;
}

/** Starts the program as an operator does, and waits until it prints the curl command. */
async function start(environment: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, [main], {
    cwd,
    env: { PATH: process.env.PATH, ...freePorts, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.startsWith("  curl")) break;
  }
  const grpcAddress = lines[0]?.replace(/^gRPC +/, "") ?? "";
  return { child, lines, grpcAddress };
}

/** Runs the program until it exits. */
function run(...parameters: string[]): { status: number | null; output: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...parameters], {
    cwd,
    env: { PATH: process.env.PATH, ...freePorts },
    encoding: "utf8",
  });
  return { status, output: stdout, error: stderr };
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe("the program", () => {
  it("prints its addresses, and which providers are configured and why", async () => {
    const { lines } = await start({ OPENAI_API_KEY: "sk-test" });
    expect(lines[0]).toMatch(/^gRPC {2}127\.0\.0\.1:\d+$/);
    expect(lines[1]).toMatch(/^HTTP {2}http:\/\/127\.0\.0\.1:\d+$/);
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}on {3}openai +OPENAI_API_KEY is set/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}off {2}ollama +set OLLAMA_BASE_URL to turn it on/));
    expect(lines.join("\n")).not.toContain("sk-test");
  });

  it("prints each route with its targets, and which of them are off", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dragoman-routes-"));
    const file = join(folder, "routes.yaml");
    writeFileSync(file, "routes: { fast: { tiers: [{ targets: [{ model: openai/m }, { model: echo/echo }] }] } }");
    const { lines } = await start({ DRAGOMAN_CONFIG: file });
    rmSync(folder, { recursive: true });
    expect(lines[lines.indexOf("routes") + 1]).toBe("  fast  openai/m (off), echo/echo");
  });

  it.skipIf(!hasCurl)("prints a curl command that works (skipped if curl is not installed)", async () => {
    const { lines } = await start({ DRAGOMAN_LOCAL_HOME: "/nonexistent" });
    const command = lines.find((line) => line.startsWith("  curl")) ?? "";
    const { stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toMatchObject({
      completion: { choices: [{ message: { parts: [{ text: "What is the capital of France?" }] } }] },
    });
  });

  it("prints a command of the program that works in the clone", async () => {
    const { lines } = await start({ DRAGOMAN_LOCAL_HOME: "/nonexistent" });
    const command = lines.find((line) => line.startsWith("  npx dragoman chat")) ?? "";
    const root = new URL("..", import.meta.url).pathname;
    const { status, stdout } = spawnSync("sh", ["-c", command], { cwd: root, encoding: "utf8" });
    expect([status, stdout]).toEqual([0, "What is the capital of France?\n"]);
  });

  it("finishes streams in progress on SIGTERM, then exits with 0", async () => {
    const { child, grpcAddress } = await start();
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${grpcAddress}` }));
    const exited = once(child, "exit");
    let last: string | undefined;
    for await (const { event } of client.streamChat({ chat: scriptEcho({ repeat: 50, text: "word ", delay_ms: 2 }) })) {
      if (event.case === "started") child.kill("SIGTERM");
      last = event.case;
    }
    expect(last).toBe("completed");
    expect(await exited).toEqual([0, null]);
  });

  it("exits at once on a second signal", async () => {
    const { child, grpcAddress } = await start();
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${grpcAddress}` }));
    const exited = once(child, "exit");
    const read = async (): Promise<undefined> => {
      for await (const { event } of client.streamChat({ chat: scriptEcho({ text: "a b", stall: { after: 1 } }) })) {
        if (event.case !== "started") continue;
        child.kill("SIGTERM");
        child.kill("SIGINT");
      }
    };
    await expect(read()).rejects.toThrow();
    expect(await exited).toEqual([1, null]);
  });

  it("rejects non-loopback addresses without authentication and names both settings", () => {
    const { status, stderr } = spawnSync(process.execPath, [main], {
      env: { PATH: process.env.PATH, ...freePorts, DRAGOMAN_GRPC_ADDRESS: "0.0.0.0:0" },
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("DRAGOMAN_GRPC_ADDRESS");
    expect(stderr).toContain("authentication");
  });

  it("checks a configuration and prints it without secrets", () => {
    expect(run("--check")).toMatchObject({ status: 0, output: expect.stringContaining("max_request_size: 16MiB") });
    expect(run("--check", "--config", "/no/such/file.yaml")).toMatchObject({ status: 1 });
  });

  it.each([
    ["llm-engine", "{ api: v9, nonsense: 1 }", ["options.api", "options.nonsense"]],
    ["azure-openai", "{ key_type: entra-secret }", ["options.key_type"]],
    ["openai", "{ anything: 1 }", ["options.anything"]],
  ])("rejects invalid options of %s on --check and on start", (name, options, paths) => {
    const folder = mkdtempSync(join(tmpdir(), "dragoman-main-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "dragoman.yaml");
    const entry = `{ api_key: k, base_url: "http://127.0.0.1:9", options: ${options} }`;
    writeFileSync(file, `providers: { ${name}: ${entry} }`);
    const [checked, started] = [run("--check", "--config", file), run("--config", file)];
    expect(checked).toEqual(started);
    expect(checked.status).toBe(1);
    for (const path of paths) expect(checked.error).toContain(`  providers.${name}.${path}: `);
  });

  it("reports an unknown option or command and exits with 2", () => {
    expect(run("--chek")).toMatchObject({ status: 2, error: expect.stringContaining("did you mean --check?") });
    const error = "dragoman: unknown command sevre; did you mean serve?\n";
    expect(run("sevre")).toEqual({ status: 2, output: "", error });
  });

  it("runs the commands serve, check and hash-key as it does the options", () => {
    expect(run("check")).toEqual(run("--check"));
    const mistakes = run("serve", "--config", "/no/such/file.yaml");
    expect(mistakes).toEqual(run("--config", "/no/such/file.yaml"));
    expect(mistakes.status).toBe(1);
    const hashed = ["hash-key", "--hash-key"].map((word) => run(word).error);
    expect(hashed).toEqual(Array(2).fill("dragoman: the key must be one line of printable ASCII without spaces\n"));
  });

  it("prints its version and its commands", () => {
    expect(run("--version").output).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run("--help").output).toMatch(/^Usage: dragoman[\s\S]+\n {2}serve /);
  });
});
