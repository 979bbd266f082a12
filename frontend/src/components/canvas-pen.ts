/** A canvas that a layout fills, at the screen's density. */

import type { Layout } from '../drawing/places';

/** browsers draw nothing at all on a canvas that is larger than they can hold */
const LONGEST = 16_000;

/** Clears a canvas for a layout, and returns what draws on it in the layout's pixels. */
export function penFor(
  canvas: HTMLCanvasElement | null,
  layout: Layout,
): CanvasRenderingContext2D | undefined {
  const pen = canvas?.getContext('2d') ?? undefined;
  if (canvas === null || pen === undefined) return undefined;
  const density = Math.min(devicePixelRatio, LONGEST / Math.max(layout.width, layout.height));
  canvas.width = Math.round(layout.width * density);
  canvas.height = Math.round(layout.height * density);
  pen.scale(density, density);
  return pen;
}
