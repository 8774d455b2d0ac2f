import { once } from "node:events";
import { createServer as createPlainServer, type Server } from "node:http";
import { createServer } from "node:https";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { CommandError, UsageError } from "../../src/cli/failures.ts";
import { hasOpenssl, temporaryCertificate } from "../support/certificates.ts";
import { startTestService } from "../support/service.ts";

/** Runs `dragoman health` and returns what it prints. */
async function health(...parameters: readonly string[]): Promise<string> {
  let printed = "";
  const output = { write: (text: string) => (printed += text) };
  const shell = { environment: {}, stdin: process.stdin, stdout: output, stderr: output, onInterrupt: () => () => {} };
  await runCommandLine(["health", ...parameters], shell);
  return printed;
}

function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("health", () => {
  it("prints that a service is ready, as its page for probes does", async () => {
    const service = await startTestService();
    onTestFinished(() => service.stop());
    expect(await health("--url", `http://${service.httpAddress}`)).toBe("ready\n");
  });

  it.skipIf(!hasOpenssl)("accepts any certificate, since it asks by address", async () => {
    const { certificate, key } = temporaryCertificate({ names: "DNS:dragoman.example" });
    const server = createServer({ cert: certificate, key }, (request, response) => {
      response.writeHead(request.url === "/readyz" ? 200 : 404).end();
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    expect(await health("--url", `https://127.0.0.1:${portOf(server)}`)).toBe("ready\n");
  });

  it("fails if the service is not ready or does not respond", async () => {
    const server = createPlainServer((_, response) => response.writeHead(503).end());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${portOf(server)}`;
    await expect(health("--url", url)).rejects.toThrow(
      new CommandError(`${url}/readyz responds with HTTP 503: the service is not ready`),
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(health("--url", url)).rejects.toThrow(`${url}/readyz does not respond (ECONNREFUSED)`);
  });

  it("rejects a URL that is none", async () => {
    await expect(health("--url", "127.0.0.1:8080")).rejects.toThrow(UsageError);
  });
});
