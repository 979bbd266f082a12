/** Asks for something that changes: at once when it is wanted, then no more often than bearable unless it is urgent, the last wish always met. */

export class Refresher {
  private isBusy = false;
  private isWanted = false;
  /** whether the next question waits for no rest */
  private isUrgent = false;
  private isStopped = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly ask: () => Promise<unknown>,
    /** milliseconds of rest after every answer */
    private readonly rest: number,
  ) {}

  want(): void {
    this.isWanted = true;
    if (!this.isBusy) void this.work();
  }

  /** Wants it without a rest: at once, or as soon as the answer is there that is waited for. */
  hurry(): void {
    this.isUrgent = true;
    this.isWanted = true;
    if (this.timer !== null) this.wake();
    else if (!this.isBusy) void this.work();
  }

  stop(): void {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private async work(): Promise<void> {
    if (!this.isWanted || this.isStopped) return;
    this.isBusy = true;
    this.isWanted = false;
    this.isUrgent = false;
    // what cannot be had now is asked for again
    await this.ask().catch(() => (this.isWanted = true));
    if (this.isStopped) return;
    this.timer = setTimeout(() => this.wake(), this.isUrgent ? 0 : this.rest);
  }

  /** Ends the rest. */
  private wake(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.isBusy = false;
    void this.work();
  }
}
