import { z } from "zod";
import { type JsonForm, jsonForms } from "./json-forms.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { fileSchema } from "./schema.ts";

const providerReference = "#/definitions/provider";

/**
 * Returns the JSON Schema (draft 7) of the configuration file, for editors and for the Helm chart. It accepts every file
 * that the service accepts, and rejects unknown keys and values of a wrong form. The service alone knows what depends on
 * other keys, on variables and on files.
 *
 * @param providers known providers; the schema has the options of each
 */
export function configJsonSchema(providers: readonly ConfigurableProvider[]): JsonForm {
  const file = toJsonSchema(fileSchema);
  const entries = propertyOf(file, "providers");
  const provider = entries.additionalProperties;
  if (typeof provider !== "object") throw new Error("the schema has no section of a provider");
  entries.additionalProperties = { $ref: providerReference };
  entries.properties = Object.fromEntries(
    providers.flatMap(({ name, optionsSchema }) => {
      if (optionsSchema === undefined) return [];
      const options = acceptNull(withoutVersion(toJsonSchema(optionsSchema)));
      return [[name, acceptNull({ type: "object", allOf: [{ $ref: providerReference }], properties: { options } })]];
    }),
  );
  return { ...file, title: "Configuration of Dragoman", definitions: { provider } };
}

function toJsonSchema(schema: z.core.$ZodType): JsonForm {
  const json = z.toJSONSchema(schema, {
    target: "draft-07",
    io: "input",
    metadata: jsonForms,
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      // A check before a section: what the check knows is not in the schema.
      if (def.type === "pipe" && def.out._zod.def.type !== "transform") {
        Object.assign(jsonSchema, withoutVersion(toJsonSchema(def.out)));
      }
    },
  });
  return withEmptyKeys(json);
}

/** Accepts null at every key that is not required: the service ignores keys without a value. */
function withEmptyKeys({ propertyNames: _, ...form }: JsonForm): JsonForm {
  const { properties, additionalProperties, items, required = [] } = form;
  if (properties !== undefined) {
    form.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [
        name,
        required.includes(name) ? withEmptyKeysIn(property) : acceptNull(withEmptyKeysIn(property)),
      ]),
    );
  }
  if (typeof additionalProperties === "object") {
    form.additionalProperties = acceptNull(withEmptyKeysIn(additionalProperties));
  }
  if (typeof items === "object" && !Array.isArray(items)) form.items = withEmptyKeysIn(items);
  return form;
}

function withEmptyKeysIn(form: JsonForm | boolean): JsonForm {
  return typeof form === "boolean" ? {} : withEmptyKeys(form);
}

function acceptNull(form: JsonForm): JsonForm {
  const { type, anyOf } = form;
  if (anyOf !== undefined)
    return anyOf.some((one) => isNull(one)) ? form : { ...form, anyOf: [...anyOf, { type: "null" }] };
  // The type list is valid JSON Schema, which zod's type of one does not know.
  return type === undefined || Array.isArray(type) ? form : { ...form, type: [type, "null"] as unknown as "null" };
}

const isNull = (form: JsonForm | boolean) => typeof form === "object" && form.type === "null";

function withoutVersion({ $schema: _, ...form }: JsonForm): JsonForm {
  return form;
}

function propertyOf({ properties = {} }: JsonForm, name: string): JsonForm {
  const property = properties[name];
  if (typeof property !== "object") throw new Error(`the schema has no property ${name}`);
  return property;
}
