/** Name of a tool in this API. */
export interface ToolName {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly isCustom: boolean;
}

/** Returns the name of a function for a tool in a namespace: the contract has no namespaces. */
export function joinedName(name: string, namespace?: string | null): string {
  if (!namespace) return name;
  return namespace.endsWith("__") ? namespace + name : `${namespace}__${name}`;
}

/** Names of the tools of a request, by the names of their functions. */
export class ToolNames {
  readonly #names = new Map<string, ToolName>();

  add(tool: ToolName): string {
    const joined = joinedName(tool.name, tool.namespace);
    if (!this.#names.has(joined)) this.#names.set(joined, tool);
    return joined;
  }

  /** Returns the name of a called function in this API. A model can call a function that the request does not have. */
  of(joined: string): ToolName {
    return this.#names.get(joined) ?? { name: joined, isCustom: false };
  }
}
