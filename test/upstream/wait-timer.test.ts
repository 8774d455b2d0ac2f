import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WaitTimer } from "../../src/upstream/wait-timer.ts";

describe("the timer of waits", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("expires when the sum of all waits reaches the limit", () => {
    const expire = vi.fn();
    const timer = new WaitTimer(100, expire);
    timer.start();
    vi.advanceTimersByTime(60);
    timer.stop();
    timer.start();
    vi.advanceTimersByTime(39);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(expire).toHaveBeenCalledOnce();
  });

  it("does not expire while nobody waits", () => {
    const expire = vi.fn();
    const timer = new WaitTimer(100, expire);
    for (let read = 0; read < 5; read++) {
      timer.start();
      vi.advanceTimersByTime(90);
      timer.stop();
      timer.restart(100);
      vi.advanceTimersByTime(10_000);
    }
    expect(expire).not.toHaveBeenCalled();
  });

  it("restarts with another limit after an event", () => {
    const expire = vi.fn();
    const timer = new WaitTimer(1_000, expire);
    timer.start();
    vi.advanceTimersByTime(900);
    timer.stop();
    timer.restart(50);
    timer.start();
    vi.advanceTimersByTime(49);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expire).toHaveBeenCalledOnce();
  });

  it("sets no timer for a limit of 0, and otherwise at most one", () => {
    const off = new WaitTimer(0, () => {});
    off.start();
    expect(vi.getTimerCount()).toBe(0);
    const timer = new WaitTimer(100, () => {});
    for (let read = 0; read < 1_000; read++) {
      timer.start();
      timer.stop();
      timer.restart(100);
    }
    expect(vi.getTimerCount()).toBe(1);
    timer.clear();
    expect(vi.getTimerCount()).toBe(0);
  });
});
