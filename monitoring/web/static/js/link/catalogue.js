// Loader of the catalogue of the status.

import { learn } from '../model/catalogue.js';
import { get } from './api.js';

/** Load the catalogue: at the start, and after a lost connection, behind which the hub may be another version. */
export async function loadCatalogue() {
  try {
    learn(await get('api/catalogue'));
  } catch {
    // The page works without it: titles are made from keys.
  }
}
