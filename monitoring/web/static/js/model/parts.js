// Parts of a snapshot that have no view of their own: exporters, servers, and those of kinds that only a plugin brings. Pure.

const VIEWS = new Set(['hub', 'backends', 'consumers', 'clusters']);
/* Sections that the page has other views of. */
const FIRST = ['exporters', 'servers'];

/** List {section, noun, name, row} of these parts: exporters, servers, then others by their sections. */
export function parts(snapshot) {
  const others = Object.keys(snapshot).filter((section) => !VIEWS.has(section) && !FIRST.includes(section));
  return [...FIRST, ...others].flatMap((section) => {
    const rows = Object.entries(Object(snapshot[section])).filter(([, row]) => row !== null && typeof row === 'object');
    return rows.map(([name, row]) => ({ section, noun: section.replace(/s$/, ''), name, row }));
  });
}
