/** The fields of a form in which something stands that cannot be taken, and that the form therefore does not hold. */

import { getContext, setContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';

export class WrongFields {
  /** what the fields are called, by their ids */
  private readonly labels = new SvelteMap<string, string>();
  /** what the one is called that has been wrong for longest, null where none is */
  readonly first: string | null = $derived(this.labels.values().next().value ?? null);

  /** Notes a field; returns how to take that back once it is right or gone. */
  add(id: string, label: string): () => void {
    this.labels.set(id, label);
    return () => this.labels.delete(id);
  }
}

const KEY = Symbol('wrong fields');

/** Lets the fields inside a component be noted. */
export const provideWrongFields = (fields: WrongFields): WrongFields => setContext(KEY, fields);

/** Notes a field of the form around it, if there is a form that asks for that, while `isWrong` says so. */
export function noteWhileWrong(id: string, label: () => string, isWrong: () => boolean): void {
  const fields = getContext<WrongFields | undefined>(KEY);
  $effect(() => (isWrong() ? fields?.add(id, label()) : undefined));
}
