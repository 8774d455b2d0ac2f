import { GatewayError } from "../../errors.ts";

/** Longest path that an error repeats, in characters. */
const longestPath = 120;

/**
 * Creates the error for an HTTP method that a path does not have.
 *
 * @param allow the methods that it has
 * @param contentType content type to send. Undefined: any
 */
export function wrongMethod(method: string, path: string, allow: string, contentType?: string): GatewayError {
  const [first = allow] = allow.split(", ");
  const text = [
    `${shownPath(path)} does not accept ${method}; send ${first}`,
    ...(contentType === undefined ? [] : [` with content-type: ${contentType}`]),
    // A browser asks so whether a web page may call.
    ...(method === "OPTIONS" ? ["; to allow a web page, add its origin to http.cors_origins"] : []),
  ];
  return new GatewayError("METHOD_NOT_FOUND", text.join(""), { allow });
}

/** Shortens a path for an error. */
export function shownPath(path: string): string {
  return path.length > longestPath ? `${path.slice(0, longestPath)}...` : path;
}
