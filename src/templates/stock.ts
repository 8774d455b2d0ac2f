import { Template } from "@huggingface/jinja";
import { invalidRequest } from "../errors.ts";
import { checkKwargs, type Kwargs } from "./kwargs.ts";
import type { TemplateMessage } from "./messages.ts";
import { type TemplateFamilyName, templateFamilies } from "./template-families.ts";

/**
 * Stock templates. For text they write the same as the templates in the tokenizer_config.json of each family's models,
 * and raise the same errors. They check the order of roles only if the original does.
 */
const sources = {
  "llama-2": `
{%- set system = messages[0].content if messages[0].role == 'system' else none %}
{%- for message in (messages if system is none else messages[1:]) %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- if message.role == 'assistant' %}
        {{- ' ' + message.content.strip() + ' ' + eos_token }}
    {%- elif loop.first and system is not none %}
        {{- bos_token + '[INST] ' + ('<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message.content).strip() + ' [/INST]' }}
    {%- else %}
        {{- bos_token + '[INST] ' + message.content.strip() + ' [/INST]' }}
    {%- endif %}
{%- endfor %}`,

  "llama-3": `
{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content.strip() + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}`,

  mixtral: `
{{- bos_token }}
{%- set system = messages[0].content if messages[0].role == 'system' else none %}
{%- for message in (messages if system is none else messages[1:]) %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- if message.role == 'assistant' %}
        {{- ' ' + message.content + eos_token }}
    {%- elif loop.first and system is not none %}
        {{- ' [INST] ' + system + '\\n\\n' + message.content + ' [/INST]' }}
    {%- else %}
        {{- ' [INST] ' + message.content + ' [/INST]' }}
    {%- endif %}
{%- endfor %}`,

  // The empty `<think>` block disables thinking in Qwen 3.
  chatml: `
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}`,

  zephyr: `
{%- for message in messages %}
    {{- '<|' + message.role + '|>\\n' + message.content + eos_token + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
{%- endif %}`,

  "phi-3": `
{%- for message in messages %}
    {{- '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
{%- endif %}`,
} as const satisfies Record<TemplateFamilyName, string>;

const compiled = new Map<TemplateFamilyName, Template>();

function templateOf(name: TemplateFamilyName): Template {
  const template = compiled.get(name) ?? new Template(sources[name]);
  compiled.set(name, template);
  return template;
}

/**
 * Renders a conversation as a prompt in the format on which the family's models were trained. Throws INVALID_REQUEST if
 * the template rejects the messages.
 *
 * The prompt omits the leading BOS token, since the inference engine's tokenizer adds it to a raw prompt.
 */
export function renderStockTemplate(
  name: TemplateFamilyName,
  messages: readonly TemplateMessage[],
  kwargs: Kwargs | undefined,
): string {
  const { bosToken = "", eosToken, systemOnlyFirst } = templateFamilies[name];
  const variables = {
    ...checkKwargs(kwargs, true),
    messages: systemOnlyFirst ? systemFirst(messages) : messages,
    bos_token: bosToken,
    eos_token: eosToken,
    add_generation_prompt: true,
  };
  try {
    const prompt = templateOf(name).render(variables);
    return prompt.startsWith(bosToken) ? prompt.slice(bosToken.length) : prompt;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const description = `the chat template of ${name} models rejects the messages: ${why}`;
    throw invalidRequest([{ field: ["messages"], description }]);
  }
}

/**
 * Merges all system messages into one at the start. If there are no other messages, it becomes a user message, since
 * these families can write system text only together with a user message.
 */
function systemFirst(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  if (system.length === 0) return messages;
  const others = messages.filter(({ role }) => role !== "system");
  return [{ role: others.length === 0 ? "user" : "system", content: system.join("\n\n") }, ...others];
}
