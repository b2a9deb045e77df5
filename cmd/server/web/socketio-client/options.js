// What can be set, and what is so otherwise. Times are in milliseconds.

/**
 * @typedef {object} Options
 * @property {string} path  of the server
 * @property {string[]} transports  'polling' and 'websocket', or one of them
 * @property {boolean} upgrade  from polling to a WebSocket, if it can be had
 * @property {number} timeout  until a session has begun
 * @property {Record<string, string>} [query]  of each request
 * @property {boolean} [withCredentials]  cookies go to another origin, too
 * @property {boolean} autoConnect
 * @property {Auth} [auth]
 * @property {boolean} reconnection
 * @property {number} reconnectionAttempts
 * @property {number} reconnectionDelay  doubles up to
 * @property {number} reconnectionDelayMax
 * @property {number} randomizationFactor  of the delay
 *
 * @typedef {object | ((hello: (auth: object) => void) => void)} Auth  what a namespace wants to know of us
 */

/** @returns {Options} */
export const withDefaults = (/** @type {Partial<Options> | undefined} */ options) => ({
  path: '/socket.io/', transports: ['polling', 'websocket'], upgrade: true, timeout: 20000, autoConnect: true,
  reconnection: true, reconnectionAttempts: Infinity, reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5,
  ...Object.fromEntries(Object.entries(options ?? {}).filter(([, v]) => v !== undefined)),
});
