/** Returns characters that are spread over a range of code points, without surrogates. The same in every run. */
function spread(from: number, to: number, count: number): string {
  const points = Array.from({ length: count }, (_, index) => from + ((index * 7919 + index * index) % (to - from)));
  return points.map((point) => (point >= 0xd800 && point < 0xe000 ? "?" : String.fromCodePoint(point))).join("");
}

function pick(characters: string, count: number): string {
  return Array.from(
    { length: count },
    (_, index) => characters[(index * 7919 + index * index) % characters.length],
  ).join("");
}

/** Texts that nobody writes, whose tokens are much shorter than those of other texts. */
export const artificialTexts: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [".", "=", "a", "0", "\n", "\t", " ", "\r", "\0", "\u007f", "¤", "{", '"', "\\", "\u3000", "\u200d", "\u0301"].map(
      (character) => [`repeated ${JSON.stringify(character)}`, character.repeat(600)],
    ),
  ),
  signs: pick("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 600),
  "control characters": spread(0, 0x20, 600),
  blanks: pick(" \t\n\r", 600),
  consonants: pick("bcdfghjklmnpqrstvwxz", 600),
  digits: pick("0123456789", 600),
  "Base64 and hexadecimal digits": Buffer.from(pick("0123456789abcdef\u00ff\u0001", 600), "latin1").toString("base64"),
  "unassigned characters": spread(0x2c00, 0x2d00, 300) + spread(0xfc00, 0xfe00, 300),
  "private characters": spread(0xe000, 0xf8ff, 300),
  "rare planes": spread(0x10000, 0x20000, 300) + spread(0xe0000, 0x10ffff, 300),
  emoji: "👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪".repeat(20),
  "half surrogate pairs": "\ud83d ".repeat(200) + "\udc00".repeat(100),
  "mixed scripts": Array.from(
    { length: 60 },
    (_, index) => `${spread(0x400 + index * 97, 0x460 + index * 97, 3)}a1`,
  ).join(""),
  "combined letters": Array.from({ length: 80 }, (_, index) => `a${spread(0x300 + index, 0x36f, 5)}`).join(""),
  "a schema of tools": JSON.stringify({
    type: "object",
    properties: { [pick("abc_", 200)]: { enum: ["", "\u0001"] } },
  }),
};
