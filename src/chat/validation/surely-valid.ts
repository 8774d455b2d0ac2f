import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { compileFunction } from "../../compile-function.ts";
import { validitySource } from "./validity-source.ts";

/**
 * Whether a message satisfies the proto annotations for sure. Protovalidate decides about all other messages, and says
 * what is wrong with them. The annotations are compiled, because protovalidate takes 50 times as long.
 */
export function isSurelyValid<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): boolean {
  return checkOf(schema).isValid(message);
}

/** Has a property, because messages contain themselves: the check of one is called before it is compiled. */
interface Check {
  isValid(message: unknown): boolean;
}

const checks = new Map<DescMessage, Check>();

const always = (): boolean => true;
const unsure = (): boolean => false;

function checkOf(schema: DescMessage): Check {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const check: Check = { isValid: unsure };
  checks.set(schema, check);
  check.isValid = compile(schema);
  return check;
}

function compile(schema: DescMessage): Check["isValid"] {
  const used: Record<string, Check> = {};
  const source = validitySource(schema, (message) => {
    // They have no rules, and messages can have other values in place of them.
    if (message.file.proto.package === "google.protobuf") return undefined;
    const check = checkOf(message);
    if (check.isValid === always) return undefined;
    const name = message.typeName.replaceAll(".", "_");
    used[name] = check;
    return name;
  });
  if (source === "") return always;
  const file = new URL(`./compiled/${schema.typeName}.js`, import.meta.url);
  // The cast is safe: the source is that of such a function.
  return (compileFunction(`return (m) => {\n${source}\nreturn true;\n};`, used, file) ?? unsure) as Check["isValid"];
}
