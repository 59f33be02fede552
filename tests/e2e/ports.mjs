// Ports for what a test starts. Programs run side by side, so each takes its ports from a range of its own.
import {createServer} from 'node:net';

/** From 28000 on lie the meshes of the local commands, whose ports are at fixed distances (commands.test.mjs). */
export const kFirstPort = 10_000;
export const kLastPort = 27_999;

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/**
 * Ports that nobody listens on, below those that the system lends to outgoing connections: a service
 * that is started again must find its own free. PAYMESH_TEST_PORTS ("10000-14499") is this program's range.
 */
export async function freePorts(count) {
  const [first, last] = (process.env.PAYMESH_TEST_PORTS ?? `${kFirstPort}-${kLastPort}`).split('-').map(Number);
  const ports = new Set();
  while (ports.size < count) {
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

/** The range of one of several programs that run side by side, as PAYMESH_TEST_PORTS takes it. */
export function rangeOf(slot, slots) {
  const width = Math.floor((kLastPort - kFirstPort + 1) / slots);
  return `${kFirstPort + slot * width}-${kFirstPort + (slot + 1) * width - 1}`;
}
