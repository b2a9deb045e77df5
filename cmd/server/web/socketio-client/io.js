// A client of Socket.IO (protocol 5, Engine.IO 4) for this server's own page
// and for pages that load /socket.io/socket.io.js: io(), on, once, off, emit
// with acknowledgements, binary, namespaces, auth, reconnection, recovery. It
// begins with polling, moves to a WebSocket if it can, and stays with polling
// otherwise. One connection for each io(); the sockets of one Manager share one.
// The published client, socket.io-client, does more, and works here as well.
import { Manager } from './manager.js';
import { Socket } from './socket.js';
/** @import { Options } from './options.js' */

/** protocol is the version of Socket.IO's that is spoken. */
export const protocol = 5;

/**
 * io returns the socket of the namespace that is the address's path.
 * @param {string | URL | Partial<Options>} [address]  of the server; without one, that of the page
 * @param {Partial<Options>} [options]
 */
export function io(address, options) {
  if (typeof address === 'object' && !(address instanceof URL)) [address, options] = [undefined, address];
  const u = new URL(address ?? location.origin, globalThis.location?.href);
  return new Manager(u, options).socket(u.pathname);
}

export { io as connect, Manager, Socket };
