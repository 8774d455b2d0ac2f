/** Bytes at the beginning of a format. */
interface Signature {
  /** Media types of the format, the most likely first. */
  readonly types: readonly string[];
  matches(bytes: Uint8Array): boolean;
}

/** Number of bytes that `sniff` looks at. */
const longestHead = 64;

const ascii = (bytes: Uint8Array, from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
const begins =
  (...head: readonly number[]) =>
  (bytes: Uint8Array) =>
    head.every((byte, index) => bytes[index] === byte);
const riff = (form: string) => (bytes: Uint8Array) => ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === form;
const brand = (pattern: RegExp) => (bytes: Uint8Array) =>
  ascii(bytes, 4, 8) === "ftyp" && pattern.test(ascii(bytes, 8, 12));
const doctype = (name: string) => (bytes: Uint8Array) =>
  begins(0x1a, 0x45, 0xdf, 0xa3)(bytes) && ascii(bytes, 4, longestHead).includes(name);

// Sources: https://mimesniff.spec.whatwg.org/ and the formats' own documents. Signatures of letters only also check a
// byte that text does not have.
const signatures: readonly Signature[] = [
  { types: ["image/png"], matches: begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) },
  { types: ["image/jpeg"], matches: begins(0xff, 0xd8, 0xff) },
  { types: ["image/gif"], matches: (bytes) => /^GIF8[79]a/.test(ascii(bytes, 0, 6)) },
  { types: ["image/webp"], matches: riff("WEBP") },
  { types: ["audio/wav"], matches: riff("WAVE") },
  { types: ["video/x-msvideo"], matches: riff("AVI ") },
  { types: ["application/pdf"], matches: (bytes) => /^(\xef\xbb\xbf)?\s*%PDF-/.test(ascii(bytes, 0, longestHead)) },
  { types: ["audio/flac"], matches: (bytes) => ascii(bytes, 0, 4) === "fLaC" && ((bytes[4] ?? 1) & 0x7f) === 0 },
  { types: ["audio/ogg", "audio/opus", "video/ogg"], matches: (bytes) => ascii(bytes, 0, 5) === "OggS\0" },
  { types: ["audio/mpeg"], matches: (bytes) => ascii(bytes, 0, 3) === "ID3" && (bytes[3] ?? 9) < 5 },
  { types: ["audio/aac"], matches: (bytes) => bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xf6) === 0xf0 },
  // Frame header: 11 bits set, MPEG version 1 or 2, layer III, a bit rate, a sample rate.
  {
    types: ["audio/mpeg"],
    matches: ([one = 0, two = 0, three = 0]) =>
      one === 0xff && (two & 0xe6) === 0xe2 && (two & 0x18) !== 0x08 && three >> 4 !== 0xf && (three & 0x0c) !== 0x0c,
  },
  { types: ["image/heic", "image/heif"], matches: brand(/^(hei[cxms]|hev[cx]|mif1|msf1)/) },
  { types: ["image/avif"], matches: brand(/^avi[fs]/) },
  { types: ["audio/mp4", "video/mp4"], matches: brand(/^M4[AB] /) },
  { types: ["video/quicktime", "video/mp4"], matches: brand(/^qt {2}/) },
  { types: ["video/mp4", "audio/mp4", "video/quicktime", "video/3gpp", "audio/3gpp"], matches: brand(/^[\w ]{4}/) },
  { types: ["video/webm", "audio/webm"], matches: doctype("webm") },
  { types: ["video/x-matroska", "audio/x-matroska"], matches: doctype("matroska") },
  { types: ["image/bmp"], matches: (bytes) => ascii(bytes, 0, 2) === "BM" && ascii(bytes, 6, 10) === "\0\0\0\0" },
  { types: ["image/tiff"], matches: (bytes) => /^(II\*\0|MM\0\*)/.test(ascii(bytes, 0, 4)) },
];

/** Returns the media types that bytes can have by their beginning. Undefined: the beginning shows none. */
export function sniff(bytes: Uint8Array): readonly string[] | undefined {
  const head = bytes.subarray(0, longestHead);
  return signatures.find(({ matches }) => matches(head))?.types;
}
