import { fromJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stylesFor } from "../../../src/cli/styles.ts";
import { describeTargets } from "../../../src/cli/targets/describe-targets.ts";
import { TargetSchema } from "../../../src/gen/dragoman/admin/v1/target_pb.js";
import { runProgram } from "../../support/run-program.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { testShell } from "../../support/shell.ts";

describe("dragoman targets", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService(
      {},
      undefined,
      "routes: { chat-fast: { tiers: [{ targets: [{ model: echo/echo }] }] } }",
    );
  });
  afterAll(() => service.stop());

  it("shows the targets of routes", async () => {
    const { status, output } = await runProgram(["targets", "--address", service.grpcAddress]);
    expect([status, ...output.split("\n").map((line) => line.split(/ {2,}/))]).toEqual([
      0,
      ["target", "state", "failed", "first output", "running", "waiting", "keys"],
      expect.arrayContaining(["echo/echo", "closed"]),
      [""],
    ]);
    const unknown = await runProgram(["targets", "--route", "no", "--address", service.grpcAddress]);
    expect(unknown).toMatchObject({ status: 1, error: expect.stringContaining("NOT_FOUND (RESOURCE_NOT_FOUND)") });
  });

  it("looks again and again until Ctrl-C", async () => {
    const { status, output } = await runProgram(["targets", "--watch", "--interval", "10ms", "--json"], {
      environment: { DRAGOMAN_ADDRESS: service.grpcAddress },
      onOutput: (printed, kill) => printed.split("\n").length > 3 && kill("SIGINT"),
    });
    expect(status).toBe(130);
    const names = output.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line).name));
    expect(new Set(names)).toEqual(new Set(["echo/echo"]));
  });

  it("says when an open target is tried again, which keys wait, and what was learned", () => {
    const target = fromJson(TargetSchema, {
      ...{ name: "openai/gpt-5.5", state: "TARGET_STATE_OPEN", failureRatio: 0.6, firstOutputDuration: "1.5s" },
      openUntil: "2026-11-29T10:00:12Z",
      keys: [{ name: "a" }, { name: "b", reason: "PROVIDER_RATE_LIMITED", coolUntil: "2026-11-29T10:00:30Z" }],
      learnedParameters: [{ field: "max_tokens", replacedBy: "max_completion_tokens" }, { field: "top_k" }],
    });
    const styles = stylesFor(testShell().stdout, {});
    const at = { nowMs: Date.parse("2026-11-29T10:00:00Z"), width: undefined };
    expect(describeTargets([target], styles, at).split("\n")).toEqual([
      "target          state          failed  first output  running  waiting  keys",
      "openai/gpt-5.5  open for 12 s     60%       1500 ms        0        0   1/2",
      "openai/gpt-5.5: the key b waits for 30 s: PROVIDER_RATE_LIMITED",
      "openai/gpt-5.5: gets max_completion_tokens instead of max_tokens",
      "openai/gpt-5.5: does not get top_k",
      "",
    ]);
  });
});
