/** Whether a response names another model than the requested one, as a router does. A version is not another model. */
export function isOtherModel(model: string, requested: string): boolean {
  const last = (name: string) => name.slice(name.lastIndexOf("/") + 1);
  return !last(model).startsWith(last(requested));
}
