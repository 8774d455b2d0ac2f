import { describe, expect, it } from "vitest";
import { installed, isMissing, run } from "../interop/tools.ts";
import { descriptors } from "./schema.ts";

const runner = installed("bin/connectconformance");
const file = (name: string): string => `test/conformance/${name}`;

describe.skipIf(isMissing("connectconformance", runner) || isMissing("conformance.binpb", descriptors))(
  "the Connect project's conformance suite",
  () => {
    it("passes over both listeners, except for the cases that the lists explain", { timeout: 300_000 }, async () => {
      const { code, stdout, stderr } = await run(runner, [
        ...["--mode", "server", "--conf", file("config.yaml")],
        ...["--known-failing", `@${file("known-failing.txt")}`, "--known-flaky", `@${file("known-flaky.txt")}`],
        // A server must start within 10 seconds, so only one starts at a time.
        ...["--max-servers", "1", "--", process.execPath, file("server.ts")],
      ]);
      const output = `${stdout}${stderr}`;
      const unexpected = output.split("\n").filter((line) => /^FAILED|^\d+ passed|^unable|^error/i.test(line));
      expect(code, unexpected.slice(0, 50).join("\n")).toBe(0);
      expect(output).toMatch(/^Total cases: [1-9]\d{3}$/m);
    });
  },
);
