import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownNames, renderStrictly } from "../../src/templates/render-strictly.ts";
import { runLimits } from "../../src/templates/template-job.ts";

const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hi" },
];
const render = (source: string, variables: object = {}) =>
  renderStrictly({ source, variables: { messages, bos_token: "<s>", eos_token: "</s>", ...variables } });
const problem = (text: string) => ({ problem: expect.stringContaining(text) });

describe("a template that a caller sent", () => {
  it.each([
    ["{% for m in messages %}{{ m.content }}{% endfor %}", "Be brief.Hi"],
    ["{{ bos_token }}{{ messages[0]['role'] }}{{ eos_token }}", "<s>system</s>"],
    ["{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.content | upper }}{% endfor %}", "1HI"],
    ["{% set messages = messages[1:] %}{{ messages | length }}", "1"],
    ["{% set ns = namespace(n=0) %}{% for i in range(1, 5, 2) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "4"],
    ["{% macro turn(m, end='.') %}{{ m.role }}{{ end }}{% endmacro %}{{ turn(messages[0]) }}", "system."],
    ["{% for k, v in messages[0].items() %}{{ k }}{% endfor %}", "rolecontent"],
    ["{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% endfor %}", "user"],
    ["{{ 'tool_calls' in messages[0] }}", "false"],
    ["{{ 'x' if false }}", ""],
    ["no Jinja at all", "no Jinja at all"],
  ])("renders the template %s", (source, prompt) => {
    expect(render(source)).toEqual({ prompt });
  });

  it.each([
    ["{{ foo }}", "foo"],
    ["{% if false %}{{ foo }}{% endif %}", "foo"],
    ["{{ messages[foo] }}", "foo"],
    ["{{ messages | join(foo) }}", "foo"],
    ["{{ foo() }}", "foo"],
    ["{{ {'a': foo} }}", "foo"],
    ["{% for m in messages %}{% endfor %}{{ m }}", "m"],
    ["{% for m in messages %}{% set last = m %}{% endfor %}{{ last }}", "last"],
    ["{% macro f(a) %}{{ a }}{% endmacro %}{{ a }}", "a"],
    ["{{ add_generation_prompt }}", "add_generation_prompt"],
    ["{% if foo %}x{% endif %}", "foo"],
    ["{{ foo and foo.bar }}", "foo"],
  ])("rejects an unknown variable: %s", (source, name) => {
    expect(render(source)).toEqual(problem(`unknown variable ${name};`));
  });

  it("reports any unknown variable by name", () => {
    const name = fc.stringMatching(/^[a-z_]\w{0,12}$/).filter((word) => {
      const keywords = ["and", "or", "not", "in", "is", "if", "else", "messages", "bos_token", "eos_token"];
      return !keywords.includes(word) && !ownNames.has(word);
    });
    fc.assert(
      fc.property(name, (unknown) => {
        expect(render(`{{ ${unknown} }}`)).toEqual(problem(unknown));
        expect(render(`{{ ${unknown} }}`, { [unknown]: "mine" })).toEqual({ prompt: "mine" });
        expect(render(`{% set ${unknown} = 1 %}{{ ${unknown} }}`)).toEqual({ prompt: "1" });
      }),
    );
  });

  it.each([
    ["{{ foo is defined }}", "false"],
    ["{{ foo is not defined }}", "true"],
    ["{{ foo | default('d') }}", "d"],
    ["{{ messages[0].name is defined }}", "false"],
    ["{{ messages[0].name | default('nobody') }}", "nobody"],
    ["{% if foo is defined and foo %}x{% endif %}", ""],
    ["{% if messages[0].tool_calls %}x{% endif %}", ""],
    ["{% if not messages[0].tool_calls %}x{% endif %}", "x"],
    ["{% if loop is not defined or messages[0].name or messages[0].tool_calls %}x{% endif %}", "x"],
    ["{{ 'x' if messages[0].name else 'y' }}", "y"],
    ["{{ messages[0].name or 'nobody' }}", "nobody"],
    ["{% for m in messages if m.name %}x{% endfor %}", ""],
    ["{{ messages[0].reasoning_content is string }}", "false"],
  ])("lets a template check whether a value exists: %s", (source, prompt) => {
    expect(render(source)).toEqual({ prompt });
  });

  it.each([
    ["{% if foo is defined %}{% endif %}{{ foo }}", "foo is not defined"],
    ["{{ late }}{% set late = 1 %}", "late is not defined"],
    ["{{ messages[0].name }}", ".name is not defined"],
    ["{{ messages[0]['tool_calls'] }}", "['tool_calls'] is not defined"],
    ["{{ messages[0].name or messages[0].tool_calls }}", ".tool_calls is not defined"],
    ["{{ messages[0].tool_calls and 'x' }}", ".tool_calls and (…) is not defined"],
    ["{{ messages[9] }}", "messages[…] is not defined"],
    ["{{ messages | map(attribute='name') | join }}", "not defined"],
    ["{{ [] | first }}", "empty list"],
    ["{{ loop }}", "loop is not defined"],
  ])("rejects a missing value instead of printing an empty string: %s", (source, why) => {
    expect(render(source)).toEqual(problem(why));
  });

  it.each([
    "{{ messages.constructor }}",
    "{{ messages['constructor'] }}",
    "{{ messages[0].constructor }}",
    "{{ messages[0]['__proto__'] }}",
    "{{ messages.__proto__ }}",
    "{{ messages.map }}",
    "{{ messages.prototype }}",
    "{{ ''.__class__ }}",
    "{{ ''.constructor }}",
    "{{ ''.upper.constructor }}",
    "{{ range.constructor }}",
    "{{ raise_exception.caller }}",
    "{{ range }}",
    "{{ 'a' ~ raise_exception }}",
    "{{ [range] }}",
    "{{ ''.upper }}",
    "{{ namespace.constructor }}",
    "{{ namespace().__proto__ }}",
    "{{ (1).constructor }}",
    "{{ messages | attr('constructor') }}",
    "{{ messages | map(attribute='constructor') }}",
    "{{ process.env }}",
    "{{ globalThis }}",
    "{{ self }}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% extends 'x' %}",
  ])("rejects access to JavaScript internals: %s", (source) => {
    expect(render(source)).toHaveProperty("problem");
  });

  it("returns the text that a template raises, truncated to 1000 characters", () => {
    expect(render("{{ raise_exception('roles must alternate') }}")).toEqual(problem("roles must alternate"));
    expect(render("{{ raise_exception(x) }}", { x: "é".repeat(9999) })).toEqual({
      problem: expect.stringMatching(/^.{1,1001}$/),
    });
  });

  it.each([
    ["{% if %}", "line 1: "],
    ["one\ntwo {% if true %}\nthree", "line 2: the block if is not closed"],
    ["{% set x %}\n\n{% for m in messages %}{% endfor %}", "line 1: the block set is not closed"],
    ["\n\n{{ 'x }}\n{{ 1 }}", "line 3: "],
    ["{# a\ncomment #}\n{{ 1 + }}", "line 3: "],
    ["{{ {'a': '}}'} }}\n{% include 'x' %}", "line 2: "],
    ["{% generation %}x{% endgeneration %}\n{% endfor %}", "line 2: "],
    ["a\n{{ 1", "line 2: "],
    ["{{ 1 }}\n{% raise_exception('x') %}", "line 2: "],
  ])("reports a syntax mistake with its line: %j", (source, where) => {
    expect(render(source)).toEqual(problem(where));
  });

  it.each([
    ["{% for i in range(10 ** 9) %}x{% endfor %}", "at most 100000 items"],
    [
      "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "text of more",
    ],
    ["{% for i in range(3000) %}{{ x }}{% endfor %}", "text of more"],
    ["{% set ns = namespace(l=[0]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", "list of more"],
    ["{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "nests too deeply"],
    [`{{ ${"(".repeat(4000)}1${")".repeat(4000)} }}`, "nests too deeply"],
    ["{{ 'a' * 10 ** 9 }}", "Unknown operator"],
    ["{{ range(0, 9, 0) }}", "step other than 0"],
    ["{{ range('x') }}", "whole numbers"],
  ])("stops a template at a size limit or wrong operand: %s", (source, why) => {
    expect(render(source, { x: "x".repeat(2000) })).toEqual(problem(why));
  });

  it("stops a template at the time limit, also in empty loops", () => {
    for (const body of ["{{ j }}", ""]) {
      const loop = `{% for i in range(100000) %}{% for j in range(100000) %}${body}{% endfor %}{% endfor %}`;
      const outcome = renderStrictly({ source: loop, variables: {} }, { ...runLimits, runMs: 10 });
      expect(outcome).toEqual(problem("longer than 10 ms"));
    }
  });

  it("never throws for any template text", () => {
    const fragments = [
      "{{ ",
      " }}",
      "{% if ",
      "{% endif %}",
      "{% for x in ",
      " %}",
      "messages",
      "x",
      "'",
      "(",
      "]",
      " | ",
      ".",
      "\n",
      "{#",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 30 }), (parts) => {
        expect(Object.keys(render(parts.join("")))).toHaveLength(1);
      }),
    );
  });
});
