/** How far a formula can be trusted, as sentences. */

import type { FormulaJudgedEvent, SingularPlace } from '../protocol/messages';
import { texts } from '../texts';

const words = texts.formula.trust;

export interface TrustLine {
  text: string;
  /** whether it is a reason to be careful on the data themselves */
  isWarning: boolean;
}

/** Errors first, then where it has no value, then the ranges it was fitted on. */
export function trustLines(report: FormulaJudgedEvent): TrustLine[] {
  const { against_network: network, held_out: heldOut } = report;
  return [
    plain(words.network(network.maximum, network.rmse)),
    plain(words.heldOut(heldOut.rmse, heldOut.maximum, report.target_spread)),
    ...(network.num_undefined > 0
      ? [{ text: words.undefined(network.num_undefined, network.num_rows), isWarning: true }]
      : []),
    ...report.singular.map((place) => ({ text: placeText(place), isWarning: place.is_inside })),
    ...report.ranges.map((range) =>
      plain(words.fitted(range.name, words.number(range.low), words.number(range.high), range.num_outside)),
    ),
  ];
}

const plain = (text: string): TrustLine => ({ text, isWarning: false });

function placeText(place: SingularPlace): string {
  const { layer, source, target } = place.edge;
  const what = place.input_name ?? words.hidden(`${layer}.${source}.${target}`);
  const [low, high] = [words.number(place.low), words.number(place.high)];
  return place.is_pole
    ? words.singular(what, low, place.is_inside)
    : words.noValue(what, low, high, place.is_inside);
}
