import { hash } from "node:crypto";
import { once } from "node:events";
import { type ClientReadableStream, credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { describe, expect, it } from "vitest";
import { startConfigured } from "../support/configured-process.ts";
import { startProcess } from "../support/process.ts";

const HealthClient = makeClientConstructor(healthService, "Health");

interface Health {
  readonly status: string;
}

function connect(address: string) {
  const client = new HealthClient(address, credentials.createInsecure());
  const watch = (service: string): ClientReadableStream<Health> => {
    const stream = client.watch?.({ service });
    stream.on("error", () => {});
    return stream;
  };
  const call = (method: "check" | "list", request: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client[method]?.(request, (error: ServiceError | null, answer: unknown) =>
        error ? reject(error) : resolve(answer),
      );
    });
  return { watch, call, [Symbol.dispose]: () => client.close() };
}

describe("health", () => {
  // Names of half a MiB are in the JavaScript heap, so a leak of these 120 MiB would end the process.
  it("keeps nothing of watches that have ended", async () => {
    await using service = await startProcess({}, ["--max-old-space-size=80"]);
    using client = connect(service.grpcAddress);
    for (let round = 0; round < 60; round++) {
      const names = Array.from({ length: 4 }, (_, index) => `${round}.${index}.${"x".repeat(2 ** 19)}`);
      await Promise.all(
        names.map(async (name) => {
          const stream = client.watch(name);
          // The service may send a status, or reject the name with an error.
          await new Promise((resolve) => stream.once("data", resolve).once("status", resolve));
          stream.cancel();
        }),
      );
    }
    expect(await client.call("check", { service: "" })).toEqual({ status: "SERVING" });
    expect(service.child.exitCode).toBeNull();
  });

  it("rejects the watch of a name that is too long", async () => {
    await using service = await startProcess();
    using client = connect(service.grpcAddress);
    const rejected = client.watch("x".repeat(257));
    const status = await new Promise((resolve) => rejected.resume().once("status", resolve));
    expect(status).toMatchObject({ code: 3, details: expect.stringContaining("256 characters") });
    const [known] = await once(client.watch("x".repeat(256)), "data");
    expect(known).toEqual({ status: "SERVICE_UNKNOWN" });
  });

  it("responds without a key although every other method needs one", async () => {
    const yaml = `authentication: { keys: [{ id: one, sha256: ${hash("sha256", "secret")} }] }`;
    await using service = await startConfigured(yaml);
    using client = connect(service.grpcAddress);
    expect(await client.call("check", { service: "" })).toEqual({ status: "SERVING" });
    expect(await client.call("list", {})).toMatchObject({
      statuses: { "": { status: "SERVING" }, "dragoman.v1.ChatService": { status: "SERVING" } },
    });
    const stream = client.watch("dragoman.v1.ModelService");
    expect(await once(stream, "data")).toEqual([{ status: "SERVING" }]);
    const changed = once(stream, "data");
    service.child.kill("SIGTERM");
    expect(await changed).toEqual([{ status: "NOT_SERVING" }]);
    await service.exited;
  });
});
