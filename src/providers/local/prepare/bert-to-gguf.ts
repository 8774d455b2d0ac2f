import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

// Formats: https://huggingface.co/docs/safetensors and https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Names
// and keys are those of convert_hf_to_gguf.py of llama.cpp, for BertModel.

/** GGUF's names of the tensors outside the layers. */
const outerTensors: Readonly<Record<string, string>> = {
  "embeddings.word_embeddings": "token_embd",
  "embeddings.position_embeddings": "position_embd",
  "embeddings.token_type_embeddings": "token_types",
  "embeddings.LayerNorm": "token_embd_norm",
};

/** GGUF's names of the tensors of a layer. */
const layerTensors: Readonly<Record<string, string>> = {
  "attention.self.query": "attn_q",
  "attention.self.key": "attn_k",
  "attention.self.value": "attn_v",
  "attention.output.dense": "attn_output",
  "attention.output.LayerNorm": "attn_output_norm",
  "intermediate.dense": "ffn_up",
  "output.dense": "ffn_down",
  "output.LayerNorm": "layer_output_norm",
};

/** Numbers of GGUF's types of values. */
const types = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** GGUF's number of 32-bit floats, as the type of a tensor and of a file. */
const float32 = 0;

/** Tensors begin at multiples of it, in bytes. The sizes of all of them must be multiples, so that none needs padding. */
const alignment = 32;

const tokenTypes = { normal: 1, control: 3 } as const;

/** `pooling_type` of models whose vector is the mean of the vectors of all tokens. */
const meanPooling = 1;

interface Config {
  readonly max_position_embeddings: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly layer_norm_eps: number;
  readonly type_vocab_size: number;
}

interface Tensor {
  readonly shape: readonly number[];
  /** Begin and end in the data. */
  readonly data_offsets: readonly [number, number];
}

/**
 * Converts an embedding model with BERT's architecture and mean pooling to GGUF. Equal files have equal results.
 *
 * @param folder has `config.json`, `vocab.txt` and, with 32-bit floats, `model.safetensors`
 */
export async function bertToGguf(folder: string, target: string): Promise<void> {
  const config: Config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
  const vocabulary = (await readFile(join(folder, "vocab.txt"), "utf8")).trimEnd().split("\n");
  const file = await readFile(join(folder, "model.safetensors"));
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const header: Readonly<Record<string, Tensor>> = JSON.parse(file.toString("utf8", 8, begin));
  const tensors = Object.entries(header)
    .flatMap(([from, tensor]) => {
      const name = nameOf(from);
      return name === undefined ? [] : [{ name, ...tensor }];
    })
    .sort((a, b) => a.data_offsets[0] - b.data_offsets[0]);
  const entries = [...modelEntries(config), ...tokenizerEntries(vocabulary, config)];
  let offset = 0;
  const infos = tensors.map(({ name, shape, data_offsets: [from, to] }) => {
    const sizes = shape.toReversed().map(uint64);
    const info = Buffer.concat([text(name), uint32(sizes.length), ...sizes, uint32(float32), uint64(offset)]);
    offset += to - from;
    return info;
  });
  const counts = [uint32(3), uint64(tensors.length), uint64(entries.length)];
  const head = Buffer.concat([Buffer.from("GGUF"), ...counts, ...entries, ...infos]);
  const padding = Buffer.alloc((alignment - (head.length % alignment)) % alignment);
  const data = tensors.map(({ data_offsets: [from, to] }) => file.subarray(begin + from, begin + to));
  await writeFile(target, Buffer.concat([head, padding, ...data]));
}

/** Returns GGUF's name of a tensor. Undefined: the vectors do not need it. */
function nameOf(tensor: string): string | undefined {
  const [, place = "", kind] = /^(.+)\.(weight|bias)$/.exec(tensor) ?? [];
  const [, layer, inLayer = ""] = /^encoder\.layer\.(\d+)\.(.+)$/.exec(place) ?? [];
  const name = layer === undefined ? outerTensors[place] : layerTensors[inLayer];
  if (name === undefined) return undefined;
  return layer === undefined ? `${name}.${kind}` : `blk.${layer}.${name}.${kind}`;
}

function modelEntries(config: Config): readonly Buffer[] {
  return [
    entry("general.architecture", types.string, text("bert")),
    entry("general.file_type", types.uint32, uint32(float32)),
    entry("bert.context_length", types.uint32, uint32(config.max_position_embeddings)),
    entry("bert.embedding_length", types.uint32, uint32(config.hidden_size)),
    entry("bert.feed_forward_length", types.uint32, uint32(config.intermediate_size)),
    entry("bert.block_count", types.uint32, uint32(config.num_hidden_layers)),
    entry("bert.attention.head_count", types.uint32, uint32(config.num_attention_heads)),
    entry("bert.attention.layer_norm_epsilon", types.float32, float(config.layer_norm_eps)),
    entry("bert.attention.causal", types.bool, Buffer.from([0])),
    entry("bert.pooling_type", types.uint32, uint32(meanPooling)),
  ];
}

function tokenizerEntries(vocabulary: readonly string[], { type_vocab_size }: Config): readonly Buffer[] {
  const isSpecial = (token: string) => /^\[.+\]$/.test(token);
  // llama.cpp marks the tokens that begin a word, and BERT those that continue one.
  const marked = (token: string) => (token.startsWith("##") ? token.slice(2) : `\u2581${token}`);
  const tokens = vocabulary.map((token) => text(isSpecial(token) ? token : marked(token)));
  const kinds = vocabulary.map((token) => uint32(isSpecial(token) ? tokenTypes.control : tokenTypes.normal));
  const special = {
    bos: "[CLS]",
    cls: "[CLS]",
    seperator: "[SEP]",
    padding: "[PAD]",
    unknown: "[UNK]",
    mask: "[MASK]",
  };
  return [
    entry("tokenizer.ggml.model", types.string, text("bert")),
    entry("tokenizer.ggml.token_type_count", types.uint32, uint32(type_vocab_size)),
    entry("tokenizer.ggml.tokens", types.array, list(types.string, tokens)),
    entry("tokenizer.ggml.token_type", types.array, list(types.int32, kinds)),
    ...Object.entries(special).map(([name, token]) =>
      entry(`tokenizer.ggml.${name}_token_id`, types.uint32, uint32(vocabulary.indexOf(token))),
    ),
  ];
}

function entry(key: string, type: number, value: Buffer): Buffer {
  return Buffer.concat([text(key), uint32(type), value]);
}

function list(type: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([uint32(type), uint64(items.length), ...items]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
