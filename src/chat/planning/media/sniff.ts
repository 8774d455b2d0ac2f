// biome-ignore-all lint/suspicious/noControlCharactersInRegex: the first bytes of most formats are control characters.
/** Beginning of a format. */
interface Signature {
  /** Media types of the format, the most likely first. */
  readonly types: readonly string[];
  /** Form of the first bytes, each as the character with its number (Latin-1). */
  readonly form: RegExp;
}

/** Number of bytes that `sniff` looks at. */
const longestHead = 64;

/** Third bytes of an MPEG frame header without a bit rate or without a sample rate, for a regular expression. */
const withoutRate = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte >> 4 === 0xf || (byte & 0x0c) === 0x0c)
  .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
  .join("");

// Sources: https://mimesniff.spec.whatwg.org/ and the formats' own documents. Signatures of letters only also check a
// byte that text does not have.
const signatures: readonly Signature[] = [
  { types: ["image/png"], form: /^\x89PNG\r\n\x1a\n/ },
  { types: ["image/jpeg"], form: /^\xff\xd8\xff/ },
  { types: ["image/gif"], form: /^GIF8[79]a/ },
  { types: ["image/webp"], form: /^RIFF.{4}WEBP/s },
  { types: ["audio/wav"], form: /^RIFF.{4}WAVE/s },
  { types: ["video/x-msvideo"], form: /^RIFF.{4}AVI /s },
  { types: ["application/pdf"], form: /^(\xef\xbb\xbf)?\s*%PDF-/ },
  { types: ["audio/flac"], form: /^fLaC[\0\x80]/ },
  { types: ["audio/ogg", "audio/opus", "video/ogg"], form: /^OggS\0/ },
  { types: ["audio/mpeg"], form: /^ID3[\0-\x04]/ },
  { types: ["audio/aac"], form: /^\xff[\xf0\xf1\xf8\xf9]/ },
  // Frame header: 11 bits set, MPEG version 1 or 2, layer III, then a bit rate and a sample rate.
  { types: ["audio/mpeg"], form: new RegExp(`^\\xff[\\xe2\\xe3\\xf2\\xf3\\xfa\\xfb](?![${withoutRate}])`) },
  { types: ["image/heic", "image/heif"], form: /^.{4}ftyp(hei[cxms]|hev[cx]|mif1|msf1)/s },
  { types: ["image/avif"], form: /^.{4}ftypavi[fs]/s },
  { types: ["audio/mp4", "video/mp4"], form: /^.{4}ftypM4[AB] /s },
  { types: ["video/quicktime", "video/mp4"], form: /^.{4}ftypqt {2}/s },
  { types: ["video/mp4", "audio/mp4", "video/quicktime", "video/3gpp", "audio/3gpp"], form: /^.{4}ftyp[\w ]{4}/s },
  { types: ["video/webm", "audio/webm"], form: /^\x1aE\xdf\xa3.*webm/s },
  { types: ["video/x-matroska", "audio/x-matroska"], form: /^\x1aE\xdf\xa3.*matroska/s },
  { types: ["image/bmp"], form: /^BM.{4}\0{4}/s },
  { types: ["image/tiff"], form: /^(II\*\0|MM\0\*)/ },
];

/** Returns the media types that bytes can have by their beginning. Undefined: the beginning shows none. */
export function sniff(bytes: Uint8Array): readonly string[] | undefined {
  const { buffer, byteOffset, length } = bytes;
  // One conversion for all signatures: a request can have 60,000 images.
  const head = Buffer.from(buffer, byteOffset, Math.min(length, longestHead)).toString("latin1");
  return signatures.find(({ form }) => form.test(head))?.types;
}
