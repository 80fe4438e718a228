// DOM helpers: create and change elements. Data of the hub is inserted as text: nothing in this page parses HTML.

import { visible } from '../model/visible.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Attributes with texts for the user. */
const READ = new Set(['title', 'aria-label', 'alt', 'placeholder']);

/**
 * el('p', { class: 'x', onClick: f, hidden: true }, 'text', node): null and false leave an attribute, or a child, out.
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Create an SVG element, as `el`. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2).toLowerCase(), value);
    else setAttribute(node, name, value);
  }
  const there = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...there.map((child) => (child instanceof Node ? child : visible(child))));
  return node;
}

/** Set a text only if it differs: setting it again would have it read out again, and lose its selection. */
export function setText(node, text) {
  const shown = visible(text ?? '');
  if (node.textContent !== shown) node.textContent = shown;
}

/** Set an attribute: null and false remove it, true sets it empty. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : READ.has(name) ? visible(value) : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Put `nodes` under `parent` in order, and move only those out of place: a moved node loses the focus. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Text for screen readers only. */
export function unseen(text) {
  return el('span', { class: 'unseen' }, text);
}
