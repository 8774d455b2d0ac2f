/** Maximum length of the part of a `data:` URI before the comma, in characters. */
const longestHead = 512;

/** Bytes of a `data:` URI with its media type. */
interface UriData {
  readonly data: Buffer;
  /** Media type with the parameter `charset` if it has one. Empty if the URI has none. */
  readonly mediaType: string;
}

/** Decodes a `data:` URI (RFC 2397). Undefined: the text is none, or its base64 is invalid. */
export function dataOfUri(address: string): UriData | undefined {
  const comma = address.indexOf(",");
  // Regexes on long texts can take quadratic time. Media types and their parameters are short.
  if (!/^\s*data:/i.test(address.slice(0, 16)) || comma < 0 || comma > longestHead) return undefined;
  const head = address.slice(0, comma).trim().slice("data:".length);
  const text = address.slice(comma + 1);
  const [type = "", ...parameters] = head.split(";").map((one) => one.trim());
  const charset = parameters.filter((one) => /^charset=/i.test(one));
  const isBase64 = parameters.at(-1)?.toLowerCase() === "base64";
  const data = isBase64 ? decodeBase64(text.includes("%") ? unescaped(text) : text) : unescapedBytes(text);
  return data && { data, mediaType: [type, ...charset].join(";").slice(0, 127) };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Replaces each escaped byte, such as `%89`. The bytes need not be text. */
function unescapedBytes(text: string): Buffer {
  const given = Buffer.from(text);
  const bytes = Buffer.alloc(given.length);
  let length = 0;
  for (let at = 0; at < given.length; at++) {
    const digits = given[at] === 0x25 ? given.toString("latin1", at + 1, at + 3) : "";
    const isEscaped = /^[\da-f]{2}$/i.test(digits);
    bytes[length++] = isEscaped ? Number.parseInt(digits, 16) : (given[at] ?? 0);
    if (isEscaped) at += 2;
  }
  return bytes.subarray(0, length);
}

/**
 * Decodes base64 text (RFC 4648), in both alphabets, with or without padding and line breaks. Returns undefined if the
 * text is not base64.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = /\s/.test(text) ? text.replaceAll(/\s+/g, "") : text;
  // Search for what is invalid instead of matching the whole text: a regex with a repeated group overflows the stack on
  // megabytes.
  if (/[^A-Za-z0-9+/=_-]|=[^=]|={3}/.test(compact)) return undefined;
  const padding = compact.endsWith("==") ? 2 : compact.endsWith("=") ? 1 : 0;
  if ((compact.length - padding) % 4 === 1) return undefined;
  // `Buffer.from` reads both alphabets.
  return Buffer.from(compact, "base64");
}
