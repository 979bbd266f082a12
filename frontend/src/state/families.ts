/** Families of basis functions, as the catalogue tells of them. */

import type { CatalogueBasis } from '../protocol/messages';

/** The family of a name; one that the catalogue does not have, or not yet, is known by its name alone. */
export function familyOf(families: readonly CatalogueBasis[], name: string): CatalogueBasis {
  return (
    families.find((family) => family.name === name) ?? {
      name,
      title: name,
      sentence: '',
      size_word: '',
      has_order: false,
      has_knots: false,
      has_exponents: false,
      takes_any_size: false,
    }
  );
}

/** The families to choose from, the present one among them though the catalogue does not have it. */
export function choices(families: readonly CatalogueBasis[], present: string): CatalogueBasis[] {
  const isKnown = families.some((family) => family.name === present);
  return isKnown ? [...families] : [familyOf(families, present), ...families];
}
