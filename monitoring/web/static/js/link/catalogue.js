// Loader of the catalogue of the status.

import { learn } from '../model/catalogue.js';
import { get, isAnswer, LOAD_MS } from './api.js';

/**
 * Load the catalogue: at the start, and after a lost connection, behind which the hub may be another version. Returns
 * whether the hub has answered. The page works without it: titles are made from keys.
 */
export async function loadCatalogue() {
  try {
    learn(await get('api/catalogue', LOAD_MS));
  } catch (error) {
    return isAnswer(error);
  }
  return true;
}
