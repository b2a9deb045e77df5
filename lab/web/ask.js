// What a page asks of the server by POST: its answer as JSON, or an Error that says why not.

/**
 * @param {string} path
 * @param {BodyInit} body
 * @param {AbortSignal} [signal]
 */
export async function ask(path, body, signal) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { method: "POST", body, signal });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Error("The server does not answer: is it still running?");
  }
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json")) throw new Error(`The server answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
  const answer = await response.json();
  if (answer.error) throw new Error(answer.error);
  return answer;
}
