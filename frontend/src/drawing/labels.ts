/** Words that must fit beside or below what they name. */

/** Mean width of a letter, as a share of the font size. */
const LETTER = 0.56;

/** Returns the text, or as much of it as `room` pixels hold, or nothing where not even two letters do. */
export function fitText(text: string, room: number, fontSize: number): string {
  const letters = Math.floor(room / (fontSize * LETTER));
  if (text.length <= letters) return text;
  return letters < 2 ? '' : `${text.slice(0, letters - 1)}…`;
}

/** The label of a formula edge: the whole formula where it fits, else its function's name. */
export function formulaLabel(label: string, name: string, room: number, fontSize: number): string {
  return fitText(label, room, fontSize) === label ? label : fitText(name, room, fontSize);
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
