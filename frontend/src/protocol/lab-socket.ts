/** The websocket of one run of the lab: events come in, nothing goes out; it reconnects by itself with growing delays. */

import type { LabEvent } from './messages';

export type LabConnection = 'connecting' | 'live' | 'lost' | 'gone';

export interface LabSocketHandlers {
  onEvent(event: LabEvent): void;
  onConnection(connection: LabConnection): void;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** close codes after which trying again is no use: unknown run, foreign origin, deleted */
const FINAL_CODES = new Set([4404, 4403, 4410]);

export class LabSocket {
  private socket: WebSocket | null = null;
  private delay = FIRST_DELAY;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly handlers: LabSocketHandlers,
  ) {
    this.open();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const socket = new WebSocket(this.url);
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (this.closed) return;
      const event: LabEvent = JSON.parse(String(message.data));
      if (event.type === 'lab_run') {
        this.delay = FIRST_DELAY;
        this.handlers.onConnection('live');
      }
      this.handlers.onEvent(event);
    };
    socket.onclose = (event) => this.lose(event.code);
    this.socket = socket;
  }

  private lose(code: number): void {
    this.socket = null;
    if (this.closed) return;
    if (FINAL_CODES.has(code)) {
      this.handlers.onConnection('gone');
      return;
    }
    this.handlers.onConnection('lost');
    // a spread keeps a whole class from knocking at the same moment
    const delay = this.delay * (0.75 + 0.5 * Math.random());
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.open();
    }, delay);
  }
}
