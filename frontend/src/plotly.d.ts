declare module 'plotly.js-cartesian-dist-min' {
  const plotly: {
    react(
      room: HTMLElement,
      traces: Record<string, unknown>[],
      layout: Record<string, unknown>,
      config: Record<string, unknown>,
    ): Promise<unknown>;
    purge(room: HTMLElement): void;
  };
  export default plotly;
}
