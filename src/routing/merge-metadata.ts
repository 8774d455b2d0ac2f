type Fields = Readonly<Record<string, unknown>>;

/**
 * Merges the `provider_metadata_json` of the responses for single choices, in the order of the choices. Fields that are
 * equal in all of them stay as they are; the list `choices` has the other fields, with the index of their choice.
 */
export function mergeMetadata(texts: readonly string[]): string {
  const all = texts.map((json): Fields => (json === "" ? {} : JSON.parse(json)));
  const [first = {}, ...others] = all;
  const isCommon = (name: string) => {
    const json = JSON.stringify(first[name]);
    return name !== "choices" && others.every((fields) => JSON.stringify(fields[name]) === json);
  };
  const common = Object.keys(first).filter(isCommon);
  const choices = all.flatMap((fields, index) => {
    const own = Object.entries(fields).filter(([name]) => !common.includes(name));
    return own.length === 0 ? [] : [{ index, ...Object.fromEntries(own) }];
  });
  const merged = {
    ...Object.fromEntries(common.map((name) => [name, first[name]])),
    ...(choices.length > 0 && { choices }),
  };
  return Object.keys(merged).length === 0 ? "" : JSON.stringify(merged);
}
