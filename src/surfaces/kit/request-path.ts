import type { IncomingMessage } from "node:http";

/** Returns the path of a request. The target is a path or, from proxies, an absolute URL (RFC 9112, section 3.2.2). */
export function requestPath({ url = "" }: Pick<IncomingMessage, "url">): string {
  const [path = ""] = url.split("?", 1);
  return path.startsWith("/") ? path : (URL.parse(url)?.pathname ?? path);
}
