import type { JsonForm } from "../../src/config/json-forms.ts";
import { sameAs } from "./configuration-page.ts";
import { modelKeys } from "./model-keys.ts";
import { serviceKeys } from "./service-keys.ts";

const meanings: Readonly<Record<string, string>> = { ...serviceKeys, ...modelKeys };

/** Returns a form with the meaning of each of its keys in front of what to write, for editors. */
export function withMeanings(form: JsonForm, path = ""): JsonForm {
  const { properties, additionalProperties, items } = form;
  const described = path === "" ? form : { ...form, ...describe(form, path) };
  return {
    ...described,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [
          key,
          below(value, path === "" ? key : path === "providers" ? "" : `${path}.${key}`),
        ]),
      ),
    }),
    ...(typeof additionalProperties === "object" && {
      additionalProperties: below(additionalProperties, `${path}.<id>`),
    }),
    ...(typeof items === "object" && !Array.isArray(items) && { items: below(items, `${path}[]`) }),
  };
}

/** Sections of known providers refer to a definition, and have no path of their own. */
function below(form: JsonForm | boolean, path: string): JsonForm | boolean {
  return typeof form === "boolean" || path === "" ? form : withMeanings(form, path);
}

function describe({ description }: JsonForm, path: string): Pick<JsonForm, "description"> {
  const meaning = meaningOf(path);
  if (meaning === undefined) return {};
  const text = meaning.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").replaceAll("\\*", "*");
  return { description: description === undefined ? text : `${text} ${description}` };
}

function meaningOf(path: string): string | undefined {
  const [alias] = Object.entries(sameAs).filter(([key]) => path === key || path.startsWith(key));
  if (alias !== undefined) return meanings[path.replace(...alias)];
  return meanings[path] ?? meanings[path.replace(/^deployments/, "models")];
}
