/**
 * The scripted upstreams: one process that speaks OpenAI's chat API. The model of a request names the cell and the
 * target (`portkey.s2.stream.C`), its prompt the call. GET `/attempts/<cell>` returns the attempts of a cell as JSON.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { announce } from "../announce.ts";
import { type Attempt, AttemptLog } from "./attempts.ts";
import { type Behavior, type FaultName, type Step, stepOf } from "./faults.ts";
import { RateLimit } from "./limit.ts";
import { targetOf } from "./scenarios.ts";
import { callOf, deltaOf, textOf } from "./texts.ts";
import { completionBody, deltaEvent, errorBody, errorEvent, firstEvent, lastEvents, malformedEvent } from "./wire.ts";

/** One request and its response. */
interface Exchange {
  readonly response: ServerResponse;
  readonly attempt: Attempt;
  readonly step: Step;
  readonly streams: boolean;
  readonly withUsage: boolean;
}

const json = { "content-type": "application/json" };
const events = { "content-type": "text/event-stream", "cache-control": "no-cache" };

const log = new AttemptLog();
const limits = new Map<string, RateLimit>();
let limited = 0;

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function sendStatus(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...json, ...headers }).end(errorBody(status));
}

/** Rejects the request if the key has used up its limit. Returns whether it did. */
function rejectLimited({ response, attempt }: Exchange, behavior: Behavior, model: string): boolean {
  if (behavior.kind !== "limited" || attempt.key !== "K1") return false;
  const limit = limits.get(model) ?? new RateLimit(behavior.requests, behavior.windowMs);
  limits.set(model, limit);
  const wait = limit.take(Date.now());
  if (wait === 0) return false;
  // Every second rejection leaves out when to come back.
  if (limited++ % 2 === 0) {
    const seconds = Math.ceil(wait / 1000);
    attempt.limitedUntil = Date.now() + seconds * 1000;
    sendStatus(response, 429, { "retry-after": String(seconds) });
  } else sendStatus(response, 429);
  return true;
}

/** Plays the faults that come before any output. Returns whether there was one. */
function playEarlyFault({ response, step, streams }: Exchange): boolean {
  switch (step.fault) {
    case "500":
    case "503":
    case "429":
      sendStatus(response, Number(step.fault), step.fault === "429" ? { "retry-after": "1" } : {});
      return true;
    case "reset":
      reset(response);
      return true;
    case "silent":
      return true;
    default:
      if (streams && step.fault === "error_in_200" && step.faultAfter === 0) {
        response.writeHead(200, events).end(errorEvent());
        return true;
      }
      return false;
  }
}

/** Plays the fault in the middle of a stream. Returns whether the response ends there. */
function playMiddleFault(response: ServerResponse, fault: FaultName): boolean {
  if (fault === "malformed") {
    response.write(malformedEvent());
    return false;
  }
  if (fault === "cut") reset(response);
  else if (fault === "clean_end") response.end();
  else if (fault === "error_in_200") response.end(errorEvent());
  return true;
}

/** Writes the deltas at their pace. Returns false as soon as the connection is closed or a fault ended the response. */
async function playStream({ response, attempt, step }: Exchange): Promise<boolean> {
  response.writeHead(200, events).flushHeaders();
  if (step.fault === "silent_after_headers") return false;
  for (let index = 0; index < step.deltas; index++) {
    await setTimeout(index === 0 ? step.firstMs : step.gapMs);
    if (response.destroyed) return false;
    if (index === 0) response.write(firstEvent());
    if (step.fault !== undefined && index === step.faultAfter) {
      if (playMiddleFault(response, step.fault)) return false;
      // A client that skips the malformed event loses this delta.
      continue;
    }
    attempt.tokens++;
    response.write(deltaEvent(deltaOf(attempt.call, index)));
  }
  return true;
}

/** Waits as long as the model writes the whole response. Returns false if the connection is closed before. */
async function writeWhole({ response, attempt, step }: Exchange): Promise<boolean> {
  for (let index = 0; index < step.deltas; index++) {
    await setTimeout(index === 0 ? step.firstMs : step.gapMs);
    if (response.destroyed) return false;
    attempt.tokens++;
  }
  await setTimeout(step.gapMs);
  return !response.destroyed;
}

async function playWhole(exchange: Exchange): Promise<void> {
  const { response, attempt, step } = exchange;
  const { fault } = step;
  if (fault === "error_in_200") {
    response.writeHead(200, json).end(errorBody(500));
    return;
  }
  if (fault === "silent_after_headers") {
    response.writeHead(200, json).flushHeaders();
    attempt.tokens = step.deltas;
    return;
  }
  if (!(await writeWhole(exchange))) return;
  const body = completionBody(textOf(attempt.call, step.deltas), step.deltas);
  response.writeHead(200, json);
  if (fault === undefined) response.end(body);
  else if (fault === "malformed") response.end(body.replace('"role":', '"role"'));
  else {
    const half = body.slice(0, body.length / 2);
    if (fault === "clean_end") response.end(half);
    // The reset waits until the half is on its way, or the client would get nothing of it.
    else if (fault === "cut") response.write(half, () => setImmediate(reset, response));
    else response.write(half);
  }
}

async function play(exchange: Exchange): Promise<void> {
  if (playEarlyFault(exchange)) return;
  if (!exchange.streams) await playWhole(exchange);
  else if (await playStream(exchange)) {
    exchange.response.end(lastEvents(exchange.step.deltas, exchange.withUsage));
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = Date.now();
  const body = await text(request);
  const model = /"model":\s*"([^"]*)"/.exec(body)?.[1] ?? "";
  const found = targetOf(model);
  if (found === undefined) {
    sendStatus(response, 404);
    return;
  }
  const { cell, target, behavior } = found;
  const number = callOf(body);
  const step = stepOf(behavior, { attempt: log.count(cell, target), ...number });
  const key = (request.headers.authorization ?? "").replace("Bearer ", "");
  const fault = step.fault ?? "";
  const attempt: Attempt = { target, call: number.call, key, fault, startedAt, finished: false, tokens: 0 };
  log.add(cell, attempt);
  response.on("finish", () => {
    attempt.finished = true;
  });
  response.on("close", () => {
    attempt.endedAt = Date.now();
  });
  const streams = /"stream":\s*true/.test(body);
  const withUsage = /"include_usage":\s*true/.test(body);
  const exchange: Exchange = { response, attempt, step, streams, withUsage };
  if (!rejectLimited(exchange, behavior, model)) await play(exchange);
}

const server = createServer((request, response) => {
  response.on("error", () => response.destroy());
  const [, cell] = /^\/attempts\/(.+)$/.exec(request.url ?? "") ?? [];
  if (request.method === "GET") response.end(JSON.stringify(cell === undefined ? {} : log.of(cell)));
  else answer(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", 4096, () => announce((server.address() as AddressInfo).port));
