// What is not shown without the token: texts of errors, and which messages are at hand. Pure.

/** Whether a consumer's errors have more to say. One that can't start says 'OSError', and with the token also why. */
export function errorWithheld(row) {
  return (Boolean(row.last_error) && row.last_error.text === null) || (Boolean(row.error) && !row.error.includes(': '));
}

/** Whether some thread has a message at hand that is not told. */
export function messagesWithheld(workers) {
  return workers.some((worker) => worker.seconds !== null && worker.message_id === null);
}
