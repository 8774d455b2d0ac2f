/**
 * Returns the URL of a module for a thread or a process. The name has no extension: modules end in `.ts` in the
 * repository, and in `.js` in the package.
 *
 * @param name path of the module, relative to the module that calls
 * @param caller `import.meta.url` of the module that calls
 */
export function moduleUrl(name: string, caller: string): URL {
  return new URL(`${name}${caller.slice(caller.lastIndexOf("."))}`, caller);
}
