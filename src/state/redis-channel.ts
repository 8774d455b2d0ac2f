import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { RedisSettings } from "../config/state.ts";
import { decodeBegun, decodeDone, encodeBegin, encodeMessage, type MessageNumber, type Work } from "./message.ts";
import { movedTo, RedisLink, type RedisNode } from "./redis-link.ts";

/** Times of the exchange with Redis, in ms. */
export interface ChannelTimes {
  /** Maximum wait for a reply. */
  readonly timeoutMs: number;
  /** Time after which the leases of a dead process end. */
  readonly leaseMs: number;
  /** Delay between two attempts to reach Redis again. */
  readonly probeMs: number;
}

/** A message without a reply. `Waiting` is who waits for it. */
export interface SentMessage<Waiting> extends MessageNumber {
  readonly work: Work;
  readonly waiting: Waiting;
}

/** What the owner of a channel does. */
export interface ChannelOwner<Waiting> {
  /** Redis has run a message. `lines`: one for each reservation. */
  done(waiting: Waiting, lines: readonly string[]): void;
  /** Redis responds in time again. `ran` and `lost`: messages whose replies were lost, the first one first. */
  opened(ran: readonly SentMessage<Waiting>[], lost: readonly SentMessage<Waiting>[]): void;
  /** Redis does not respond. `unanswered`: those who wait, whose messages may have run or still run. */
  closed(unanswered: readonly Waiting[]): void;
}

/** Time in ms without a reply after which a connection counts as dead. */
const deadMs = 2000;

/**
 * Sends messages to Redis, each of which runs at most once and in order (limits.lua). If Redis does not respond in time,
 * the channel closes, and opens again when Redis does: with a new epoch, whose beginning tells which messages ran.
 */
export class RedisChannel<Waiting> {
  readonly #settings: RedisSettings;
  readonly #key: string;
  readonly #times: ChannelTimes;
  readonly #owner: ChannelOwner<Waiting>;
  readonly #replica = randomUUID();
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;
  readonly #running: Promise<void>;
  #unanswered: SentMessage<Waiting>[] = [];
  #epoch = 0;
  /** Whether Redis has told which messages of the former epoch ran. */
  #hasBegun = true;
  #number = 0;
  /** Undefined: the channel is closed. */
  #link: RedisLink | undefined;
  #node: RedisNode | undefined;
  #onClosed: (() => void) | undefined;
  #onTried: () => void = () => {};
  /** Resolves when the channel has opened, or could not be opened, for the first time. */
  readonly tried: Promise<void>;
  #replicas = 1;
  #reason = "not connected yet";

  constructor(settings: RedisSettings, times: ChannelTimes, owner: ChannelOwner<Waiting>) {
    this.#settings = settings;
    this.#key = `{${settings.prefix}}`;
    this.#times = times;
    this.#owner = owner;
    let isTried = false;
    this.tried = new Promise((resolve) => {
      this.#onTried = () => {
        if (!isTried && !this.isOpen) owner.closed([]);
        isTried = true;
        resolve();
      };
    });
    const { signal } = this.#ending;
    this.#ended = new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    this.#running = this.#run(signal);
  }

  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** Why the channel is closed. Empty: it is open. */
  get reason(): string {
    return this.#reason;
  }

  /** Number of replicas, as far as this one knows. */
  get replicas(): number {
    return this.#replicas;
  }

  /** Number of messages without a reply. */
  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** Sends a message. Has no effect while the channel is closed. */
  send(work: Work, waiting: Waiting): void {
    const link = this.#link;
    if (link === undefined) return;
    const sent: SentMessage<Waiting> = { epoch: this.#epoch, number: ++this.#number, work, waiting };
    this.#unanswered.push(sent);
    const late = setTimeout(() => {
      // If the event loop was busy, the reply may be there: it is read first.
      setImmediate(() => {
        if (this.#unanswered.includes(sent)) this.#close(link, "Redis did not reply in time");
      });
    }, this.#times.timeoutMs).unref();
    link.run(this.#key, encodeMessage(this.#replica, sent, this.#times.leaseMs, work)).then(
      (reply) => {
        clearTimeout(late);
        this.#receive(sent, link, String(reply));
      },
      (error) => {
        clearTimeout(late);
        if (this.#link === link) this.#node = movedTo(error);
        this.#close(link, reasonOf(error));
      },
    );
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  #receive(sent: SentMessage<Waiting>, link: RedisLink, reply: string): void {
    // When an epoch has ended, only the beginning of the next one tells which messages ran.
    if (this.#link !== link || sent.epoch !== this.#epoch) return;
    try {
      const { replicas = this.#replicas, lines } = decodeDone(reply);
      this.#replicas = replicas;
      this.#unanswered.splice(this.#unanswered.indexOf(sent), 1);
      this.#owner.done(sent.waiting, lines);
    } catch (error) {
      this.#close(link, reasonOf(error));
    }
  }

  /** Keeps a connection until the channel ends. */
  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let link: RedisLink | undefined;
      try {
        link = await RedisLink.open(this.#settings, this.#node, signal);
        await this.#use(link);
      } catch (error) {
        // The next connection is to the node that has the keys, or else to the configured one.
        this.#node = movedTo(error);
        this.#reason = reasonOf(error);
      }
      link?.destroy();
      if (this.#node === undefined) this.#onTried();
      await this.#pause();
    }
  }

  /** Uses a connection until it has ended, is dead, or is to a node without the keys. */
  async #use(link: RedisLink): Promise<void> {
    let isUsable = true;
    const ended = Promise.race([link.ended, this.#ended]).then(() => {
      isUsable = false;
    });
    while (isUsable) {
      const sentMs = performance.now();
      // If the reply to the last beginning was lost, Redis repeats it.
      if (this.#hasBegun) this.#epoch++;
      this.#hasBegun = false;
      const message = encodeBegin(this.#replica, this.#epoch, this.#times.leaseMs);
      const late = delay(deadMs, undefined, { ref: false });
      const reply = await Promise.race([link.run(this.#key, message), ended, late]);
      if (reply === undefined) return;
      this.#begin(String(reply));
      if (performance.now() - sentMs <= this.#times.timeoutMs) {
        await Promise.race([this.#open(link), ended]);
        this.#close(link, this.#ending.signal.aborted ? "closed" : "the connection to Redis ended");
        if (this.#node !== undefined) return;
      }
      if (isUsable) await this.#pause();
    }
  }

  #ran: readonly SentMessage<Waiting>[] = [];
  #lost: readonly SentMessage<Waiting>[] = [];

  /** An epoch has begun: Redis says which messages of the former one ran. */
  #begin(reply: string): void {
    const { former, replicas } = decodeBegun(reply);
    const hasRun = ({ epoch, number }: MessageNumber) => epoch === former.epoch && number <= former.number;
    this.#ran = [...this.#ran, ...this.#unanswered.filter(hasRun)];
    this.#lost = [...this.#lost, ...this.#unanswered.filter((sent) => !hasRun(sent))];
    this.#unanswered = [];
    this.#hasBegun = true;
    this.#replicas = replicas;
    this.#number = 1;
  }

  /** Opens the channel. Resolves when it closes. */
  #open(link: RedisLink): Promise<void> {
    this.#link = link;
    this.#reason = "";
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
    const [ran, lost] = [this.#ran, this.#lost];
    this.#ran = [];
    this.#lost = [];
    this.#owner.opened(ran, lost);
    this.#onTried();
    return closed;
  }

  #close(link: RedisLink, reason: string): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#reason = reason;
    this.#owner.closed(this.#unanswered.map(({ waiting }) => waiting));
    this.#onClosed?.();
  }

  #pause(): Promise<unknown> {
    return Promise.race([delay(this.#times.probeMs, undefined, { ref: false }), this.#ended]);
  }
}

function reasonOf(error: unknown): string {
  // If a name has several addresses, the error has no message, but a code.
  return error instanceof Error ? error.message || String("code" in error ? error.code : error.name) : String(error);
}
