import type { Filter, Node, Parameter, Program } from "./jinja.ts";

/** Jinja tests that check whether a variable has a value. */
const askingTests: ReadonlySet<string> = new Set(["defined", "undefined"]);

/** Jinja filter that replaces a missing value, and so also checks whether there is a value. */
const askingFilter = "default";

type Scope = ReadonlySet<string>;

/**
 * Returns the names that a template uses but never binds by `set`, `for`, `macro` or as a macro parameter. Omits names
 * that it checks (`x is defined`, `x | default(…)`), since only a run shows whether they are used without a value.
 *
 * Scopes: https://jinja.palletsprojects.com/en/stable/templates/#assignments
 */
export function freeVariables({ body }: Program): readonly string[] {
  const used = new Set<string>();
  const checked = new Set<string>();

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
    // The filter's name is not a variable, but its arguments can be.
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
        if (isAsking(node.filter) && node.operand.type === "Identifier") checked.add(node.operand.value);
        visit(node.operand, scope);
        visitFilter(node.filter, scope);
        return;
      case "FilterStatement":
        visitBody(node.body, scope);
        visitFilter(node.filter, scope);
        return;
      case "TestExpression":
        if (askingTests.has(node.test.value) && node.operand.type === "Identifier") checked.add(node.operand.value);
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
  return [...used].filter((name) => !checked.has(name));
}

/** Returns whether a filter is `default(…)`. */
export function isAsking(filter: Filter): boolean {
  return (
    filter.type === "CallExpression" && filter.callee.type === "Identifier" && filter.callee.value === askingFilter
  );
}

/** Returns the names that a node binds in its surrounding scope. */
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

/** Returns the child nodes. The key `operator` is skipped, since its value is a token that looks like a node. */
function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = [];
  const take = (value: unknown): void => {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) value.forEach(take);
    // Object literals keep their children in a Map.
    else if (value instanceof Map) for (const pair of value) pair.forEach(take);
  };
  for (const [name, value] of Object.entries(node)) if (name !== "operator") take(value);
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
