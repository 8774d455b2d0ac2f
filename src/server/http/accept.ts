/**
 * Returns the content type that an Accept header prefers (RFC 9110, section 12.5.1). Of equal ones, and if it accepts
 * none, the first of `types`.
 */
export function preferredType<Type extends string>(accept = "*/*", types: readonly [Type, ...Type[]]): Type {
  const ranges = accept.split(",").map((range) => {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    return { name, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
  });
  const qualityOf = (type: Type): number => {
    const names = [type, `${type.split("/", 1)[0]}/*`, "*/*"];
    // The most specific range decides.
    for (const name of names) {
      const range = ranges.find((candidate) => candidate.name === name);
      if (range !== undefined) return range.quality;
    }
    return 0;
  };
  return types.reduce((best, type) => (qualityOf(type) > qualityOf(best) ? type : best));
}
