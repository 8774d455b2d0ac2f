import { readFileSync, writeFileSync } from "node:fs";
import { programHelp } from "../src/cli/command-line.ts";
import { commands } from "../src/cli/commands.ts";

// Writes the help texts of the program to docs/cli.md, below the line that begins them.

const page = new URL("../docs/cli.md", import.meta.url);
const beginning = "<!-- `npm run generate:cli` writes what follows. -->\n";

/** Returns the text of docs/cli.md: its own words, and the help of each command. */
export async function cliPage(): Promise<string> {
  const [own = ""] = readFileSync(page, "utf8").split(beginning);
  const sections = await Promise.all(
    commands.map(async ({ words, load }) => section(`dragoman ${words}`, (await load()).command.help(words))),
  );
  return [own, beginning, section("dragoman", programHelp(commands)), ...sections].join("");
}

function section(title: string, help: string): string {
  return `\n## ${title}\n\n\`\`\`text\n${help}\`\`\`\n`;
}

if (import.meta.main) writeFileSync(page, await cliPage());
