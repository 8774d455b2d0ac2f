import { UsageError } from "../failures.ts";

const usualPort = 50051;

/** Returns the URL of a service from `host`, `host:port` or a URL without a path. Throws UsageError. */
export function readAddress(text: string, hasTls: boolean): URL {
  const [, scheme] = /^(https?):\/\//.exec(text) ?? [];
  const hasPort = /:\d+$/.test(text.replace(/^\[[^\]]*\]$/, ""));
  const whole = scheme === undefined ? `${hasTls ? "https" : "http"}://${text}${hasPort ? "" : `:${usualPort}`}` : text;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new UsageError(
      "the address is not valid; write host:port, such as 127.0.0.1:50051, in --address or DRAGOMAN_ADDRESS",
    );
  }
  if (hasTls && scheme === "http") throw new UsageError("an http address cannot have TLS; write https or host:port");
  return url;
}
