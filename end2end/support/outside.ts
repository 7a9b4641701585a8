import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const TYPE_A = 1;
/** The question's name, type A, class IN, no caching, 127.0.0.1. */
const LOOPBACK = Buffer.from([0xc0, 0x0c, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);

/** The answer of a DNS in which every name has the address 127.0.0.1 and nothing else. */
function answer(query: Buffer): Buffer {
  let end = 12;
  while (query.readUInt8(end) !== 0) end += query.readUInt8(end) + 1;
  const question = query.subarray(12, end + 5);
  const found = question.readUInt16BE(question.length - 4) === TYPE_A;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found ? 1 : 0, 6);
  return Buffer.concat([head, question, ...(found ? [LOOPBACK] : [])]);
}

/** What validation looks at: a DNS that leads every name to one web server. */
export interface Outside {
  /** What the portal's environment says of it. */
  environment: Record<string, string>;
  /** Serves `body` at a place, `host/path`. */
  serve(place: string, body: string): void;
  stop(): void;
}

export async function outside(): Promise<Outside> {
  const dns = createSocket('udp4', (query, from) => dns.send(answer(query), from.port, from.address));
  dns.bind(0, '127.0.0.1');
  const pages = new Map<string, string>();
  const web = createServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const body = pages.get(`${host}${request.url}`);
    response.writeHead(body === undefined ? 404 : 200).end(body ?? 'not found');
  });
  web.listen(0, '127.0.0.1');
  await Promise.all([once(dns, 'listening'), once(web, 'listening')]);
  return {
    environment: {
      CERTDECK_DNS_RESOLVER: `127.0.0.1:${dns.address().port}`,
      CERTDECK_ACME_HTTP01_PORT: String((web.address() as AddressInfo).port),
      CERTDECK_VALIDATION_ALLOW: '127.0.0.0/8',
      CERTDECK_CAA: 'challenges',
    },
    serve: (place, body) => void pages.set(place, body),
    stop: () => {
      dns.close();
      web.closeAllConnections();
      web.close();
    },
  };
}
