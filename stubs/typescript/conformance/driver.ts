// Takes one command per line on stdin and answers one line each on stdout: see tests/conformance.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { create, fromJson, toJson, type DescMethod, type DescService, type JsonValue } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import * as osis from '../src/index.js';

interface Command {
  do: string;
  target: string;
  api_key?: string;
  tls_ca_file?: string;
  path: string;
  name: string;
  upload_id?: string;
  chunk_size_bytes?: number;
  deadline_seconds?: number;
  token: string;
  offset?: number;
  length?: number;
  expected_sha256?: string;
  rpc: string;
  request?: JsonValue;
  until_closed?: boolean;
}

const SERVICES: Record<string, DescService> = {
  DocumentService: osis.DocumentService,
  DownloadService: osis.DownloadService,
  PostProcessingService: osis.PostProcessingService,
  TokenService: osis.TokenService,
  UploadService: osis.UploadService,
  WorkerService: osis.WorkerService,
};

let client: osis.Client | undefined;

function connected(): osis.Client {
  if (!client) throw new Error('the first command must be connect');
  return client;
}

function connect({ target, api_key, tls_ca_file }: Command): JsonValue {
  client?.close();
  client = osis.connect({
    target,
    ...(api_key && { apiKey: api_key }),
    ...(tls_ca_file && { tls: { ca: readFileSync(tls_ca_file) } }),
  });
  return {};
}

async function upload(command: Command): Promise<JsonValue> {
  const options = {
    name: command.name,
    ...(command.upload_id && { uploadId: command.upload_id }),
    ...(command.chunk_size_bytes && { chunkSizeBytes: command.chunk_size_bytes }),
    timeoutMs: milliseconds(command),
  };
  const { document, writeToken } =
    command.do === 'upload'
      ? await connected().uploadFile(command.path, options)
      : await connected().uploadStream(createReadStream(command.path), options);
  return { document: toJson(osis.DocumentSchema, document ?? create(osis.DocumentSchema)), write_token: writeToken };
}

async function download(command: Command): Promise<JsonValue> {
  await connected().downloadToFile(command.token, command.path, {
    offset: command.offset ?? 0,
    length: command.length ?? 0,
    expectedSha256: command.expected_sha256 ?? '',
    timeoutMs: milliseconds(command),
  });
  const hash = createHash('sha256');
  for await (const data of createReadStream(command.path)) hash.update(data as Uint8Array);
  return { size_bytes: (await stat(command.path)).size, sha256: hash.digest('hex') };
}

type Calls = Record<string, (input: unknown, options: object) => unknown>;

function call<T>({ rpc, request, ...command }: Command): { method: DescMethod; answer: T } {
  const [service = '', name = ''] = rpc.split('/');
  const method = SERVICES[service]?.methods.find((each) => each.name === name);
  if (!method) throw new osis.OsisDocumentError(`the contract has no rpc ${rpc}`, osis.Code.Unimplemented);
  const stub = createClient(method.parent, connected().transport) as unknown as Calls;
  const message = fromJson(method.input, request ?? {});
  return { method, answer: stub[method.localName]!(message, { timeoutMs: milliseconds(command) }) as T };
}

async function unary(command: Command): Promise<JsonValue> {
  const { method, answer } = call<Promise<never>>(command);
  return toJson(method.output, await answer);
}

async function watch(command: Command): Promise<JsonValue> {
  const { method, answer } = call<AsyncIterable<never>>(command);
  const messages: JsonValue[] = [];
  for await (const message of answer) messages.push(toJson(method.output, message));
  return { messages };
}

const milliseconds = ({ deadline_seconds }: Pick<Command, 'deadline_seconds'>): number | undefined =>
  deadline_seconds === undefined || deadline_seconds === null ? undefined : deadline_seconds * 1000;

const COMMANDS: Record<string, (command: Command) => JsonValue | Promise<JsonValue>> = {
  connect,
  upload,
  upload_stream: upload,
  download,
  call: unary,
  watch,
};

function described(error: unknown): JsonValue {
  const known = error instanceof osis.OsisDocumentError;
  const { code, reason, metadata, retryAfterSeconds } = known
    ? error
    : new osis.OsisDocumentError('', osis.Code.Unknown);
  const { name, message } = error as Error;
  const spelled =
    code === osis.Code.Canceled ? 'CANCELLED' : osis.Code[code].replace(/(?<=.)[A-Z]/g, '_$&').toUpperCase();
  return { code: spelled, reason, message, metadata, retry_after_seconds: retryAfterSeconds, type: name };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function answer(line: string): Promise<JsonValue> {
  try {
    const command = JSON.parse(line) as Command;
    const run = COMMANDS[command.do];
    if (!run) throw new osis.OsisDocumentError(`there is no command ${command.do}`, osis.Code.Unimplemented);
    const closed = command.until_closed && lines.next().then(() => client?.close()); // that is the next command
    try {
      return { ok: await run(command) };
    } finally {
      await closed;
    }
  } catch (error) {
    return { error: described(error) };
  }
}

for (let next = await lines.next(); !next.done; next = await lines.next()) {
  process.stdout.write(`${JSON.stringify(await answer(next.value))}\n`);
}
client?.close();
