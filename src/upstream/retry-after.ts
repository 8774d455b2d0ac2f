/**
 * Returns the provider's requested retry delay in ms, from `retry-after-ms`, else from `retry-after` (seconds or HTTP
 * date). Undefined if neither header is valid. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(header: (name: string) => string | undefined, now: number): number | undefined {
  const milliseconds = number(header("retry-after-ms"));
  if (milliseconds !== undefined) return Math.ceil(milliseconds);
  const text = header("retry-after") ?? "";
  const seconds = number(text);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  // HTTP dates begin with a weekday. Without this check, Date.parse would accept "-3" as a date.
  const date = /^[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}
