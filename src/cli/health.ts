import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { defineCommand } from "./command.ts";
import { CommandError, UsageError } from "./failures.ts";

const defaultUrl = "http://127.0.0.1:8080";
const longestWaitMs = 3000;

export const command = defineCommand({
  description: "Asks a running service whether it is ready. Exits with 0 if it is, and else with 1.",
  options: {
    url: { type: "string", value: "<url>", help: `URL of the HTTP listener; default: ${defaultUrl}` },
  },
  examples: [
    ["See whether the service on this machine is ready", "health"],
    ["See whether one with TLS is ready, on another port", "health --url https://127.0.0.1:8443"],
  ],
  async run({ url = defaultUrl }, _, { stdout }) {
    const target = URL.parse("/readyz", url);
    if (target === null || !/^https?:$/.test(target.protocol)) {
      throw new UsageError(`--url is not an http:// or https:// URL; write it as ${defaultUrl}`);
    }
    const status = await statusOf(target);
    if (status !== 200) throw new CommandError(`${target} responds with HTTP ${status}: the service is not ready`);
    stdout.write("ready\n");
  },
});

/** Returns the HTTP status of a page. Does not use `fetch`, which an HTTP proxy of the environment may apply to. */
async function statusOf(url: URL): Promise<number | undefined> {
  // The certificate is for the name that callers use, not for this address, and the response has no secret.
  const options = { signal: AbortSignal.timeout(longestWaitMs), rejectUnauthorized: false, agent: false };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = url.protocol === "https:" ? getHttps(url, options, resolve) : getHttp(url, options, resolve);
      request.on("error", reject);
    });
    response.destroy();
    return response.statusCode;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CommandError(`${url} does not respond ${hintFor(reason)}`);
  }
}

/** Returns the end of the sentence for a failed request: its reason, and what to do. */
function hintFor(reason: string): string {
  if (reason.startsWith("HPE_")) {
    return `with HTTP/1.1 (${reason}); write the URL of the HTTP listener, which is usually ${defaultUrl}`;
  }
  if (reason === "EPROTO") return `with TLS (${reason}); write http:// in --url`;
  if (reason === "ECONNRESET") return `(${reason}); if the service has TLS, write https:// in --url`;
  return `(${reason}); is the service running?`;
}
