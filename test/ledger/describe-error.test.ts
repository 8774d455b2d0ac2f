import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { describeError } from "../../src/ledger/describe-error.ts";

const withCode = (message: string, code: string, cause?: Error) =>
  Object.assign(new Error(message, { cause }), { code });

function failureOfSqlite(): unknown {
  try {
    new DatabaseSync(":memory:").exec("select * from nowhere");
  } catch (error) {
    return error;
  }
  return undefined;
}

it.each([
  [withCode("no space left on device, write", "ENOSPC"), "ENOSPC"],
  [withCode("broken pipe", "EPIPE"), "EPIPE"],
  [withCode('role "weak" does not exist', "28000"), 'role "weak" does not exist (28000)'],
  [failureOfSqlite(), "no such table: nowhere (ERR_SQLITE_ERROR)"],
  [new Error("fetch failed", { cause: withCode("x", "ECONNREFUSED") }), "fetch failed (ECONNREFUSED)"],
  [new Error("no response within 5000 ms"), "no response within 5000 ms"],
  ["thrown", "thrown"],
])("describes %o", (error, text) => expect(describeError(error)).toBe(text));
