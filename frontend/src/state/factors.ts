/** Which factor an edge adds to, in words. */

import { nodeName } from '../drawing/labels';
import { factorOf, nodeOf } from '../drawing/rows';
import type { EdgeRef, Structure } from '../protocol/messages';
import { texts } from '../texts';
import { nodesOf } from './networks';

/** The factor and the node that multiplies it; empty where the edge's node only adds. */
export function factorWords(structure: Structure, edge: EdgeRef): string {
  const { input_names, output_names } = structure;
  const network = nodesOf(structure.network);
  const layer = edge.layer + 1;
  const factor = factorOf(network, layer, edge.target);
  if (factor === null) return '';
  const node = nodeOf(network, layer, edge.target);
  return texts.diagram.factor(factor, nodeName(input_names, output_names, network.widths, layer, node));
}
