import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { removed } from "../../src/config/described.ts";
import { load, problemsOf } from "./harness.ts";

const problems = (state: string) =>
  problemsOf(() => load(`state: ${state}`)).map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`);

describe("the section state", () => {
  it("reads the URL of Redis, and hides its password", () => {
    const config = load('state: { redis: "rediss://dragoman:s3cret@redis.example:6380/2", prefix: team }');
    expect(config.state?.url.reveal()).toBe("rediss://dragoman:s3cret@redis.example:6380/2");
    expect(config.state?.prefix).toBe("team");
    const shown = describeConfig(config);
    expect(shown).not.toContain("s3cret");
    expect(parse(shown)).toMatchObject({
      state: { redis: `rediss://dragoman:${removed}@redis.example:6380/2`, prefix: "team" },
    });
  });

  it("shares nothing by default, and has a prefix by default", () => {
    expect(load("").state).toBeUndefined();
    expect(load('state: { redis: "redis://localhost" }').state).toMatchObject({ prefix: "dragoman" });
  });

  it("says what to write instead of a wrong URL, without quoting it", () => {
    const fix = "write it as redis://user:password@host:6379/0; user, password, port and database can be left out";
    for (const url of ["localhost:6379", "http://redis", "redis://", "redis://h/path", "redis://h/0?tls=1", 7]) {
      expect(problems(`{ redis: "${url}" }`)).toEqual([`state.redis: is not a redis:// or rediss:// URL; ${fix}`]);
    }
    expect(problems('{ redis: "redis://h", prefix: "a{b}" }')).toEqual([
      "state.prefix: is empty or has invalid characters; write up to 64 letters, digits, dots, hyphens and underscores, such as dragoman",
    ]);
  });
});
