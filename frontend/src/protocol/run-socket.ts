/**
 * The websocket of one session: it reconnects by itself with growing delays, keeps only the newest frame, and gives the
 * server credit for the next one when the page has painted.
 */

import { decodeFrame, type Frame } from './frame';
import type { ClientCommand, ServerEvent } from './messages';

export type Connection = 'connecting' | 'live' | 'lost' | 'gone';

export interface RunSocketHandlers {
  onFrame(frame: Frame): void;
  onEvent(event: ServerEvent): void;
  onConnection(connection: Connection, retryAt: number | null): void;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** a connection that says nothing for so long, when something was to come, is taken for dead */
const SILENCE = 10_000;
/** close codes after which trying again is no use: unknown session, foreign origin, deleted */
const FINAL_CODES = new Set([4404, 4403, 4410]);

/** Commands as senders write them: the request number is the socket's affair. */
export type Asked<T extends ClientCommand = ClientCommand> = T extends ClientCommand
  ? Omit<T, 'request_id'>
  : never;

interface Waiting {
  resolve(event: ServerEvent): void;
  reject(error: Error): void;
}

export class RunSocket {
  private socket: WebSocket | null = null;
  private delay = FIRST_DELAY;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private newest: Frame | null = null;
  private painting = false;
  private lastRequest = 0;
  private readonly waiting = new Map<number, Waiting>();
  private closed = false;
  /** where the page stands in the numbered events, null until a snapshot came */
  private place: { epoch: number; seq: number } | null = null;
  private silence: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly url: string,
    private readonly handlers: RunSocketHandlers,
  ) {
    this.open();
  }

  /** Sends a command and resolves with its answer, or rejects with the server's sentence. */
  ask(command: Asked): Promise<ServerEvent> {
    const requestId = ++this.lastRequest;
    return new Promise((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new Error('offline'));
        return;
      }
      this.waiting.set(requestId, { resolve, reject });
      this.socket.send(JSON.stringify({ ...command, request_id: requestId }));
    });
  }

  /** Tries to connect now instead of when the delay is over. */
  retry(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.delay = FIRST_DELAY;
    if (this.socket === null) this.open();
  }

  /** Asks whether the connection still lives, as after sleep, when a browser does not notice that it died. */
  probe(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.resync(this.socket);
    else if (this.socket === null && !this.closed) this.retry();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.hear();
    this.socket?.close();
  }

  private open(): void {
    this.handlers.onConnection('connecting', null);
    this.place = null;
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (message: MessageEvent<unknown>) => this.receive(message.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.lose(event.code);
    };
    this.socket = socket;
    this.expect(socket);
  }

  private resync(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: 'resync' }));
    this.expect(socket);
  }

  /** Gives the connection up unless something comes in time. */
  private expect(socket: WebSocket): void {
    this.hear();
    this.silence = setTimeout(() => {
      if (this.socket !== socket) return;
      this.lose(0);
      socket.close();
    }, SILENCE);
  }

  private hear(): void {
    if (this.silence !== null) clearTimeout(this.silence);
    this.silence = null;
  }

  /** Notes an event's number; one that does not follow means that the page missed something. */
  private follow(event: ServerEvent): void {
    const place = this.place;
    if (event.type === 'snapshot') {
      this.place = { epoch: event.epoch, seq: event.seq };
    } else if (place !== null && this.socket !== null && event.request_id === null) {
      if (event.epoch !== place.epoch || event.seq > place.seq + 1) {
        this.place = null;
        this.resync(this.socket);
      } else place.seq = Math.max(place.seq, event.seq);
    }
  }

  private receive(data: unknown): void {
    this.hear();
    if (data instanceof ArrayBuffer) {
      const frame = decodeFrame(data);
      if (frame !== null) this.offer(frame);
      return;
    }
    const event: ServerEvent = JSON.parse(String(data));
    if (event.type === 'snapshot') {
      this.delay = FIRST_DELAY;
      this.handlers.onConnection('live', null);
    }
    const asked = event.request_id === null ? undefined : this.waiting.get(event.request_id);
    if (asked !== undefined && event.request_id !== null) {
      this.waiting.delete(event.request_id);
      if (event.type === 'error') asked.reject(new RefusedError(event.code, event.sentence));
      else asked.resolve(event);
    }
    this.handlers.onEvent(event);
    this.follow(event);
  }

  /** Keeps the frame until the next animation frame; an older one that was not painted yet is dropped. */
  private offer(frame: Frame): void {
    this.newest = frame;
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(() => {
      this.painting = false;
      const newest = this.newest;
      if (newest === null) return;
      this.handlers.onFrame(newest);
      // a task of its own comes after the painting that follows this callback: only then is the credit due
      setTimeout(() => this.acknowledge(newest.seq), 0);
    });
  }

  private acknowledge(seq: number): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: 'ack', seq }));
    }
  }

  private lose(code: number): void {
    this.socket = null;
    this.hear();
    for (const { reject } of this.waiting.values()) reject(new Error('offline'));
    this.waiting.clear();
    if (this.closed) return;
    if (FINAL_CODES.has(code)) {
      this.handlers.onConnection('gone', null);
      return;
    }
    // a spread keeps a whole class from knocking at the same moment
    const delay = this.delay * (0.75 + 0.5 * Math.random());
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
    this.handlers.onConnection('lost', Date.now() + delay);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.open();
    }, delay);
  }
}

/** The server did not carry out a command; the message is its sentence. */
export class RefusedError extends Error {
  constructor(
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
  }
}
