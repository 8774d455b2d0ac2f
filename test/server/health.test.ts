import { type ClientReadableStream, credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";

interface Health {
  readonly status: string;
}

const HealthClient = makeClientConstructor(healthService, "Health");

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

async function withClient<T>(use: (client: InstanceType<typeof HealthClient>) => Promise<T>): Promise<T> {
  const client = new HealthClient(service.grpcAddress, credentials.createInsecure());
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

function check(name: string): Promise<Health> {
  return withClient(
    (client) =>
      new Promise((resolve, reject) => {
        client.check?.({ service: name }, (error: ServiceError | null, answer: Health) =>
          error ? reject(error) : resolve(answer),
        );
      }),
  );
}

describe("health", () => {
  it.each([
    "",
    "dragoman.v1.ChatService",
    "dragoman.v1.ModelService",
  ])('reports SERVING for service "%s"', async (name) => {
    expect(await check(name)).toMatchObject({ status: "SERVING" });
  });

  it("reports an unknown service: NOT_FOUND for Check, SERVICE_UNKNOWN for Watch", async () => {
    await expect(check("no.such.Service")).rejects.toMatchObject({ code: 5 });
    await withClient(async (client) => {
      const watch: ClientReadableStream<Health> = client.watch?.({ service: "no.such.Service" });
      watch.on("error", () => {});
      expect(await new Promise((resolve) => watch.once("data", resolve))).toMatchObject({ status: "SERVICE_UNKNOWN" });
      watch.cancel();
    });
  });

  it("sends NOT_SERVING to health watchers when shutdown starts", async () => {
    const other = await startTestService();
    const client = new HealthClient(other.grpcAddress, credentials.createInsecure());
    const watch: ClientReadableStream<Health> = client.watch?.({ service: "dragoman.v1.ChatService" });
    watch.on("error", () => {});
    const seen: string[] = [];
    let stopped: Promise<void> | undefined;
    for await (const { status } of watch) {
      seen.push(status);
      stopped ??= other.stop();
      if (status === "NOT_SERVING") break;
    }
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
    client.close();
    await stopped;
  });

  it("responds to health probes on the HTTP listener", async () => {
    for (const page of ["healthz", "readyz"]) {
      const response = await fetch(`http://${service.httpAddress}/${page}`);
      expect([response.status, await response.text()]).toEqual([
        200,
        page === "readyz" ? "ok\nconfiguration generation=1\n" : "ok\n",
      ]);
    }
  });
});
