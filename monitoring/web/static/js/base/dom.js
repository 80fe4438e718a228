// Makes and changes elements. Whatever comes from the hub goes in as text: nothing in this page parses HTML.

import { visible } from '../model/visible.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Attributes that somebody reads. */
const READ = new Set(['title', 'aria-label', 'alt', 'placeholder']);

/**
 * el('p', { class: 'x', onClick: f, hidden: true }, 'text', node): null and false leave an attribute, or a child, out.
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
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

/** Only where it differs: a text that is set anew is read out anew, and its selection is lost. */
export function setText(node, text) {
  const shown = visible(text ?? '');
  if (node.textContent !== shown) node.textContent = shown;
}

/** null and false take it away, true sets it empty. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : READ.has(name) ? visible(value) : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Put `nodes` under `parent` in that order, and move only what is out of place: what moves loses its focus. */
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
