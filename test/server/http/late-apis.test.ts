import { expect, it } from "vitest";
import { startProcess } from "../../support/process.ts";

/** Fails to load the other HTTP APIs the first time. */
const hook = `
  import { registerHooks } from "node:module";
  let hasFailed = false;
  registerHooks({
    load(url, context, next) {
      if (hasFailed || !url.endsWith("/other-requests.ts")) return next(url, context);
      hasFailed = true;
      throw new Error("too many open files");
    },
  });`;

it("answers INTERNAL and logs why if the other HTTP APIs cannot be loaded, and loads them for the next request", async () => {
  await using service = await startProcess({}, ["--import", `data:text/javascript,${encodeURIComponent(hook)}`]);
  const list = () => fetch(`http://${service.httpAddress}/v1/models`);
  const failed = await list();
  expect([failed.status, await failed.text()]).toEqual([500, "an internal error occurred\n"]);
  const record = await service.logLine(({ msg }) => msg === "call");
  expect(record).toMatchObject({ level: "error", reason: "INTERNAL" });
  const cause = await service.logLine(({ id, err }) => id === record.id && err !== undefined);
  expect(cause.err).toMatchObject({ message: "too many open files" });
  expect((await list()).status).toBe(200);
});
