import * as library from "@huggingface/jinja";

// Types for the parts of @huggingface/jinja 0.5.11 that Dragoman uses. The library's declarations cannot be used: they
// import each other without file extensions, which TypeScript does not resolve in ES modules.

interface Shape<Type extends string> {
  readonly type: Type;
}

interface Identifier extends Shape<"Identifier"> {
  readonly value: string;
}

interface CallExpression extends Shape<"CallExpression"> {
  readonly callee: Node;
  readonly args: readonly Node[];
}

interface MemberExpression extends Shape<"MemberExpression"> {
  readonly object: Node;
  readonly property: Node;
  /** True for `a[b]`, false for `a.b`. */
  readonly computed: boolean;
}

interface KeywordArgument extends Shape<"KeywordArgumentExpression"> {
  readonly key: Identifier;
  readonly value: Node;
}

export type Parameter = Identifier | KeywordArgument;

/** A filter: its name, or a call with arguments. */
export type Filter = Identifier | CallExpression;

export interface Program extends Shape<"Program"> {
  readonly body: readonly Node[];
}

/** A node of a template's syntax tree. The properties of nodes are declared only if Dragoman reads them. */
export type Node =
  | Program
  | Identifier
  | CallExpression
  | MemberExpression
  | KeywordArgument
  | (Shape<"For"> & {
      readonly loopvar: Node;
      readonly iterable: Node;
      readonly body: readonly Node[];
      readonly defaultBlock: readonly Node[];
    })
  | (Shape<"Set"> & { readonly assignee: Node; readonly value: Node | null; readonly body: readonly Node[] })
  | (Shape<"Macro"> & {
      readonly name: Identifier;
      readonly args: readonly Parameter[];
      readonly body: readonly Node[];
    })
  | (Shape<"CallStatement"> & {
      readonly call: CallExpression;
      readonly callerArgs: readonly Parameter[] | null;
      readonly body: readonly Node[];
    })
  | (Shape<"FilterExpression"> & { readonly operand: Node; readonly filter: Filter })
  | (Shape<"FilterStatement"> & { readonly filter: Filter; readonly body: readonly Node[] })
  | (Shape<"TestExpression"> & { readonly operand: Node; readonly test: Identifier })
  | (Shape<"SelectExpression"> & { readonly lhs: Node; readonly test: Node })
  | (Shape<"TupleLiteral"> & { readonly value: readonly Node[] })
  | (Shape<"StringLiteral"> & { readonly value: string })
  | (Shape<"If"> & { readonly test: Node })
  | (Shape<"Ternary"> & { readonly condition: Node })
  | (Shape<"UnaryExpression"> & { readonly operator: Token; readonly argument: Node })
  | (Shape<"BinaryExpression"> & { readonly operator: Token; readonly left: Node; readonly right: Node })
  | Shape<"Break" | "Continue" | "Comment" | "IntegerLiteral" | "FloatLiteral" | "ArrayLiteral">
  | Shape<"ObjectLiteral" | "SliceExpression">
  | Shape<"SpreadExpression" | "KeywordSpreadExpression">;

export interface Token {
  readonly value: string;
  readonly type: string;
}

/** A value at run time. `type` is, for example, `StringValue`, `ArrayValue` or `UndefinedValue`. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** The variables of a template. */
export interface Environment {
  /** Adds a variable. Throws if the name is already used. */
  set(name: string, value: unknown): RuntimeValue;
}

interface Interpreter {
  run(program: Program): RuntimeValue;
  /** Evaluates a node. The interpreter calls it for every node, nested ones included. */
  evaluate(node: Node | undefined, environment: Environment): RuntimeValue;
}

interface Jinja {
  readonly Environment: new () => Environment;
  readonly Interpreter: new (environment: Environment) => Interpreter;
  tokenize(source: string, options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean }): Token[];
  parse(tokens: readonly Token[]): Program;
}

export const { Environment, Interpreter, parse, tokenize }: Jinja = library;
