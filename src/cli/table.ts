/** Column of a table in the terminal. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** One for each row. */
  readonly cells: readonly string[];
  /** The same in fewer characters, if the table is too wide. Default: `cells`. */
  readonly shortCells?: readonly string[];
  /** Whether cells may be cut in the middle if the table is still too wide. Default false. */
  readonly isCut?: boolean;
}

const gap = "  ";
/** Width to which cells are cut at most. */
const leastWidth = 8;

/**
 * Lays out columns as lines: the titles, then the rows. If the lines would be wider than `width`, cells become short,
 * then the widest columns that may be cut lose characters in the middle.
 *
 * @param width maximum width of a line. Undefined, or 0 as some terminals report: none
 */
export function layOut(columns: readonly Column[], width: number | undefined): readonly string[] {
  const cleaned = columns.map(({ cells, shortCells = cells, ...column }) => ({
    ...column,
    cells: cells.map(printable),
    shortCells: shortCells.map(printable),
  }));
  const whole = cleaned.map(({ title, cells }) => widthOf(title, cells));
  if (!width || lineWidth(whole) <= width) return linesOf(cleaned, whole);
  const short = cleaned.map((column) => ({ ...column, cells: column.shortCells }));
  const widths = short.map(({ title, cells }) => widthOf(title, cells));
  while (lineWidth(widths) > width) {
    const widest = widestCut(short, widths);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return linesOf(short, widths);
}

type Cleaned = Omit<Column, "shortCells">;

function widestCut(columns: readonly Cleaned[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, { title, isCut }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (!isCut || width <= Math.max(leastWidth, columnCount(title))) continue;
    if (widest === undefined || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

function linesOf(columns: readonly Cleaned[], widths: readonly number[]): readonly string[] {
  const count = columns[0]?.cells.length ?? 0;
  const line = (textOf: (column: Cleaned) => string): string =>
    columns
      .map((column, index) => pad(textOf(column), widths[index] ?? 0, column.align))
      .join(gap)
      .trimEnd();
  return [
    line(({ title }) => title),
    ...Array.from({ length: count }, (_, row) => line(({ cells }) => cells[row] ?? "")),
  ];
}

function pad(text: string, width: number, align: Column["align"]): string {
  const cut = cutMiddle(text, width);
  const space = " ".repeat(Math.max(0, width - columnCount(cut)));
  return align === "left" ? cut + space : space + cut;
}

/** Replaces the middle of a text by an ellipsis so that it takes at most `width` columns. */
function cutMiddle(text: string, width: number): string {
  if (columnCount(text) <= width) return text;
  const characters = charactersOf(text);
  const take = (list: readonly string[], most: number): readonly string[] => {
    const taken: string[] = [];
    let used = 0;
    for (const character of list) {
      used += columnCount(character);
      if (used > most) break;
      taken.push(character);
    }
    return taken;
  };
  const head = take(characters, Math.ceil((width - 1) / 2));
  const tail = take(characters.toReversed(), Math.floor((width - 1) / 2)).toReversed();
  return `${head.join("")}…${tail.join("")}`;
}

function widthOf(title: string, cells: readonly string[]): number {
  return cells.reduce((widest, cell) => Math.max(widest, columnCount(cell)), columnCount(title));
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
}

/** Characters that take two columns, nearly: scripts of East Asia in full width, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Number of columns that a text takes in a terminal. */
export function columnCount(text: string): number {
  // Most texts are ASCII.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return charactersOf(text).reduce((sum, character) => sum + (wide.test(character) ? 2 : 1), 0);
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Divides a text into what a reader takes for characters. */
function charactersOf(text: string): readonly string[] {
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/**
 * Replaces characters that a terminal would obey, and those that change the direction of text or take no space, except
 * the one that joins emoji. Callers choose names, such as those of models.
 */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/(?!\u200d)[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
}
