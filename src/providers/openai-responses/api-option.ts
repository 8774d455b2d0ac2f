import { choice } from "../../config/rules.ts";

/** Option `api`: which of OpenAI's two APIs serves chat requests. */
export const apiOption = choice("auto", "chat_completions", "responses");
