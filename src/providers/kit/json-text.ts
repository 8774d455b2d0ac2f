// Exact texts inside JSON text. A parsed value loses the digits of large numbers, the escapes and the spaces.

/** Returns the exact text of each member of a JSON object, by name. Empty for other values. `json` must be valid. */
export function membersOf(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const member of elementsOf(json, "{")) {
    const end = endOfString(member, 0);
    members.set(JSON.parse(member.slice(0, end + 1)), member.slice(member.indexOf(":", end) + 1).trim());
  }
  return members;
}

/**
 * Returns the exact text of a value inside JSON objects, which `path` names from the outside in. Empty if there is
 * none.
 */
export function memberAt(json: string, ...path: readonly string[]): string {
  return path.reduce((text, name) => membersOf(text).get(name) ?? "", json);
}

/** Returns the exact text of each item of a JSON list. Empty for other values. `json` must be valid. */
export function itemsOf(json: string): readonly string[] {
  return elementsOf(json, "[");
}

/** Returns the text of a JSON object with these members. */
export function objectOf(members: Iterable<readonly [name: string, text: string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

/** Returns the texts between the commas of an object or a list. */
function elementsOf(json: string, open: "{" | "["): readonly string[] {
  const begin = json.search(/\S/);
  if (json[begin] !== open) return [];
  const elements: string[] = [];
  let from = begin + 1;
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    switch (json[at]) {
      case '"':
        at = endOfString(json, at);
        break;
      case "{":
      case "[":
        depth++;
        break;
      case "}":
      case "]":
        depth--;
        break;
    }
    if (depth < 0 || (depth === 0 && json[at] === ",")) {
      const element = json.slice(from, at).trim();
      if (element !== "") elements.push(element);
      if (depth < 0) break;
      from = at + 1;
    }
  }
  return elements;
}

/** Returns the index of the quote that ends the string that begins at `open`. */
function endOfString(json: string, open: number): number {
  let end = open;
  do end = json.indexOf('"', end + 1);
  while (end >= 0 && isEscaped(json, end));
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}
