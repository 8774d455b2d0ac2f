import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testFolder } from "../support/databases.ts";
import { startProcess } from "../support/process.ts";
import { expectPlain } from "./laws.ts";

it("the log names a database that is away, without its password", async () => {
  const file = join(testFolder(), "dragoman.yaml");
  writeFileSync(file, 'store: { database: "postgres://dragoman:secret-word@127.0.0.1:1/dragoman" }');
  await using service = await startProcess({ DRAGOMAN_CONFIG: file });
  const line = await service.logLine(({ msg }) => msg === "the database of keys and accounts does not respond");
  expect(line).toMatchObject({ level: "warn", reason: expect.stringMatching(/^connect ECONNREFUSED 127\.0\.0\.1:1$/) });
  expectPlain(JSON.stringify(line), ["secret-word"]);
});
