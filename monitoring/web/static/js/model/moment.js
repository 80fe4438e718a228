// Moments as wall-clock time in the user's time zone. Pure; all in epoch seconds.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const pad = (value) => String(value).padStart(2, '0');

/** "14:32:10". */
export function clock(epoch) {
  const date = new Date(epoch * 1000);
  return `${minutes(date)}:${pad(date.getSeconds())}`;
}

/** Shortest unambiguous text: "14:32:10", "tomorrow 02:10", "Fri 14:32", "2026-11-24 14:32". */
export function moment(epoch, now) {
  const date = new Date(epoch * 1000);
  const days = dayNumber(date) - dayNumber(new Date(now * 1000));
  if (days === 0) return Math.abs(epoch - now) < 3 * 3600 ? clock(epoch) : minutes(date);
  if (days === 1) return `tomorrow ${minutes(date)}`;
  if (days === -1) return `yesterday ${minutes(date)}`;
  if (days > 1 && days < 7) return `${DAYS[date.getDay()]} ${minutes(date)}`;
  return `${day(date)} ${minutes(date)}`;
}

/** "2026-11-24 14:32:10": for lists and titles. */
export function stamp(epoch) {
  const date = new Date(epoch * 1000);
  return `${day(date)} ${clock(epoch)}`;
}

/** Value of an <input type="datetime-local">: "2026-11-24T14:32:10". */
export function inputValue(epoch) {
  return stamp(Math.floor(epoch)).replace(' ', 'T');
}

/** Epoch seconds of such a value; null if it is empty. */
export function inputMoment(text) {
  const time = new Date(text).getTime();
  return text && Number.isFinite(time) ? time / 1000 : null;
}

/** Label on a graph's time axis, whose labels are `step` seconds apart. */
export function tick(epoch, step) {
  const date = new Date(epoch * 1000);
  if (step >= 86400) return `${DAYS[date.getDay()]} ${date.getDate()}`;
  if (date.getHours() === 0 && date.getMinutes() === 0 && step >= 3600) return `${DAYS[date.getDay()]} ${date.getDate()}`;
  return step < 60 ? clock(epoch) : minutes(date);
}

function minutes(date) {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

function day(date) {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function dayNumber(date) {
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86400000);
}
