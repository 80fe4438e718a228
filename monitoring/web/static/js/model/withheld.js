// Withheld texts: without the token the texts of errors, and topics and ids of messages, are not shown. Pure.

/** Whether the text of a consumer's error is withheld. Of a failed start only the class is shown without the token. */
export function errorWithheld(row) {
  return (Boolean(row.last_error) && row.last_error.text === null) || (Boolean(row.error) && !row.error.includes(': '));
}

/** Whether the message of some worker is withheld. */
export function messagesWithheld(workers) {
  return workers.some((worker) => worker.seconds !== null && worker.message_id === null);
}
