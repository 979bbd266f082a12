/** Words that must fit beside or below what they name. */

/** Mean width of a letter, as a share of the font size. */
const LETTER = 0.56;

/** Returns how many pixels a text takes. */
export type Measure = (text: string) => number;

/** A measure for where no letters can be measured: so many pixels a letter, by the font size. */
export const estimate =
  (fontSize: number): Measure =>
  (text) =>
    text.length * fontSize * LETTER;

/**
 * Returns the text, or as much of its beginning and its end as `room` pixels hold, since names that belong together often
 * begin alike; nothing where not even two signs fit.
 */
export function fitText(text: string, room: number, measure: Measure): string {
  if (measure(text) <= room) return text;
  for (let kept = text.length - 2; kept >= 1; kept--) {
    const short = shorten(text, kept);
    if (measure(short) <= room) return short;
  }
  return '';
}

/** The text with so many of its letters, the end before the beginning. */
function shorten(text: string, kept: number): string {
  const end = Math.ceil(kept / 2);
  return `${text.slice(0, kept - end)}…${text.slice(text.length - end)}`;
}

/** Whether a line of text has room beside those before it, `pitch` pixels apart: so many of them that none touch. */
export function hasLine(index: number, pitch: number, height: number): boolean {
  return index % Math.max(1, Math.ceil(height / pitch)) === 0;
}

/** The label of a formula edge: the whole formula where it fits, else its function's name. */
export function formulaLabel(label: string, name: string, room: number, measure: Measure): string {
  return measure(label) <= room ? label : fitText(name, room, measure);
}

/** A node's name: its input's, its output's, or layer and place. */
export function nodeName(
  inputs: readonly string[],
  outputs: readonly string[],
  widths: readonly number[],
  layer: number,
  index: number,
): string {
  if (layer === 0) return inputs[index] ?? String(index);
  if (layer === widths.length - 1) return outputs[index] ?? String(index);
  return `${layer}.${index}`;
}
