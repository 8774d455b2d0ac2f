/** The entry of a table for a word that comes from outside. Undefined for words that only an object's prototype has. */
export function lookUp<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
