import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WaitTimer } from "../../src/upstream/wait-timer.ts";

describe("the timer of waits", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("expires after the limit was waited, in one wait or in several", () => {
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

  it("never expires while nobody waits, however long that is", () => {
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

  it("begins anew with another limit after an event", () => {
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

  it("is off with a limit of 0, and holds one Node timer at most", () => {
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
