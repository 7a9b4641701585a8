import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from './test.ts';
import type { Certificate, Portal } from './portal.ts';

const run = promisify(execFile);

/** What a server shows in a handshake. */
export interface Served {
  /** Lower-case hex, as `certdeck order show` prints it. */
  serial: string;
  /** To the second, RFC 3339 in UTC. */
  notAfter: string;
  /** The DNS names, sorted. */
  names: string[];
  /** Whether chain, name and dates hold for a client that trusts the embedded CA's root. */
  trusted: boolean;
}

/** Shakes hands with a server of the demonstration. */
export function served(portal: Portal, endpoint: string, name: string): Promise<Served> {
  const ca = readFileSync(portal.rootFile());
  return new Promise((done, failed) => {
    const options = { host: '127.0.0.1', port: portal.port(endpoint), servername: name, ca, rejectUnauthorized: false };
    const socket = connect(options, () => {
      const peer = socket.getPeerCertificate();
      const names = (peer.subjectaltname ?? '').split(', ').map((one) => one.replace(/^DNS:/, ''));
      done({
        serial: peer.serialNumber.toLowerCase(),
        notAfter: seconds(peer.valid_to),
        names: names.sort(),
        trusted: socket.authorized,
      });
      socket.destroy();
    });
    socket.once('error', failed);
  });
}

/** The same through `openssl s_client`, as README.md has it: serial and end of validity. */
export async function opensslShows(portal: Portal, endpoint: string): Promise<{ serial: string; notAfter: string }> {
  const look = `openssl s_client -connect ${portal.address(endpoint)} </dev/null 2>/dev/null | openssl x509 -noout -serial -enddate`;
  const { stdout } = await run('sh', ['-c', look]);
  const fact = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  return { serial: fact('serial').toLowerCase(), notAfter: seconds(fact('notAfter')) };
}

function seconds(openssl: string): string {
  return new Date(openssl).toISOString().replace('.000Z', 'Z');
}

/** The certificates of one kind of an order, oldest first. */
export async function certificates(portal: Portal, order: number, kind: Certificate['kind']): Promise<Certificate[]> {
  return (await portal.order(order)).certificates.filter((one) => one.kind === kind);
}

/** The newest certificate of an order and kind. */
export async function newest(portal: Portal, order: number, kind: Certificate['kind']): Promise<Certificate> {
  const one = (await certificates(portal, order, kind)).at(-1);
  if (one === undefined) throw new Error(`order ${order} has no ${kind}`);
  return one;
}

/** Rules D1, D2 and D8: the endpoint serves the order's newest duplicate, which ends with the original; the original stands. */
export async function expectDuplicateServed(portal: Portal, endpoint: string, order: number): Promise<Served> {
  const original = await newest(portal, order, 'original');
  const duplicate = await newest(portal, order, 'duplicate');
  const seen = await served(portal, endpoint, original.common_name);
  expect(seen.serial).toBe(duplicate.serial);
  expect(seen.serial).not.toBe(original.serial);
  expect(seen.notAfter).toBe(original.not_after);
  expect(seen.notAfter).toBe(duplicate.not_after);
  expect(seen.trusted, 'a client that trusts the root accepts chain and name').toBe(true);
  expect(original.status).toBe('issued');
  return seen;
}
