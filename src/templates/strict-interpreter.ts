import { isAsking } from "./free-variables.ts";
import { type Environment, Interpreter, type Node, type RuntimeValue } from "./jinja.ts";
import { TemplateProblem } from "./problem.ts";

/** Limits of one template run. */
export interface RenderLimits {
  /** Maximum duration in ms. */
  readonly runMs: number;
  /** Maximum characters of the prompt and of every intermediate string. */
  readonly characters: number;
  /** Maximum items of a list. */
  readonly items: number;
  /** Maximum nesting of nodes during evaluation, including recursive macros. */
  readonly depth: number;
}

/** Steps between two clock reads, which cost more than a step. Each evaluated node and each list item is a step. */
const stepsPerLook = 64;

/**
 * Runs a template within limits.
 *
 * A missing variable or attribute is an error, unless the template checks for it: by a test (`x is defined`), by
 * `x | default(…)` or as a condition (`{% if message.tool_calls %}`), as the templates of real models do. The library
 * alone would print an empty string. A function that is not called is an error too: the library alone would print its
 * JavaScript source.
 */
export class StrictInterpreter extends Interpreter {
  readonly #limits: RenderLimits;
  readonly #deadline: number;
  /** Steps since the last clock read. */
  #steps = 0;
  #depth = 0;
  /** Nodes that may be undefined, since the template checks whether they have a value. */
  readonly #mayBeUndefined = new WeakSet<Node>();
  /** Nodes that may be functions, since the template calls or tests them. */
  readonly #mayBeFunction = new WeakSet<Node>();

  constructor(environment: Environment, limits: RenderLimits) {
    super(environment);
    this.#limits = limits;
    this.#deadline = performance.now() + limits.runMs;
  }

  override evaluate(node: Node | undefined, environment: Environment): RuntimeValue {
    if (node === undefined) return super.evaluate(node, environment);
    this.#note(node);
    const value = this.#evaluateWithin(node, environment);
    if (value === undefined) throw new TemplateProblem("a filter such as `first` cannot use an empty list");
    this.#check(node, value);
    return value;
  }

  #evaluateWithin(node: Node, environment: Environment): RuntimeValue | undefined {
    if (this.#depth >= this.#limits.depth) throw new TemplateProblem("it nests too deeply");
    this.#depth += 1;
    try {
      return super.evaluate(node, environment);
    } finally {
      // In `finally`, since the library throws for `break` and `continue`.
      this.#depth -= 1;
    }
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps < stepsPerLook) return;
    this.#steps = 0;
    if (performance.now() > this.#deadline) {
      throw new TemplateProblem(`it takes longer than ${this.#limits.runMs} ms`);
    }
  }

  /** Records which children of a node may be undefined or functions. */
  #note(node: Node): void {
    switch (node.type) {
      case "CallExpression":
        this.#mayBeFunction.add(node.callee);
        return;
      case "CallStatement":
        this.#mayBeFunction.add(node.call.callee);
        return;
      case "TestExpression":
        this.#mayBeFunction.add(node.operand);
        this.#mayBeUndefined.add(node.operand);
        return;
      case "FilterExpression":
        if (isAsking(node.filter)) this.#mayBeUndefined.add(node.operand);
        return;
      case "If":
        this.#noteCondition(node.test);
        return;
      case "Ternary":
        this.#noteCondition(node.condition);
        return;
      case "For":
        if (node.iterable.type === "SelectExpression") this.#noteCondition(node.iterable.test);
        return;
      case "UnaryExpression":
        if (node.operator.value === "not") this.#noteCondition(node.argument);
        return;
      case "BinaryExpression":
        if (isLogical(node)) this.#noteCondition(node.left);
        return;
      default:
        return;
    }
  }

  /** Records that an undefined value of a node is false. */
  #noteCondition(node: Node): void {
    this.#mayBeUndefined.add(node);
    if (isLogical(node)) this.#noteCondition(node.right);
  }

  #check(node: Node, { type, value }: RuntimeValue): void {
    const { characters, items } = this.#limits;
    this.#spend(Array.isArray(value) ? value.length + 1 : 1);
    if (typeof value === "string" && value.length > characters) {
      throw new TemplateProblem(`it builds a text of more than ${characters} characters`);
    }
    if (Array.isArray(value) && value.length > items) {
      throw new TemplateProblem(`it builds a list of more than ${items} items`);
    }
    const isReference = node.type === "Identifier" || node.type === "MemberExpression";
    if ((isReference || isLogical(node)) && type === "UndefinedValue" && !this.#mayBeUndefined.has(node)) {
      throw new TemplateProblem(`${describe(node)} is not defined`);
    }
    if (isReference && type === "FunctionValue" && !this.#mayBeFunction.has(node)) {
      throw new TemplateProblem(`${describe(node)} is a function; call it`);
    }
    // For example, `messages | map(attribute="name")`.
    if (node.type === "FilterExpression" && Array.isArray(value) && value.some(isUndefined)) {
      throw new TemplateProblem("a filter uses an attribute that is not defined");
    }
  }
}

type BinaryExpression = Extract<Node, { readonly type: "BinaryExpression" }>;

/** Whether a node is `and` or `or`, which return one of their operands. */
function isLogical(node: Node): node is BinaryExpression {
  return node.type === "BinaryExpression" && (node.operator.value === "and" || node.operator.value === "or");
}

function isUndefined(item: RuntimeValue): boolean {
  return item.type === "UndefinedValue";
}

/** Formats a reference as in the template. Parts that are not names become `…`. */
function describe(node: Node): string {
  switch (node.type) {
    case "Identifier":
      return node.value;
    case "MemberExpression": {
      const { object, property, computed } = node;
      if (!computed) return `${describe(object)}.${describe(property)}`;
      return `${describe(object)}[${property.type === "StringLiteral" ? `'${property.value}'` : "…"}]`;
    }
    case "BinaryExpression":
      return `${describe(node.left)} ${node.operator.value} ${describe(node.right)}`;
    default:
      return "(…)";
  }
}
