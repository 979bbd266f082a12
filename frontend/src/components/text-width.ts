/** How wide a text is on this page: its font differs from one machine to the next. */

import { estimate, type Measure } from '../drawing/labels';

/** Returns a measure of texts in the page's font, such as `italic 15px`. */
export function measureIn(style: string, fontSize: number): Measure {
  const pen = document.createElement('canvas').getContext('2d');
  if (pen === null) return estimate(fontSize);
  pen.font = `${style} ${fontSize}px ${getComputedStyle(document.body).fontFamily}`;
  return (text) => pen.measureText(text).width;
}
