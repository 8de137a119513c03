import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@connectrpc/connect';
import hashWasm from 'hash-wasm';
import { DownloadDamagedError, OsisDocumentError } from './errors.js';
import type { DownloadHeader, DownloadService } from './gen/osis/document/v1/download_service_pb.js';
import { Tries, type Limits } from './tries.js';

/** What is read. */
export interface DownloadOptions extends Limits {
  /** The first byte; negative: so many bytes before the end. */
  offset?: number;
  /** How many bytes at most; 0: up to the end. */
  length?: number;
  /** Refuse any other content (`CONTENT_CHANGED`); of the whole, in hexadecimal. */
  expectedSha256?: string;
  /** Told before the first block what comes: the document, the range, the SHA-256 of the whole. */
  onHeader?: (header: DownloadHeader) => void;
}

type Stub = Client<typeof DownloadService>;

/** Reads a document block by block, each checked, and in the end the whole. */
export async function* download(stub: Stub, token: string, options: DownloadOptions): AsyncGenerator<Uint8Array, void> {
  const crc32c = await hashWasm.createCRC32(CASTAGNOLI);
  const hash = createHash('sha256');
  const hangUp = new AbortController(); // a reader may stop in the middle
  const signals = [hangUp.signal, ...(options.signal ? [options.signal] : [])];
  const tries = new Tries({ ...options, signal: AbortSignal.any(signals) });
  let { offset: position = 0, length: limit = 0, expectedSha256 = '' } = options;
  let header: DownloadHeader | undefined;
  let end = Infinity;
  try {
    while (position < end) {
      let error: OsisDocumentError | undefined;
      try {
        const request = { token, readOffset: BigInt(position), readLimit: BigInt(limit), expectedSha256 };
        for await (const message of stub.download(request, tries.options())) {
          if (!header && message.header?.range) {
            header = message.header;
            [position, end] = [Number(message.header.range.start), Number(message.header.range.end)];
            expectedSha256 = header.sha256;
            options.onHeader?.(header);
          }
          const { data } = message;
          if (!header)
            throw new DownloadDamagedError('the first message has no header; the service is of another version');
          if (data.length === 0) continue;
          const checksum = Number.parseInt(crc32c.init().update(data).digest(), 16);
          if (checksum !== message.crc32c || position + data.length > end) {
            throw new DownloadDamagedError(
              `the block at byte ${position} of '${header.document?.name}' was damaged on the way`,
            );
          }
          hash.update(data);
          position += data.length;
          tries.gotOn();
          yield data;
        }
      } catch (raised) {
        if (!(raised instanceof OsisDocumentError) || !(raised.transient || position >= end)) throw raised;
        error = raised; // behind the last byte it does not matter how the stream ends
      }
      limit = header ? end - position : limit;
      const stopped = `the download was interrupted at byte ${position}`;
      if (position < end) await tries.pause(error, stopped, { offset: String(position), sha256: expectedSha256 });
    }
    const whole = header?.range?.start === 0n && header.range.completeSize === BigInt(end);
    if (whole && header?.sha256 && hash.digest('hex') !== header.sha256) {
      throw new DownloadDamagedError(
        `the content of '${header.document?.name}' has not the promised SHA-256 ${header.sha256}`,
      );
    }
  } finally {
    hangUp.abort();
  }
}

/** Writes a document's content to a file. Under its name there is the whole content or what was there before. */
export async function downloadToFile(
  stub: Stub,
  token: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadHeader> {
  const target = await realpath(path).catch(() => path); // the file that a symbolic link points to, not the link
  const temporary = join(dirname(target), `.${randomUUID()}.part`);
  let header: DownloadHeader | undefined;
  const onHeader = (received: DownloadHeader): void => {
    header = received;
    options.onHeader?.(received);
  };
  try {
    await pipeline(
      download(stub, token, { ...options, onHeader }),
      createWriteStream(temporary, { flags: 'wx', flush: true }),
    );
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  return header!;
}

const CASTAGNOLI = 0x82f63b78;
