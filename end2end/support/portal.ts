import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The binary under test. */
const BINARY = process.env['CERTDECK_BIN'] ?? fileURLToPath(new URL('../../target/debug/certdeck', import.meta.url));
/** How long a portal may take to start, and to stop, on a busy machine. */
const PATIENCE_MS = 60_000;

/** A certificate as `certdeck order show --json` prints it. */
export interface Certificate {
  kind: 'original' | 'reissue' | 'duplicate';
  serial: string;
  common_name: string;
  sans: string[];
  not_before: string;
  not_after: string;
  status: string;
  pem: string | null;
}

/** An order as `certdeck order show --json` prints it. */
export interface Order {
  number: number;
  product: string;
  organization: string;
  common_name: string;
  sans: string[];
  status: string;
  renews: number | null;
  renewed_by: number | null;
  certificates: Certificate[];
}

/** A portal of its own for one test: the real binary with its demonstration, on ports of the system's choice. */
export class Portal {
  /** `http://127.0.0.1:PORT`. */
  url = '';
  /** `https://127.0.0.1:PORT`, by which browsers speak HTTP/2. */
  tlsUrl = '';
  private child: ChildProcess | undefined;
  private readonly printed: string[] = [];

  private constructor(private readonly folder: string, private readonly surroundings: Record<string, string>) {}

  static async start(surroundings: Record<string, string> = {}): Promise<Portal> {
    if (!existsSync(BINARY)) {
      throw new Error(`There is no ${BINARY}. Build it with "cargo build -p certdeck", or name one in CERTDECK_BIN.`);
    }
    const portal = new Portal(await mkdtemp(join(tmpdir(), 'certdeck-end2end-')), surroundings);
    await portal.serve('127.0.0.1:0', '127.0.0.1:0');
    return portal;
  }

  /** Stops it and starts it again at the same addresses with its clock moved, as `+3d`. */
  async restart(clock: string): Promise<void> {
    const addresses = this.printed.flatMap((line) => /^listening on https?:\/\/(\S+)$/.exec(line)?.[1] ?? []);
    const [plain, tls] = addresses.slice(-2);
    if (plain === undefined || tls === undefined) throw new Error('the portal never said where it listens');
    await this.halt();
    await this.serve(plain, tls, clock);
  }

  async stop(): Promise<void> {
    await this.halt();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** All that it printed, for the report of a failure. */
  log(): string {
    return this.printed.join('\n');
  }

  /** Runs a command on the portal's data: what it prints. */
  async command(...args: string[]): Promise<string> {
    const { stdout } = await run(BINARY, args, { env: this.environment() });
    return stdout.trim();
  }

  async setting(key: string, value: string): Promise<void> {
    await this.command('settings', 'set', key, value);
  }

  /** Rule D3: what an administrator has to choose before Automation offers duplicates. */
  async offerDuplicates(): Promise<void> {
    await this.setting('approval_step', 'skip');
    await this.setting('duplicates_in_automation', 'on');
  }

  async order(number: number): Promise<Order> {
    return JSON.parse(await this.command('order', 'show', String(number), '--json')) as Order;
  }

  /** The TCP port of a server of the demonstration. */
  port(endpoint: string): number {
    return Number(readFileSync(this.file(endpoint, 'port'), 'utf8'));
  }

  /** `127.0.0.1:PORT`, as the column "IP / Port" shows it. */
  address(endpoint: string): string {
    return `127.0.0.1:${this.port(endpoint)}`;
  }

  /** The embedded CA's root. */
  rootFile(): string {
    return join(this.folder, 'demo', 'root.pem');
  }

  /** A file in the folder of a server of the demonstration. */
  file(endpoint: string, name: string): string {
    return join(this.folder, 'demo', endpoint, name);
  }

  private environment(clock?: string): NodeJS.ProcessEnv {
    const own: NodeJS.ProcessEnv = { ...process.env, ...this.surroundings, CERTDECK_DATA_DIR: this.folder };
    return clock === undefined ? own : { ...own, CERTDECK_CLOCK: clock };
  }

  private async serve(listen: string, tlsListen: string, clock?: string): Promise<void> {
    const env = { ...this.environment(clock), CERTDECK_LISTEN: listen, CERTDECK_TLS_LISTEN: tlsListen };
    const child = spawn(BINARY, ['serve', '--demo'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    await new Promise<void>((ready, failed) => {
      const giveUp = setTimeout(() => failed(new Error(`the portal did not start:\n${this.log()}`)), PATIENCE_MS);
      let listening = 0;
      const read = (line: string) => {
        this.printed.push(line);
        const address = /^listening on (https?:\/\/\S+)$/.exec(line)?.[1];
        if (address === undefined) return;
        if (address.startsWith('http://')) this.url = address;
        else this.tlsUrl = address;
        listening += 1;
        if (listening < 2) return;
        clearTimeout(giveUp);
        ready();
      };
      createInterface({ input: child.stdout }).on('line', read);
      createInterface({ input: child.stderr }).on('line', (line) => this.printed.push(line));
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the portal ended with ${code}:\n${this.log()}`)));
    });
  }

  private async halt(): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS / 4);
    await gone;
    clearTimeout(kill);
  }
}
