/**
 * Reads TOML as far as specs of the lab need it: everything but dates and strings over many lines. Texts come here after
 * the server has found them right, so that a wrong one needs no more than an error.
 */

export type TomlValue = string | number | boolean | TomlValue[] | TomlTable;
export interface TomlTable {
  [key: string]: TomlValue;
}

const LONG_ESCAPES: Record<string, string> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
};
const NUMBER = /^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d(_?\d)*)?$/;

export const isTable = (value: TomlValue | undefined): value is TomlTable =>
  typeof value === 'object' && !Array.isArray(value);

/** A table without a prototype: any word can be a key of it. */
const emptyTable = (): TomlTable => Object.create(null);

/** The text as one table; throws an Error where it is no TOML of the kind that is read here. */
export function readToml(text: string): TomlTable {
  return new Reader(text).document();
}

class Reader {
  private place = 0;

  constructor(private readonly text: string) {}

  document(): TomlTable {
    const root = emptyTable();
    let table = root;
    for (;;) {
      this.skip(/[\s]|#[^\n]*/y);
      if (this.place >= this.text.length) return root;
      if (this.take('[[')) {
        table = this.element(root, this.keys(']]'));
      } else if (this.take('[')) {
        table = this.inside(root, this.keys(']'));
      } else {
        this.pair(table);
      }
      this.skip(/[ \t\r]|#[^\n]*/y);
      if (this.place < this.text.length) this.expect('\n');
    }
  }

  /** A new table at the end of a list of tables. */
  private element(root: TomlTable, keys: string[]): TomlTable {
    const name = keys.at(-1) ?? '';
    const parent = this.inside(root, keys.slice(0, -1));
    const list = (parent[name] ??= []);
    if (!Array.isArray(list)) throw this.wrong();
    const table = emptyTable();
    list.push(table);
    return table;
  }

  /** The table of a path, made where it is not there; of a list of tables the newest. */
  private inside(root: TomlTable, keys: readonly string[]): TomlTable {
    return keys.reduce((table, key) => {
      const found = (table[key] ??= emptyTable());
      const next = Array.isArray(found) ? found.at(-1) : found;
      if (!isTable(next)) throw this.wrong();
      return next;
    }, root);
  }

  private pair(table: TomlTable): void {
    const keys = this.keys('=');
    const name = keys.pop() ?? '';
    const target = this.inside(table, keys);
    if (name in target) throw this.wrong();
    target[name] = this.value();
  }

  private keys(end: string): string[] {
    const keys: string[] = [];
    do {
      this.blanks();
      keys.push(this.key());
      this.blanks();
    } while (this.take('.'));
    this.expect(end);
    this.blanks();
    return keys;
  }

  private key(): string {
    const next = this.text[this.place];
    if (next === '"' || next === "'") return this.string();
    return this.match(/[\w-]+/y);
  }

  private value(): TomlValue {
    const next = this.text[this.place];
    if (next === '"' || next === "'") return this.string();
    if (next === '[') return this.array();
    if (next === '{') return this.inline();
    const word = this.match(/[^\s,\]}#]+/y);
    if (word === 'true' || word === 'false') return word === 'true';
    if (!NUMBER.test(word)) throw this.wrong();
    return Number(word.replaceAll('_', ''));
  }

  private array(): TomlValue[] {
    this.expect('[');
    const items: TomlValue[] = [];
    for (;;) {
      this.skip(/[\s]|#[^\n]*/y);
      if (this.take(']')) return items;
      items.push(this.value());
      this.skip(/[\s]|#[^\n]*/y);
      if (!this.take(',')) {
        this.expect(']');
        return items;
      }
    }
  }

  private inline(): TomlTable {
    this.expect('{');
    const table = emptyTable();
    this.blanks();
    if (this.take('}')) return table;
    for (;;) {
      this.pair(table);
      this.blanks();
      if (this.take('}')) return table;
      this.expect(',');
    }
  }

  private string(): string {
    if (this.take("'")) {
      const literal = this.match(/[^'\n]*/y);
      this.expect("'");
      return literal;
    }
    this.expect('"');
    let read = '';
    for (;;) {
      read += this.match(/[^"\\\n]*/y);
      if (this.take('"')) return read;
      this.expect('\\');
      const code = this.match(/u[\da-fA-F]{4}|U[\da-fA-F]{8}|[btnfr"\\]/y);
      read += LONG_ESCAPES[code] ?? String.fromCodePoint(parseInt(code.slice(1), 16));
    }
  }

  private blanks(): void {
    this.skip(/[ \t]/y);
  }

  private skip(pattern: RegExp): void {
    while (this.find(pattern) !== null);
  }

  /** What the pattern matches here, the place moved behind it. */
  private find(pattern: RegExp): string | null {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.place += found[0].length;
    return found[0];
  }

  private match(pattern: RegExp): string {
    const found = this.find(pattern);
    if (found === null) throw this.wrong();
    return found;
  }

  private take(sign: string): boolean {
    const isHere = this.text.startsWith(sign, this.place);
    if (isHere) this.place += sign.length;
    return isHere;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw this.wrong();
  }

  private wrong(): Error {
    const line = this.text.slice(0, this.place).split('\n').length;
    return new Error(`no TOML that is understood here, line ${line}`);
  }
}
