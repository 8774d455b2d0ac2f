import { GatewayError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";

/** Longest path that an error repeats, in characters. */
const longestPath = 120;

/**
 * Makes the function that creates the error for a path without a method. The error names the method that was probably
 * meant, or those that exist.
 *
 * @param paths paths of all methods, such as `/dragoman.v1.ChatService/CompleteChat`
 */
export function createMethodNotFound(paths: Iterable<string>): (path: string) => GatewayError {
  const methods = [...paths].map((path) => ({ path, ...namesOf(path) }));
  const services = [...new Set(methods.map(({ service }) => service))];

  function hint(path: string): string {
    const written = namesOf(path);
    const suffix = `.${written.service}`.toLowerCase();
    const service =
      nearest(written.service, services, 1)[0] ?? services.find((name) => name.toLowerCase().endsWith(suffix));
    const candidates = methods.filter((method) => service === undefined || method.service === service);
    const isSame = ({ name }: { readonly name: string }) => name.toLowerCase() === written.name.toLowerCase();
    const [near] = nearest(
      written.name,
      candidates.map(({ name }) => name),
      1,
    );
    const begins = ({ name }: { readonly name: string }) =>
      written.name !== "" && name.toLowerCase().startsWith(written.name.toLowerCase());
    const found =
      candidates.find(isSame) ?? (service && (candidates.find(begins) ?? candidates.find(({ name }) => name === near)));
    if (found) return `did you mean ${found.path}?`;
    if (service !== undefined) return `${service} has ${candidates.map(({ name }) => name).join(", ")}`;
    return `call a method of ${services.join(", ")}`;
  }

  return (path) => {
    const shown = path.length > longestPath ? `${path.slice(0, longestPath)}...` : path;
    return new GatewayError("METHOD_NOT_FOUND", `unknown method ${shown}; ${hint(path)}`);
  };
}

function namesOf(path: string): { readonly service: string; readonly name: string } {
  const [service = "", name = ""] = path.split("/").filter((segment) => segment !== "");
  return { service, name };
}
