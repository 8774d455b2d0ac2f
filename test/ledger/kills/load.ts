import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChatService } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import type { ServiceProcess } from "../../support/process.ts";
import { type Caller, kinds, type SeenCall } from "./calls.ts";

/** Calls in progress at one process. */
const callers = 8;

const accounts = ["search", "billing", ""];

let processes = 0;

/** Mixed load on one process until it ends. The load notes what its clients saw. */
export class Load {
  readonly service: ServiceProcess;
  readonly calls: SeenCall[] = [];
  /** What must not happen while the process runs. */
  readonly problems: string[] = [];
  /** Whether the process was killed. Only then may it lose calls. */
  isKilled = false;
  readonly #caller: Caller;
  readonly #running: Promise<unknown>;
  readonly #waits = new Set<{ left: number; resolve(): void }>();
  readonly #name = `kill-${process.pid}-${++processes}`;
  readonly #ended = new AbortController();
  #isEnding = false;

  constructor(service: ServiceProcess) {
    this.service = service;
    this.#caller = {
      chats: createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` })),
      httpAddress: service.httpAddress,
      ended: this.#ended.signal,
      began: () => this.#note(),
    };
    void service.exited.then(([code, signal]) => {
      if (!this.#isEnding) this.problems.push(`the process ended by itself (${code ?? signal})`);
      this.#isEnding = true;
      for (const { resolve } of this.#waits) resolve();
    });
    this.#running = Promise.all(Array.from({ length: callers }, () => this.#keepCalling()));
  }

  /** Resolves after a number of moments: a client sends a call, or sees its beginning or its end. */
  after(moments: number): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const wait = {
        left: moments,
        resolve: () => {
          this.#waits.delete(wait);
          resolve();
        },
      };
      this.#waits.add(wait);
    });
  }

  /** Kills the process, and waits until it has ended. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.isKilled = true;
    this.service.child.kill("SIGKILL");
    await this.#untilEnded();
  }

  /** Asks the process to end, and kills it when it has begun to. */
  async killWhileStopping(): Promise<void> {
    this.#isEnding = true;
    this.isKilled = true;
    this.service.child.kill("SIGTERM");
    await this.service.logged("stopping").catch(() => {});
    await this.kill();
  }

  /** Waits for the calls, and stops the process with SIGTERM. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
    this.service.child.kill("SIGTERM");
    const [code, signal] = await this.#untilEnded();
    if (code !== 0) this.problems.push(`the process did not stop by SIGTERM (${code ?? signal})`);
  }

  async #untilEnded() {
    const end = await this.service.exited;
    this.#ended.abort();
    await this.#running;
    return end;
  }

  async #keepCalling(): Promise<void> {
    while (!this.#isEnding) {
      const number = this.calls.length;
      const seen: SeenCall = {
        requestId: `${this.#name}-${number}`,
        account: accounts[number % accounts.length] ?? "",
        tookMs: 0,
      };
      const begin = performance.now();
      this.calls.push(seen);
      this.#note();
      const kind = kinds[Math.floor(Math.random() * kinds.length)];
      try {
        await kind?.(seen, this.#caller);
      } catch (error) {
        if (!this.isKilled && !isCancelled(error)) this.problems.push(`${seen.requestId} failed: ${error}`);
      }
      seen.tookMs = performance.now() - begin;
      this.#note();
    }
  }

  #note(): void {
    for (const wait of this.#waits) if (--wait.left <= 0) wait.resolve();
  }
}

/** Whether the client itself cancelled the call. */
function isCancelled(error: unknown): boolean {
  return /abort|cancel/i.test(String(error));
}
