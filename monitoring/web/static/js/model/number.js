// Numbers as text. Pure.

export const NOTHING = '–';

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** 12345 -> "12,345"; null -> "–". */
export function count(value) {
  return value === null || value === undefined ? NOTHING : whole.format(value);
}

/** Per second, as the command shows it: "0.0", "0.4", "152.3"; null -> "–". */
export function rate(value) {
  return value === null || value === undefined ? NOTHING : value.toFixed(1);
}

/** A share of 0 to 1 as "37%". */
export function share(value) {
  return value === null || value === undefined ? NOTHING : `${Math.round(value * 100)}%`;
}

/** 1536 -> "1.5KiB", as the command shows it. */
export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(1).replace('.0', '')}${units[unit]}`;
}

/** Label on the axis of a graph: 1500 -> "1.5k". */
export function compact(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e3) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}

/** 1, "message" -> "1 message"; 2 -> "2 messages". */
export function plural(value, noun, nouns = `${noun}s`) {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

function trimmed(value) {
  return String(Math.round(value * 100) / 100);
}
