import { askingTests, isAsking } from "./free-variables.ts";
import { type Environment, Interpreter, type Node, type RuntimeValue } from "./jinja.ts";
import { TemplateProblem } from "./problem.ts";

export interface RenderLimits {
  /** The most time that a run may take, in milliseconds. */
  readonly runMs: number;
  /** The most characters of the prompt and of every text on the way to it. */
  readonly characters: number;
  /** The most items of a list. */
  readonly items: number;
  /** The most nodes inside one another, macros that call themselves included. */
  readonly depth: number;
}

/** The clock is read once in so many steps: reading it costs more than a step. An item of a list is a step too. */
const stepsPerLook = 64;

/**
 * Runs a template within limits and as Jinja does with StrictUndefined: a variable or attribute that is not there is an
 * error unless the template asks whether it is (`x is defined`, `x | default`). The library would print it as empty.
 *
 * A function has to be called: the library would print its JavaScript source.
 */
export class StrictInterpreter extends Interpreter {
  readonly #limits: RenderLimits;
  readonly #deadline: number;
  /** Since the clock was read. */
  #steps = 0;
  #depth = 0;
  /** Nodes that may have no value, since the template asks whether they have one. */
  readonly #asked = new WeakSet<Node>();
  /** Nodes that may be functions. */
  readonly #called = new WeakSet<Node>();

  constructor(environment: Environment, limits: RenderLimits) {
    super(environment);
    this.#limits = limits;
    this.#deadline = performance.now() + limits.runMs;
  }

  override evaluate(node: Node | undefined, environment: Environment): RuntimeValue {
    if (node === undefined) return super.evaluate(node, environment);
    this.#note(node);
    const value = this.#evaluateWithin(node, environment);
    if (value === undefined) throw new TemplateProblem("a filter takes an item from an empty list");
    this.#check(node, value);
    return value;
  }

  #evaluateWithin(node: Node, environment: Environment): RuntimeValue | undefined {
    if (this.#depth >= this.#limits.depth) throw new TemplateProblem("it nests too deeply");
    this.#depth += 1;
    try {
      return super.evaluate(node, environment);
    } finally {
      // `break` and `continue` are thrown too.
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

  /** Notes what the place of a node allows for the nodes inside. */
  #note(node: Node): void {
    switch (node.type) {
      case "CallExpression":
        this.#called.add(node.callee);
        return;
      case "CallStatement":
        this.#called.add(node.call.callee);
        return;
      case "TestExpression":
        this.#called.add(node.operand);
        if (askingTests.has(node.test.value)) this.#asked.add(node.operand);
        return;
      case "FilterExpression":
        if (isAsking(node.filter)) this.#asked.add(node.operand);
        return;
      default:
        return;
    }
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
    if (isReference && type === "UndefinedValue" && !this.#asked.has(node)) {
      throw new TemplateProblem(`${describe(node)} is not defined`);
    }
    if (isReference && type === "FunctionValue" && !this.#called.has(node)) {
      throw new TemplateProblem(`${describe(node)} is a function and has to be called`);
    }
    // As in `messages | map(attribute="name")`.
    if (node.type === "FilterExpression" && Array.isArray(value) && value.some(isUndefined)) {
      throw new TemplateProblem("a filter looks for an attribute that is not defined");
    }
  }
}

function isUndefined(item: RuntimeValue): boolean {
  return item.type === "UndefinedValue";
}

/** A reference as the template has it, as far as it consists of names. */
function describe(node: Node): string {
  switch (node.type) {
    case "Identifier":
      return node.value;
    case "MemberExpression": {
      const { object, property, computed } = node;
      if (!computed) return `${describe(object)}.${describe(property)}`;
      return `${describe(object)}[${property.type === "StringLiteral" ? `'${property.value}'` : "…"}]`;
    }
    default:
      return "(…)";
  }
}
