import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A new key as `openssl req -newkey` spells it: good ones, and ones that must be refused. */
export type Key = 'p256' | 'p521' | 'rsa2048' | 'rsa1024' | 'secp256k1';

const NEWKEY: Record<Key, string[]> = {
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p521: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  rsa2048: ['rsa:2048'],
  rsa1024: ['rsa:1024'],
  secp256k1: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
};

/** A CSR in PEM with a new key, made by openssl. The first name is the common name. */
export async function csr(names: [string, ...string[]], key: Key = 'p256'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certdeck-csr-'));
  try {
    const file = join(folder, 'request.pem');
    const sans = names.map((name) => `DNS:${name}`).join(',');
    await run('openssl', [
      'req', '-new', '-newkey', ...NEWKEY[key], '-nodes', '-keyout', join(folder, 'key.pem'),
      '-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${sans}`, '-out', file,
    ]);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same CSR with one character of its signature changed. */
export function damaged(pem: string): string {
  const lines = pem.trim().split('\n');
  const last = lines.length - 2;
  const line = lines[last] ?? '';
  const at = Math.floor(line.length / 2);
  const other = line[at] === 'A' ? 'B' : 'A';
  lines[last] = line.slice(0, at) + other + line.slice(at + 1);
  return `${lines.join('\n')}\n`;
}
