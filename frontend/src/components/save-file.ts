/** Handing a file to the browser, which keeps it where its downloads go. */

import type { ExportedEvent } from '../protocol/messages';

/** The bytes of an exported file. */
export function fileOf(event: ExportedEvent): Blob {
  if (event.base64 === '') return new Blob([event.text], { type: 'text/plain;charset=utf-8' });
  const bytes = Uint8Array.from(atob(event.base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: 'application/octet-stream' });
}

export function saveFile(event: ExportedEvent): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(fileOf(event));
  link.download = event.file_name;
  link.click();
  // the browser reads it after the click
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
