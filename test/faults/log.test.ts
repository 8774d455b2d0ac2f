import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ServiceProcess, startProcess } from "../support/process.ts";

/** Makes a folder for one test. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Opens a file or pipe for the time of one test. */
function open(path: string, flags: string | number): number {
  const file = openSync(path, flags);
  onTestFinished(() => closeSync(file));
  return file;
}

/** Starts the service with a log buffer of 64 KiB. */
function start(stdout: "unread" | number): Promise<ServiceProcess> {
  const file = join(makeFolder(), "dragoman.yaml");
  writeFileSync(file, "log: { max_buffer_size: 64KiB }");
  return startProcess({ DRAGOMAN_CONFIG: file }, [], stdout);
}

async function call(service: ServiceProcess): Promise<void> {
  const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ chat: { model: "echo/echo", messages: [{ role: "ROLE_USER", parts: [{ text: "hi" }] }] } }),
  });
  expect(response.status, await response.text()).toBe(200);
}

/** Makes calls until the service reports a problem of its log. Returns their number. */
async function callUntilReported(service: ServiceProcess, pattern: RegExp): Promise<number> {
  let reported = false;
  const report = service.reported(pattern).then(() => {
    reported = true;
  });
  let calls = 0;
  for (; !reported && calls < 4000; calls++) await call(service);
  await report;
  return calls;
}

/** Lines in a log, and the lines that it reports as lost. A line without its end does not count. */
function linesIn(log: string): { readonly written: number; readonly lost: number } {
  const lines: { lost?: number }[] = log
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const losses = lines.flatMap(({ lost }) => lost ?? []);
  return { written: lines.length - losses.length, lost: losses.reduce((sum, lost) => sum + lost, 0) };
}

/** Makes a named pipe, which keeps its bytes until the test reads. */
function openPipe(): number {
  const path = join(makeFolder(), "pipe");
  execFileSync("mkfifo", [path]);
  return open(path, "r+");
}

/** Reads what is in a pipe. Waits if the pipe is empty. */
function read(pipe: number): string {
  const bytes = Buffer.alloc(2 ** 20);
  return bytes.toString("utf8", 0, readSync(pipe, bytes));
}

/** Lines besides those of calls: listening, stopping and stopped. */
const lifeLines = 3;

async function stop(service: ServiceProcess): Promise<void> {
  service.child.kill("SIGTERM");
  expect(await service.exited).toEqual([0, null]);
}

describe("a log that cannot be written", () => {
  it("starts, serves calls and stops if every write fails with ENOSPC", async () => {
    await using service = await start(open("/dev/full", "w"));
    const calls = await callUntilReported(service, /cannot write the log \(ENOSPC\)/);
    for (let more = 0; more < 200; more++) await call(service);
    await stop(service);
    expect(await service.reported(/the log lost/)).toBe(`dragoman: the log lost ${calls + 200 + lifeLines} lines`);
  });

  it.each([0, 400])("serves %d calls and stops if the readers of both outputs are gone", async (calls) => {
    await using service = await start("unread");
    service.child.stdout?.destroy();
    service.child.stderr?.destroy();
    for (let made = 0; made < calls; made++) await call(service);
    await stop(service);
  });

  it("stops on SIGTERM if nobody reads the log from a socket", async () => {
    await using service = await start("unread");
    await callUntilReported(service, /cannot write the log \(its reader does not keep up\)/);
    service.child.kill("SIGTERM");
    await service.reported(/the log lost \d+ lines/);
    // `exited` waits for the end of the unread output.
    service.child.stdout?.resume();
    expect(await service.exited).toEqual([0, null]);
  });
});

describe("a log pipe whose reader stops", () => {
  it("stops on SIGTERM and reports the number of lost lines", async () => {
    const pipe = openPipe();
    await using service = await start(pipe);
    const calls = await callUntilReported(service, /cannot write the log/);
    await stop(service);
    const lost = calls + lifeLines - linesIn(read(pipe)).written;
    expect(await service.reported(/the log lost/)).toBe(`dragoman: the log lost ${lost} lines`);
  });

  it("continues with the number of lost lines when the reader reads again", async () => {
    const pipe = openPipe();
    await using service = await start(pipe);
    const calls = await callUntilReported(service, /cannot write the log/);
    let log = "";
    while (!log.includes('"log lines were lost"}\n')) log += read(pipe);
    await call(service);
    await stop(service);
    log += read(pipe);
    const { written, lost } = linesIn(log);
    expect(lost).toBeGreaterThan(0);
    expect(written + lost).toBe(calls + 1 + lifeLines);
  });
});

it("continues with the number of lost lines when a full disk has space again (needs root)", async ({ skip }) => {
  const disk = makeFolder();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).status !== 0) skip();
  onTestFinished(() => void execFileSync("umount", [disk]));
  const filler = join(disk, "filler");
  const path = join(disk, "log");
  writeFileSync(filler, Buffer.alloc(240 * 1024));
  const file = openSync(path, "a");
  await using service = await start(file);
  closeSync(file);
  let calls = await callUntilReported(service, /cannot write the log \(ENOSPC\)/);
  for (; calls < 400; calls++) await call(service);
  rmSync(filler);
  await stop(service);
  const { written, lost } = linesIn(readFileSync(path, "utf8"));
  expect(lost).toBeGreaterThan(0);
  expect(written + lost).toBe(calls + lifeLines);
});
