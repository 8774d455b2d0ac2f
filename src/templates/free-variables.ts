import type { Filter, Node, Parameter, Program } from "./jinja.ts";

/** Tests that ask whether there is a value. */
export const askingTests: ReadonlySet<string> = new Set(["defined", "undefined"]);

/** The filter that gives a value where there is none. */
const askingFilter = "default";

type Scope = ReadonlySet<string>;

/**
 * The names that a template uses and nowhere gives a value: not by `set`, as a loop's variable, nor as a macro or its
 * parameter. Names that it asks about (`x is defined`, `x | default`) are left out, since whether they are used then is
 * decided when it runs.
 *
 * Scopes: https://jinja.palletsprojects.com/en/stable/templates/#assignments
 */
export function freeVariables({ body }: Program): readonly string[] {
  const used = new Set<string>();
  const asked = new Set<string>();

  function visitBody(nodes: readonly Node[], scope: Scope): void {
    const inner = new Set([...scope, ...nodes.flatMap(bindings)]);
    for (const node of nodes) visit(node, inner);
  }

  function visitFunction(parameters: readonly Parameter[], nodes: readonly Node[], scope: Scope): void {
    const inner = new Set([...scope, ...parameters.map(parameterName), "caller", "varargs", "kwargs"]);
    for (const parameter of parameters) {
      if (parameter.type === "KeywordArgumentExpression") visit(parameter.value, inner);
    }
    visitBody(nodes, inner);
  }

  function visitFilter(filter: Filter, scope: Scope): void {
    // Its name is no variable.
    if (filter.type === "CallExpression") for (const argument of filter.args) visit(argument, scope);
  }

  function visit(node: Node, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        if (!scope.has(node.value)) used.add(node.value);
        return;
      case "For": {
        const { iterable } = node;
        const inner = new Set([...scope, ...targetNames(node.loopvar), "loop"]);
        visit(iterable.type === "SelectExpression" ? iterable.lhs : iterable, scope);
        if (iterable.type === "SelectExpression") visit(iterable.test, inner);
        visitBody(node.body, inner);
        visitBody(node.defaultBlock, scope);
        return;
      }
      case "Set":
        if (node.assignee.type === "MemberExpression") visit(node.assignee, scope);
        if (node.value !== null) visit(node.value, scope);
        visitBody(node.body, scope);
        return;
      case "Macro":
        visitFunction(node.args, node.body, scope);
        return;
      case "CallStatement":
        visit(node.call, scope);
        visitFunction(node.callerArgs ?? [], node.body, scope);
        return;
      case "MemberExpression":
        visit(node.object, scope);
        if (node.computed) visit(node.property, scope);
        return;
      case "FilterExpression":
        if (isAsking(node.filter) && node.operand.type === "Identifier") asked.add(node.operand.value);
        visit(node.operand, scope);
        visitFilter(node.filter, scope);
        return;
      case "FilterStatement":
        visitBody(node.body, scope);
        visitFilter(node.filter, scope);
        return;
      case "TestExpression":
        if (askingTests.has(node.test.value) && node.operand.type === "Identifier") asked.add(node.operand.value);
        visit(node.operand, scope);
        return;
      case "KeywordArgumentExpression":
        visit(node.value, scope);
        return;
      default:
        for (const child of childrenOf(node)) visit(child, scope);
    }
  }

  visitBody(body, new Set());
  return [...used].filter((name) => !asked.has(name));
}

export function isAsking(filter: Filter): boolean {
  return (
    filter.type === "CallExpression" && filter.callee.type === "Identifier" && filter.callee.value === askingFilter
  );
}

/** The names that a node gives values to in the scope that it stands in. */
function bindings(node: Node): readonly string[] {
  switch (node.type) {
    case "Set":
      return [...targetNames(node.assignee), ...node.body.flatMap(bindings)];
    case "Macro":
      return [node.name.value];
    case "For":
    case "CallStatement":
      return [];
    default:
      return childrenOf(node).flatMap(bindings);
  }
}

function targetNames(target: Node): readonly string[] {
  if (target.type === "Identifier") return [target.value];
  return target.type === "TupleLiteral" ? target.value.flatMap(targetNames) : [];
}

function parameterName(parameter: Parameter): string {
  return parameter.type === "Identifier" ? parameter.value : parameter.key.value;
}

/** The nodes directly inside one. Those of an object literal are in a Map; an operator is a token, which looks alike. */
function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = [];
  const take = (value: unknown): void => {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) value.forEach(take);
    else if (value instanceof Map) for (const pair of value) pair.forEach(take);
  };
  for (const [name, value] of Object.entries(node)) if (name !== "operator") take(value);
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
